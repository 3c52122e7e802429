// Code that V8 compiled in an earlier start, which spares the next one 10 to 20 ms. It is kept in a folder beside the program,
// never in the package as it is published: a Node that did not make it must not run it. Every start works without.
const { lstatSync, mkdirSync, statSync } = require('node:fs');
const { loadFrom } = require('./load-from.cjs');

/** Node 20 has no compile cache of its own, and asking `node:module` for it costs a quarter of a millisecond. */
const MAY_HAVE_COMPILE_CACHE = Number.parseInt(process.versions.node, 10) >= 22;

/** How to load `./cli-main.js` and the other parts in `home`; missing code is kept when the run ends. Never throws. */
exports.loaderOf = (home) => {
  const plainly = (id) => require(`${home}/${id}`);
  if (process.env.NODE_DISABLE_COMPILE_CACHE) return plainly;
  const folder = `${home}/code.cache`;
  const owner = ownerOf(folder, home);
  if (owner === null) return plainly;
  // Node 22 has it since 22.8.
  const enable = MAY_HAVE_COMPILE_CACHE ? require('node:module').enableCompileCache : undefined;
  if (enable === undefined) return loadFrom(home, folder, owner === 'us') ?? plainly;
  if (owner !== 'us') return plainly; // Node keeps code for each user apart
  const umask = process.umask(0o077);
  enable(folder);
  process.umask(umask);
  return plainly;
};

/**
 * Kept code is run, so nobody else may have been able to write it: only we or root; null otherwise. We make the folder only
 * where the program is ours as well; what root left in a user's directory could not be removed by its owner.
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
    return null; // read-only, or or two processes started at once
  }
};
