// Stands in the executable for `src/io/import-module.ts`: loads modules that are not ours, and gives them what they import of
// ours by its package's name. The executable has no package around it, and Bun none of Node's hooks.

/** Loads a module by its URL. Rejects with what Bun says where there is none, or where it throws. */
export const importModule = async (url) => {
  offerOurs();
  return import(url);
};

let isOffered = false;

const offerOurs = () => {
  if (isOffered) return;
  isOffered = true;
  const modules = { 'lock-doctor': 'index', 'lock-doctor/check': 'check', 'lock-doctor/kind': 'kind' };
  Bun.plugin({
    name: 'lock-doctor',
    setup: (plugin) => {
      for (const [name, file] of Object.entries(modules))
        plugin.module(name, async () => ({
          exports: await import(new URL(`./library/${file}.mjs`, import.meta.url).href),
          loader: 'object',
        }));
    },
  });
};
