// Decides the files of the program: `src/cli/main.ts` is the first one. Each module that src/cli imports dynamically
// (`await import('./commands/locks.ts')`), or that any module so imports from a package or a place of `SHARED`, is a part of its
// own that is loaded then. The sources decide; there is no list of parts to maintain.
import { dirname, relative, resolve, sep } from 'node:path';

const SOURCES = resolve('src');
const CLI = resolve('src/cli');
const SHARED = [
  ...['schema', 'evidence/files', 'evidence/tmux', 'evidence/processes/macos'],
  ...['read-config.ts', 'core/preflight', 'kinds-of.ts'],
].map((folder) => resolve('src', folder));

/** Contains a real `import()`; the other parts use `require`, see `bundle-program.mjs`. */
export const MODULE_IMPORT = resolve('src/io/import-module.ts');

/** The part that Ink draws; `src/cli/top/load-screen.ts` loads it. */
export const INK_PART = resolve('src/cli/top/screen.ts');

/** The file name of a part, without `.js`, from the path of its module in src. */
export const partName = (module) => relative(SOURCES, module).replace(/\.ts$/, '').replaceAll(sep, '-');

/** An esbuild plug-in that resolves late imports to the files beside, and adds their modules and packages to the sets. */
export const lateParts = (modules, packages) => ({
  name: 'late-parts',
  setup: ({ onResolve }) => {
    onResolve({ filter: /./ }, ({ path, kind, importer, resolveDir }) => {
      const module = resolve(resolveDir, path);
      if (path.startsWith('.') && module === MODULE_IMPORT && kind !== 'entry-point')
        return partBeside(modules, module, partName(module));
      if (kind !== 'dynamic-import') return undefined;
      if (!path.startsWith('.')) return partBeside(packages, path, path);
      return `${dirname(importer)}${sep}`.startsWith(`${CLI}${sep}`) ||
        SHARED.some((place) => `${module}${sep}`.startsWith(`${place}${sep}`))
        ? partBeside(modules, module, partName(module))
        : undefined;
    });
  },
});

const partBeside = (set, member, name) => {
  set.add(member);
  return { path: `./${name}.js`, external: true };
};
