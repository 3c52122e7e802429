// The start of `doctor`: loads the program beside it, on Node 20 with code that V8 compiled in an earlier start, which saves 10 to
// 20 ms (Node 22 has a cache of its own). Every start works without it. Nothing caches the code of this file, and V8 compiles each
// function apart, so it is one piece with two functions, and what few starts need is in keep-code.cjs: this saves 0.4 ms.
// Node's modules are taken from `getBuiltinModule`, because `require` makes an ES module of each: another 0.1 ms.
const builtin = process.getBuiltinModule;
const { closeSync, fstatSync, lstatSync, openSync, readSync, realpathSync, statSync } = builtin('node:fs');

// Under --preserve-symlinks-main `__dirname` is the directory of the symlink that was started.
const file = realpathSync.native(__filename);
const home = file.slice(0, file.lastIndexOf('/'));
const folder = `${home}/code.cache`;

const MAIN = './cli-main.js';

/** Contains `import()`, which does not work in cached code (V8 forgets the importer). See `src/io/import-module.ts`. */
const IMPORTS = './io-import-module.js';

/** What is needed only where code is to be cached. */
const KEEPER = `${home}/keep-code.js`;

/** Node 20 has no compile cache of its own, and loading `node:module` to check costs a quarter of a millisecond. */
const MAY_HAVE_COMPILE_CACHE = Number.parseInt(process.versions.node, 10) >= 22;

/** Older code is cached again together with newly compiled code, because the first start used only a part of the program. */
const KEEP_MS = 24 * 60 * 60 * 1000;

/** Wraps a CommonJS module into a function. */
const HEAD = '(function(exports,require,module,__filename,__dirname){';
const TAIL = '\n})';

/** Where the code for this Node is; null where none may be used. */
let kept = null;

/** It belongs to us, and we may write it. */
let isOurs = false;

// Cached code is executed, so only we or root may have been able to write it.
try {
  if (!process.env.NODE_DISABLE_COMPILE_CACHE) {
    const us = process.geteuid();
    const found = lstatSync(folder, { throwIfNoEntry: false });
    isOurs = found === undefined ? require(KEEPER).makeFolder(folder, home, us) : found.uid === us;
    const isSafe = found === undefined || (found.isDirectory() && (found.mode & 0o022) === 0);
    // Available since Node 22.8.
    const enable = MAY_HAVE_COMPILE_CACHE ? require('node:module').enableCompileCache : undefined;
    if (!isSafe) isOurs = false;
    else if (enable === undefined) {
      // V8 accepts cached code from another build of the same version, and crashes on it. So builds are distinguished by Node's
      // version, and by the size of its executable, which differs between distributions and C libraries. V8 compares only the
      // length of the source.
      if (isOurs || found?.uid === 0)
        kept = `${folder}/${BUILD}-${process.version}-${process.platform}-${process.arch}-${statSync(process.execPath).size}`;
    } else if (isOurs) {
      // Node caches code for each user separately.
      const umask = process.umask(0o077);
      enable(folder);
      process.umask(umask);
    }
  }
} catch {
  kept = null; // read-only, or two processes started at once, or this Node's executable was removed or is closed to us
}

/**
 * All files are read into the same memory: each new page of 4 KiB takes the kernel 2 microseconds, and the program with its code
 * fills 200. Pages that are not used cost nothing.
 */
let memory = kept === null ? null : Buffer.allocUnsafeSlow(1024 * 1024);

/** Reads a whole file into the memory, from the offset `at`, and leaves as much room after it. Throws if it cannot be read. */
const read = (path, at) => {
  const descriptor = openSync(path, 'r');
  try {
    const { size, mtimeMs } = fstatSync(descriptor);
    if (memory.length < size + 2 * at) memory = Buffer.allocUnsafeSlow(size + 2 * at);
    let end = at;
    for (let count = -1; count !== 0 && end < at + size; end += count)
      count = readSync(descriptor, memory, end, at + size - end, null);
    return { end, mtimeMs };
  } finally {
    closeSync(descriptor);
  }
};

const modules = new Map();

/** Keeps code when the run ends; null until there is some to keep. */
let keeper = null;

/** The `require` of the program's parts: loads another part, or one of Node's modules, which they require some sixty times. */
const load = (id) => {
  const known = modules.get(id);
  if (known !== undefined) return known.exports;
  const module = { exports: {} };
  modules.set(id, module);
  if (!id.startsWith('./')) module.exports = builtin(id) ?? require(id);
  else if (id === IMPORTS) module.exports = require(`${home}/${id}`);
  else {
    const filename = home + id.slice(1);
    const cache = `${kept + id.slice(1)}.cache`;
    // The text first: reading the next file overwrites the memory. The parts are ASCII and need no decoding.
    const { end } = read(filename, HEAD.length);
    memory.latin1Write(HEAD, 0);
    memory.latin1Write(TAIL, end);
    // Built as one long string, because V8 would copy a concatenation.
    const text = memory.latin1Slice(0, end + TAIL.length);
    let cachedData;
    let isOld = false;
    try {
      const code = read(cache, 0);
      // V8 no longer needs these bytes once it has made the script.
      cachedData = memory.subarray(0, code.end);
      isOld = Date.now() - code.mtimeMs > KEEP_MS;
    } catch {
      // The first start, or removed.
    }
    // V8 rejects code that it cached under other flags.
    keeper?.beforeCompiling();
    const script = new (builtin('node:vm').Script)(text, { filename, cachedData });
    if (isOurs && (isOld || cachedData === undefined || script.cachedDataRejected)) {
      keeper ??= require(KEEPER);
      keeper.keepAtTheEnd(cache, script);
    }
    keeper?.afterCompiling();
    script.runInThisContext().call(module.exports, module.exports, load, module, filename, home);
  }
  return module.exports;
};

if (kept === null) require(`${home}/${MAIN}`);
else load(MAIN);
