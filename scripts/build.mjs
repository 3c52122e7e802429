// Builds dist/: the library with its types by tsc, and the program bundled by esbuild. Start-up is what matters there
// (BENCHMARKS.md): one CommonJS file with our own code, which Node starts faster than modules in pieces, and beside it
// one file for each library, loaded when it is first needed.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

/** Answers the one question that the program asks, in the form of `evidence/tmux-format.ts`. */
const STAND_IN_FOR_TMUX = String.raw`#!/bin/sh
mark=$(printf %s "$6" | cut -dS -f1)
printf '%s\n' "$mark"'S 1 1700000000 3.3a'"$mark." "$mark"'L $0'"$mark." \
  "$mark"'P $0 %0 1 0 1700000000 main         sh /'"$mark." "$mark"Z"$mark." HOME=/
`;

/** Everything is made here and takes the place of dist/ at once: a build that fails leaves the last one. */
const STAGE = 'dist.new';
const OUT = `${STAGE}/bin`;
/** Libraries that most runs do not need. */
const LATE = ['execa', 'listr2', 'yargs'];

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
rmSync(STAGE, { recursive: true, force: true });
execFileSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', STAGE],
  {
    stdio: 'inherit',
  },
);

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  legalComments: 'none',
  minify: true,
  charset: 'ascii',
  logLevel: 'warning',
};

/** Commands that nobody waits for at the start of an agent: they lie in a file of their own, with all they need. */
const LATE_COMMANDS = ['doctor', 'locks', 'explain', 'checks', 'undo', 'completion'];

/** `import('execa')` and `import('./commands/doctor.ts')` lead to the files beside. */
const lateParts = {
  name: 'late-parts',
  setup: ({ onResolve }) => {
    onResolve({ filter: new RegExp(`^(${LATE.join('|')})$`) }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path: `./${path}.js`, external: true },
    );
    onResolve({ filter: new RegExp(`^\\./commands/(${LATE_COMMANDS.join('|')})\\.ts$`) }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path: path.replace(/\.ts$/, '.js'), external: true } : undefined,
    );
  },
};

/** Requiring what lies beside spares Node the start of its module loader, some 20 ms. */
const requireParts = (file) =>
  writeFileSync(
    file,
    readFileSync(file, 'utf8')
      .replaceAll(
        new RegExp(`\\bimport\\("\\./commands/(${LATE_COMMANDS.join('|')})\\.js"\\)`, 'g'),
        'Promise.resolve().then(()=>require("./commands.js").$1)',
      )
      .replaceAll(
        new RegExp(`\\bimport\\("\\./(${LATE.join('|')})\\.js"\\)`, 'g'),
        'Promise.resolve().then(()=>require("./$1.js"))',
      )
      // What is left imports plug-ins.
      .replaceAll(/\bimport\(/g, 'importModule('),
  );

/** CommonJS has no import.meta. */
const moduleUrl = {
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl=require('node:url').pathToFileURL(__filename).href;" },
};

/** What is made of our own sources. */
const ours = {
  ...common,
  outdir: OUT,
  format: 'cjs',
  plugins: [lateParts],
  define: { LOCK_DOCTOR_VERSION: JSON.stringify(version), ...moduleUrl.define },
  banner: moduleUrl.banner,
};

mkdirSync(OUT, { recursive: true });
// The package is made of modules; this directory is not.
writeFileSync(`${OUT}/package.json`, '{ "type": "commonjs" }\n');
await build({
  ...ours,
  entryPoints: { program: 'src/cli/main.ts', 'scan-thread': 'src/evidence/scan-thread.ts' },
});
await build({
  ...common,
  entryPoints: Object.fromEntries(LATE.map((name) => [name, name])),
  outdir: OUT,
  format: 'cjs',
  define: moduleUrl.define,
  banner: moduleUrl.banner,
});
await build({
  ...ours,
  stdin: {
    contents: LATE_COMMANDS.map((name) => `export * as ${name} from './commands/${name}.ts';`).join('\n'),
    resolveDir: 'src/cli',
  },
  outdir: undefined,
  outfile: `${OUT}/commands.js`,
});
for (const name of ['program', 'commands']) requireParts(`${OUT}/${name}.js`);
copyFileSync('scripts/entry.cjs', `${OUT}/doctor.js`);
chmodSync(`${OUT}/doctor.js`, 0o755);
await warm();
rmSync('dist', { recursive: true, force: true });
renameSync(STAGE, 'dist');

/**
 * Lets the program run in the ways that have to start fast, on a small town and beside a tmux that has one pane to tell
 * of: what is compiled then need not be compiled by those who wait.
 */
async function warm() {
  const place = mkdtempSync(join(tmpdir(), 'lock-doctor-warm-'));
  const town = join(place, 'town');
  const lock = join(town, 'rig', 'crew', 'ada', '.runtime', 'agent.lock');
  const sockets = join(place, `tmux-${process.getuid()}`);
  mkdirSync(dirname(lock), { recursive: true });
  mkdirSync(sockets);
  writeFileSync(lock, JSON.stringify({ pid: 0, acquired_at: '2026-01-01T00:00:00Z', session_id: '%1' }));
  writeFileSync(join(place, 'tmux'), STAND_IN_FOR_TMUX, { mode: 0o755 });
  const server = createServer().listen(join(sockets, 'default'));
  await once(server, 'listening');
  const lines = [
    ['--json', town],
    [town],
    ['preflight', '--town', town, 'rig/crew/ada'],
    ['preflight', '--town', town, 'rig/crew/new'],
    ['--version'],
    ['--help'],
  ];
  try {
    execFileSync(process.execPath, ['scripts/warm.cjs', join(process.cwd(), OUT), JSON.stringify(lines)], {
      stdio: 'ignore',
      env: { PATH: `${place}:${process.env.PATH}`, TMUX_TMPDIR: place },
    });
  } finally {
    server.close();
    rmSync(place, { recursive: true, force: true });
  }
}
