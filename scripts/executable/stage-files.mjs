// Lays out the files of the executable: the parts that Bun compiles, and the files that it includes.
import { copyFileSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { bundleParts, COMMON } from '../build/bundle-program.mjs';

/** Where Bun puts included files; their paths are those in the package, so that they are found in the same way. */
const INSIDE = 'file:///$bunfs/root/dist/bin/doctor.js';

const FORM = {
  define: { ...COMMON.define, LOCK_DOCTOR_EXECUTABLE: 'true' },
  banner: { js: `const here={url:${JSON.stringify(INSIDE)}};` },
};

/** Included unchanged from `npm run build`. */
const AS_BUILT = ['help.json', 'collector.js', 'cli-top-screen.mjs'];

/** What checks and kinds import from our package, see `import-module.mjs`. */
const LIBRARY = { index: 'src/index.ts', check: 'src/check.ts', kind: 'src/kind.ts' };

/** Writes `parts/` to be compiled, and `dist/`, `checks/` and `kinds/` to be included. */
export const stageFiles = async (stage) => {
  await bundleParts(`${stage}/parts`, FORM, resolve('scripts/executable/import-module.mjs'));
  copyFileSync('scripts/executable/entry.cjs', `${stage}/parts/doctor.js`);
  writeFileSync(`${stage}/parts/package.json`, '{ "type": "commonjs" }\n');
  const bin = `${stage}/dist/bin`;
  mkdirSync(bin, { recursive: true });
  for (const name of AS_BUILT) copyFileSync(`dist/bin/${name}`, `${bin}/${name}`);
  // ES modules, because Bun does not load included files as CommonJS.
  const modules = {
    ...COMMON,
    format: 'esm',
    define: { LOCK_DOCTOR_VERSION: COMMON.define.LOCK_DOCTOR_VERSION },
    banner: {},
  };
  await build({
    ...modules,
    entryPoints: ['src/evidence/scan/scan-thread.ts'],
    outfile: `${bin}/scan-thread.js`,
  });
  await build({
    ...modules,
    entryPoints: LIBRARY,
    outdir: `${bin}/library`,
    outExtension: { '.js': '.mjs' },
  });
  for (const folder of ['checks', 'kinds']) {
    mkdirSync(`${stage}/${folder}`);
    for (const name of readdirSync(folder).filter((each) => each.endsWith('.md')))
      cpSync(`${folder}/${name}`, `${stage}/${folder}/${name}`);
  }
};
