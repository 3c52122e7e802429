// Builds dist/: the library with its types by tsc, and the program bundled by esbuild. Start-up is what matters there
// (BENCHMARKS.md): CommonJS, which Node starts faster than modules in pieces, a file for each way through the program, and
// beside them one for each library, loaded when it is first needed.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import makeValidators from './make-validators.mjs';

/** Answers the one question that the program asks, in the form of `evidence/tmux-format.ts`. */
const STAND_IN_FOR_TMUX = String.raw`#!/bin/sh
mark=$(printf %s "$6" | cut -dS -f1)
printf '%s\n' "$mark"'S 1 1700000000 3.3a'"$mark." "$mark"'L $0'"$mark." \
  "$mark"'P $0 %0 1 0 1700000000 main        sh /'"$mark." "$mark"Z"$mark." HOME=/
`;

/** Everything is made here and takes the place of dist/ at once: a build that fails leaves the last one. */
const STAGE = 'dist.new';
const OUT = `${STAGE}/bin`;
/** Libraries that most runs do not need. */
const LATE = ['execa', 'listr2', 'yargs'];

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
makeValidators();
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

/**
 * Modules of src/cli that are imported where they are used, by the file that they go to. Each file has all that it needs, and
 * imports nothing late that lies in itself: esbuild would make every module of it a function that is called at need.
 */
const PARTS = {
  preflight: ['commands/preflight'],
  exec: ['commands/exec'],
  diagnosis: ['commands/doctor'],
  repair: ['commands/fix', '../preflight-fix'],
  others: [
    ...['locks', 'explain', 'checks', 'undo', 'completion'].map((name) => `commands/${name}`),
    'terminal/watch',
    'arguments/parse-with-yargs',
  ],
  saved: ['read-snapshot'],
};
const partOf = new Map(
  Object.entries(PARTS).flatMap(([part, modules]) =>
    modules.map((module) => [resolve('src/cli', `${module}.ts`), { part, module }]),
  ),
);

/** `import('execa')` and `import('./commands/doctor.ts')` lead to the files beside. */
const lateParts = {
  name: 'late-parts',
  setup: ({ onResolve }) => {
    onResolve({ filter: new RegExp(`^(${LATE.join('|')})$`) }, ({ path, kind }) =>
      kind === 'entry-point' ? undefined : { path: `late:${path}`, external: true },
    );
    onResolve({ filter: /\.ts$/ }, ({ path, kind, resolveDir }) => {
      const found = kind === 'dynamic-import' ? partOf.get(resolve(resolveDir, path)) : undefined;
      return found && { path: `late:${found.part}:${found.module}`, external: true };
    });
  },
};

/**
 * Lets a file of the program require what lies beside, which spares Node the start of its module loader, some 20 ms; and
 * makes it the function that `entry.cjs` calls.
 */
