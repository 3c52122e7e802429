// Builds dist/: the library with its types by tsc, and the program bundled by esbuild. Start-up is what matters there
// (BENCHMARKS.md): one CommonJS file with our own code, which Node starts faster than modules in pieces, and beside it
// one file for each library, loaded when it is first needed.
import { execFileSync } from 'node:child_process';
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
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

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
warm();
rmSync('dist', { recursive: true, force: true });
renameSync(STAGE, 'dist');

/** Lets the program run once in each way that has to start fast, on a small town with a tmux server that is gone. */
function warm() {
  const town = mkdtempSync(join(tmpdir(), 'lock-doctor-warm-'));
  const lock = join(town, 'rig', 'crew', 'ada', '.runtime', 'agent.lock');
  mkdirSync(dirname(lock), { recursive: true });
  writeFileSync(lock, JSON.stringify({ pid: 0, acquired_at: '2026-01-01T00:00:00Z', session_id: '%1' }));
  try {
    for (const words of [
      ['--json', town],
      ['preflight', '--town', town, 'rig/crew/ada'],
    ])
      execFileSync(process.execPath, ['scripts/warm.cjs', join(process.cwd(), OUT), ...words], {
        stdio: 'ignore',
      });
  } finally {
    rmSync(town, { recursive: true, force: true });
  }
}
