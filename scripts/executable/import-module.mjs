// Replaces `src/io/import-module.ts` in the executable: loads foreign modules, and provides what they import from our package by
// name. The executable is not in a package, and Bun does not have Node's hooks.

/** Loads a module by its URL. Rejects with Bun's error if there is none, or if it throws. */
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