const finishPart = (file) => {
  const text = readFileSync(file, 'utf8')
    .replaceAll(/\bimport\("late:([^":]+)(?::([^"]+))?"\)/g, (_, part, module) => {
      const member = module === undefined ? '' : `[${JSON.stringify(module)}]`;
      return `Promise.resolve().then(()=>require("./${part}.js")${member})`;
    })
    // What is left imports plug-ins.
    .replaceAll(/\bimport\(/g, 'importModule(');
  writeFileSync(file, `(function(exports,require,module,__filename,__dirname,importModule){${text}\n})`);
};

/** CommonJS has no import.meta; few runs ask for it. */
const moduleUrl = {
  define: { 'import.meta.url': 'here.url' },
  banner: { js: "const here={get url(){return require('node:url').pathToFileURL(__filename).href}};" },
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
  entryPoints: { program: 'src/cli/main.ts', 'scan-thread': 'src/evidence/scan/scan-thread.ts' },
});
await build({
  ...common,
  entryPoints: Object.fromEntries(LATE.map((name) => [name, name])),
  outdir: OUT,
  format: 'cjs',
  define: moduleUrl.define,
  banner: moduleUrl.banner,
});
for (const [part, modules] of Object.entries(PARTS))
  await build({
    ...ours,
    stdin: {
      contents: modules.map((module) => `export * as "${module}" from './${module}.ts';`).join('\n'),
      resolveDir: 'src/cli',
    },
    outdir: undefined,
    outfile: `${OUT}/${part}.js`,
  });
for (const name of ['program', ...Object.keys(PARTS), ...LATE]) finishPart(`${OUT}/${name}.js`);
copyFileSync('scripts/entry.cjs', `${OUT}/doctor.js`);
chmodSync(`${OUT}/doctor.js`, 0o755);
try {
  await warm();
} catch (error) {
  // No place to run programs in, or a path too long for a socket: it works all the same.
  console.warn(`without code compiled beforehand the program starts slower: ${error.message}`);
}
await keepHelp();
rmSync('dist', { recursive: true, force: true });
renameSync(STAGE, 'dist');

/** Keeps what yargs says of each command: making it takes longer than all the rest of a run that asks for it. */
async function keepHelp() {
  const commands = Object.values(PARTS)
    .flat()
    .filter((module) => module.startsWith('commands/') && module !== 'commands/fix')
    .map((module) => module.slice('commands/'.length));
  const texts = await Promise.all(
    commands.map(async (command) => {
      const words = command === 'doctor' ? ['--help'] : [command, '--help'];
      return (await promisify(execFile)(process.execPath, [`${OUT}/doctor.js`, ...words])).stdout;
    }),
  );
  const help = Object.fromEntries(commands.map((command, index) => [command, texts[index]]));
  writeFileSync(`${OUT}/help.json`, JSON.stringify(help));
}

/**
 * Lets the program run in the ways that have to start fast, on a small town and beside a tmux that has one pane to tell
 * of: what is compiled then need not be compiled by those who wait.
 */
async function warm() {
  const place = mkdtempSync(join(tmpdir(), 'lock-doctor-warm-'));
  const server = createServer();
  try {
    const town = makeWarmTown(place);
    writeFileSync(join(place, 'tmux'), STAND_IN_FOR_TMUX, { mode: 0o755 });
    const sockets = join(place, `tmux-${process.getuid()}`);
    mkdirSync(sockets, { mode: 0o700 });
    const socket = join(sockets, 'default');
    // Node would cut off what is too long, and listen somewhere else.
    if (Buffer.byteLength(socket) > 100) throw new Error(`${socket} is too long for a socket`);
    await once(server.listen(socket), 'listening');
    const env = { PATH: `${place}:${process.env.PATH}`, TMUX_TMPDIR: place };
    const { stdout } = spawnSync(process.execPath, [`${OUT}/doctor.js`, '--json', town], { env });
    const { servers } = JSON.parse(stdout).tmux;
    // Other servers of this machine are none of its business.
    if (!servers.some(({ status }) => status === 'ok'))
      throw new Error('the stand-in for tmux is not understood');
    const lines = [
      ['--json', town],
      [town],
      ['preflight', '--town', town, 'rig/crew/ada'],
      ['preflight', '--town', town, 'rig/crew/new'],
      ['preflight', '--fix', '--town', town, 'rig/crew/ada'],
      ['exec', '--town', town, 'rig/crew/new', '--', 'true'],
      ['--version'],
      ['--help'],
    ];
    execFileSync(process.execPath, ['scripts/warm.cjs', join(process.cwd(), OUT), JSON.stringify(lines)], {
      stdio: 'ignore',
      env,
    });
  } finally {
    server.close();
    rmSync(place, { recursive: true, force: true });
  }
}

/** Two workers whose agents are gone, one with a repository. */
function makeWarmTown(place) {
  const town = join(place, 'town');
  const write = (path, text) => {
    mkdirSync(dirname(join(town, path)), { recursive: true });
    writeFileSync(join(town, path), text);
  };
  write('mayor/town.json', '{}');
  write('mayor/rigs.json', '{ "version": 1, "rigs": { "rig": { "beads": { "prefix": "r" } } } }');
  write('rig/crew/ada/.git/HEAD', 'ref: refs/heads/main\n');
  write('rig/crew/ada/.gitignore', '.runtime/\n');
  // No process has such a number.
  const record = {
    pid: 2 ** 22 + 1,
    acquired_at: '2026-01-01T00:00:00Z',
    session_id: '%1',
    hostname: hostname(),
  };
  for (const worker of ['rig/crew/ada', 'rig/polecats/max/rig']) {
    const lock = `${worker}/.runtime/agent.lock`;
    write(lock, JSON.stringify(record, null, 2));
    // A young one would be left alone.
    utimesSync(join(town, lock), 0, 0);
  }
  return town;
}
