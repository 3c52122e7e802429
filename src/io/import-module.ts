/** `import()` of modules that are not ours. Apart, because the bundle turns every other `import()` into `require`. */

/** Loads a module by its URL. Rejects with what Node says where there is none, or where it throws. */
export const importModule = async (url: string): Promise<unknown> => import(url);
