// Caches code that V8 compiled, in a folder beside the program: never in the published package, because another Node must not run
// it. Does for the parts of the program under Node 20 what `module.enableCompileCache` does in newer releases.
const { mkdirSync, renameSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { dirname } = require('node:path');

/** Creates the folder if the program belongs to us as well: a user could not remove root's files from their directory. */
exports.makeFolder = (folder, home, us) => {
  if (statSync(home).uid !== us) return false;
  mkdirSync(folder, { mode: 0o755 });
  return true;
};

/** Scripts by the paths of their caches. */
const scripts = new Map();

/**
 * V8 remembers with a function that it was compiled to machine code (by Sparkplug), and later starts then compile it at once,
 * although few run long enough to benefit. So a run that caches its code disables this. The user's own flags stay unchanged.
 */
const compileToMachineCode = (may) => {
  if (scripts.size === 0 || process.execArgv.length > 0 || process.env.NODE_OPTIONS) return;
  require('node:v8').setFlagsFromString(may ? '--sparkplug' : '--no-sparkplug');
};

/** To be called around compiling one more script, because V8 rejects code that it cached under other flags. */
exports.beforeCompiling = () => compileToMachineCode(true);
exports.afterCompiling = () => compileToMachineCode(false);

/** Caches a script when the run ends, or earlier through the function that newer releases call `flushCompileCache`. */
exports.keepAtTheEnd = (path, script) => {
  if (scripts.size === 0) {
    // Not on `module.constructor`: in the bundle that is Object, which is shared by all code and frozen by some flags.
    require('node:module').flushCompileCache = flush;
    process.on('exit', flush);
  }
  scripts.set(path, script);
};

const flush = () => {
  compileToMachineCode(true);
  for (const [path, script] of scripts) write(path, script);
  scripts.clear();
};

/** Writes the whole file or nothing; two processes that start at once write the same. */
const write = (path, script) => {
  const draft = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    writeFileSync(draft, script.createCachedData(), { flag: 'wx', mode: 0o644, flush: true });
    renameSync(draft, path);
  } catch {
    removeQuietly(draft);
  }
};

const removeQuietly = (path) => {
  try {
    rmSync(path, { force: true });
  } catch {
    // The reason that prevented writing prevents this as well.
  }
};
