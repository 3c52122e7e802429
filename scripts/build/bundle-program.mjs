// Bundles the program with esbuild. It is built to start fast (BENCHMARKS.md): as CommonJS, which Node starts faster than many
// modules, with a file for each code path, and with libraries that are loaded when they are first needed.
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { INK_PART, lateParts, MODULE_IMPORT, partName } from './late-parts.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Settings of esbuild for every file of the program. */
export const COMMON = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.19',
  legalComments: 'none',
  minify: true,
  charset: 'ascii',
  logLevel: 'warning',
  // CommonJS has no import.meta, which few runs need.
  define: {
    'import.meta.url': 'here.url',
    LOCK_DOCTOR_VERSION: JSON.stringify(version),
    LOCK_DOCTOR_EXECUTABLE: 'false',
  },
  banner: { js: "const here={get url(){return require('node:url').pathToFileURL(__filename).href}};" },
};

/** `import()` of a part becomes `require`, which avoids the start of Node's module loader, some 20 ms. */
const BY_REQUIRE = { supported: { 'dynamic-import': false } };

const STAND_IN = resolve('scripts/build/stand-in.mjs');

/** Writes all files of the program into the directory. */
export const bundleProgram = async (directory) => {
  mkdirSync(directory, { recursive: true });
  // The package consists of ES modules, but this directory does not.
  writeFileSync(`${directory}/package.json`, '{ "type": "commonjs" }\n');
  await build({
    ...COMMON,
    entryPoints: ['src/evidence/scan/scan-thread.ts'],
    outfile: `${directory}/scan-thread.js`,
  });
  // A single file with everything it needs, because it is sent to machines where nothing of ours is installed.
  await build({
    ...COMMON,
    entryPoints: ['src/fleet/collector.ts'],
    outfile: `${directory}/collector.js`,
  });
  await bundleParts(directory);
  await bundleInk(directory);
  await bundleStart(directory);
};

/**
 * Writes `cli-main.js` and all parts that it loads late, except Ink's. Another form of the program (`scripts/executable/`) passes
 * its own settings as `form`, and its replacement of `src/io/import-module.ts` as `moduleImport`.
 */
export const bundleParts = async (directory, form = {}, moduleImport = MODULE_IMPORT) => {
  const modules = new Set([resolve('src/cli/main.ts')]);
  const packages = new Set();
  // Iterating a set includes entries that are added meanwhile.
  for (const module of modules)
    await build({
      ...COMMON,
      ...form,
      ...(module === MODULE_IMPORT ? {} : BY_REQUIRE),
      entryPoints: [module === MODULE_IMPORT ? moduleImport : module],
      // yargs would look for a package.json around the working directory, which may be behind a server that does not answer.
      alias: { 'escalade/sync': STAND_IN },
      outfile: `${directory}/${partName(module)}.js`,
      plugins: [lateParts(modules, packages)],
    });
  for (const name of packages)
    await build({ ...COMMON, ...form, entryPoints: [name], outfile: `${directory}/${name}.js` });
};

/** An ES module, because it has a top-level await; it bundles CommonJS packages, which require Node's modules. */
const bundleInk = (directory) =>
  build({
    ...COMMON,
    entryPoints: [INK_PART],
    outfile: `${directory}/${partName(INK_PART)}.mjs`,
    format: 'esm',
    define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    // In CI Ink would draw nothing until it ends; when debugged it would load developer tools.
    alias: { 'is-in-ci': STAND_IN, 'react-devtools-core': STAND_IN },
  });

/**
 * The file that is started, and the one that it needs only to cache code. The first contains a digest of all others, so that cached
 * code of another build is not used.
 */
const bundleStart = async (directory) => {
  const KEEPER = 'scripts/build/start/keep-code.cjs';
  await build({ ...COMMON, entryPoints: [KEEPER], outfile: `${directory}/keep-code.js`, banner: {} });
  const digest = createHash('sha256');
  for (const name of readdirSync(directory).sort()) digest.update(readFileSync(`${directory}/${name}`));
  const outfile = `${directory}/doctor.js`;
  await build({
    ...COMMON,
    entryPoints: ['scripts/build/start/doctor.cjs'],
    outfile,
    define: { BUILD: JSON.stringify(digest.digest('hex').slice(0, 8)) },
    banner: { js: '#!/usr/bin/env node' },
  });
  chmodSync(outfile, 0o755);
};
