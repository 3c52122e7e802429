// Code that V8 compiled in an earlier start, which saves the next one 10 to 20 ms. It is cached in a folder beside the program,
// never in the published package, because another Node must not run it. Every start works without it.
const { lstatSync, mkdirSync, statSync } = require('node:fs');
const { loadFrom } = require('./load-from.cjs');

/** Node 20 has no compile cache of its own, and loading `node:module` to check costs a quarter of a millisecond. */
const MAY_HAVE_COMPILE_CACHE = Number.parseInt(process.versions.node, 10) >= 22;

/** A function that loads `./cli-main.js` and the other parts in `home`; missing code is cached when the run ends. Never throws. */
exports.loaderOf = (home) => {
  const plainly = (id) => require(`${home}/${id}`);
  if (process.env.NODE_DISABLE_COMPILE_CACHE) return plainly;
  const folder = `${home}/code.cache`;
  const owner = ownerOf(folder, home);
  if (owner === null) return plainly;
  // Available since Node 22.8.
  const enable = MAY_HAVE_COMPILE_CACHE ? require('node:module').enableCompileCache : undefined;
  if (enable === undefined) return loadFrom(home, folder, owner === 'us') ?? plainly;
  if (owner !== 'us') return plainly; // Node caches code for each user separately
  const umask = process.umask(0o077);
  enable(folder);
  process.umask(umask);
  return plainly;
};

/**
 * Cached code is executed, so only we or root may have been able to write it; null otherwise. We create the folder only if the
 * program belongs to us as well: a user could not remove root's files from their directory.
 */
const ownerOf = (folder, home) => {
  try {
    const us = process.geteuid();
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) {
      if (statSync(home).uid !== us) return null;
      mkdirSync(folder, { mode: 0o755 });
      return 'us';
    }
    if (!found.isDirectory() || (found.mode & 0o022) !== 0) return null;
    return found.uid === us ? 'us' : found.uid === 0 ? 'root' : null;
  } catch {
    return null; // read-only, or two processes started at once
  }
};
