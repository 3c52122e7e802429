// Which files the program is made of: `src/cli/main.ts` is the first, and what src/cli imports where it is needed
// (`await import('./commands/locks.ts')`), or any module from a package, src/schema or src/evidence/files, is a part beside
// it that is loaded then. The sources say it; there is no list to keep.
import { dirname, relative, resolve, sep } from 'node:path';

const SOURCES = resolve('src');
const CLI = resolve('src/cli');
const FOR_ANYBODY = [resolve('src/schema'), resolve('src/evidence/files')];

/** Says `import()` of its own; the others ask for it with `require`, see `bundle-program.mjs`. */
export const MODULE_IMPORT = resolve('src/io/import-module.ts');

/** What is drawn by Ink; `src/cli/top/load-screen.ts` loads it. */
export const INK_PART = resolve('src/cli/top/screen.ts');

/** How the file of a part is called, less `.js`: by the place of its module in src. */
export const partName = (module) => relative(SOURCES, module).replace(/\.ts$/, '').replaceAll(sep, '-');

/** A plug-in of esbuild that leads to the files beside, and adds their modules and packages to the sets. */
export const lateParts = (modules, packages) => ({
  name: 'late-parts',
  setup: ({ onResolve }) => {
    onResolve({ filter: /./ }, ({ path, kind, importer, resolveDir }) => {
      const module = resolve(resolveDir, path);
      if (path.startsWith('.') && module === MODULE_IMPORT && kind !== 'entry-point')
        return besides(modules, module, partName(module));
      if (kind !== 'dynamic-import') return undefined;
      if (!path.startsWith('.')) return besides(packages, path, path);
      return `${dirname(importer)}${sep}`.startsWith(`${CLI}${sep}`) ||
        FOR_ANYBODY.some((folder) => module.startsWith(`${folder}${sep}`))
        ? besides(modules, module, partName(module))
        : undefined;
    });
  },
});

const besides = (set, member, name) => {
  set.add(member);
  return { path: `./${name}.js`, external: true };
};
