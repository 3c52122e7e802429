// Builds dist/: the library with its types by tsc, and the program bundled by esbuild. Start-up is what matters there
// (BENCHMARKS.md): one CommonJS file with our own code, which Node starts faster than modules in pieces, and beside it
// one file for each library, loaded when it is first needed.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
      ),
  );

/** CommonJS has no import.meta. */
const moduleUrl = {
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl=require('node:url').pathToFileURL(__filename).href;" },
};

mkdirSync(OUT, { recursive: true });
// The package is made of modules; this directory is not.
writeFileSync(`${OUT}/package.json`, '{ "type": "commonjs" }\n');
await build({
  ...common,
  entryPoints: { doctor: 'src/cli/main.ts', 'scan-thread': 'src/evidence/scan-thread.ts' },
  outdir: OUT,
  format: 'cjs',
  plugins: [lateParts],
  define: { LOCK_DOCTOR_VERSION: JSON.stringify(version), ...moduleUrl.define },
  banner: moduleUrl.banner,
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
  ...common,
  stdin: {
    contents: LATE_COMMANDS.map((name) => `export * as ${name} from './commands/${name}.ts';`).join('\n'),
    resolveDir: 'src/cli',
  },
  outfile: `${OUT}/commands.js`,
  format: 'cjs',
  plugins: [lateParts],
  define: { LOCK_DOCTOR_VERSION: JSON.stringify(version), ...moduleUrl.define },
  banner: moduleUrl.banner,
});
const program = `${OUT}/doctor.js`;
for (const file of [program, `${OUT}/commands.js`]) requireParts(file);
writeFileSync(program, `#!/usr/bin/env node\n${readFileSync(program, 'utf8')}`);
chmodSync(program, 0o755);
rmSync('dist', { recursive: true, force: true });
renameSync(STAGE, 'dist');
