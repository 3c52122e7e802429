// Does for the files of the program under Node 20 what `module.enableCompileCache` does in newer releases.
const {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require('node:fs');
const { dirname } = require('node:path');
const { Script } = require('node:vm');

/** Contains `import()`, which does not work in cached code (V8 forgets the importer). See `src/io/import-module.ts`. */
const IMPORTS = './io-import-module.js';

/** Wraps a CommonJS module into a function. */
const HEAD = '(function(exports,require,module,__filename,__dirname){';
const TAIL = '\n})';

/** Older code is cached again together with newly compiled code, because the first start used only a part of the program. */
const KEEP_MS = 24 * 60 * 60 * 1000;

/**
 * A `require` for the parts of the program in `home` that takes compiled code from `folder`, and caches it there if it may.
 * Null if this Node cannot be distinguished from others.
 */
exports.loadFrom = (home, folder, mayKeep) => {
  const name = nameOfThisNode();
  if (name === null) return null;
  const kept = `${folder}/${name}`;
  const modules = new Map();
  const missing = new Map();
  const load = (id) => {
    if (!id.startsWith('./')) return builtin(id);
    if (id === IMPORTS) return require(`${home}/${id}`);
    const known = modules.get(id);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    modules.set(id, module);
    const filename = `${home}/${id.slice(2)}`;
    const cache = `${kept}/${id.slice(2)}.cache`;
    // The text first: reading the next file overwrites the memory.
    const text = textOf(filename);
    const { cachedData, isOld } = codeOf(cache);
    // V8 rejects code that it cached under other flags.
    if (missing.size > 0) compileToMachineCode(true);
    const script = new Script(text, { filename, cachedData });
    if (mayKeep && (isOld || cachedData === undefined || script.cachedDataRejected)) {
      if (missing.size === 0) keepAtTheEnd(missing);
      missing.set(cache, script);
    }
    if (missing.size > 0) compileToMachineCode(false);
    script.runInThisContext().call(module.exports, module.exports, load, module, filename, home);
    return module.exports;
  };
  return load;
};

/** Node's modules, which our modules require some sixty times. */
const builtins = new Map();
const builtin = (id) => {
  let module = builtins.get(id);
  if (module === undefined) {
    module = require(id);
    builtins.set(id, module);
  }
  return module;
};

/**
 * V8 accepts cached code from another build of the same version, and crashes on it. So builds are distinguished by Node's version,
 * and by the size of its executable, which differs between distributions and C libraries. V8 compares only the length of the source.
 */
const nameOfThisNode = () => {
  try {
    const { size } = statSync(process.execPath);
    return `${BUILD}-${process.version}-${process.platform}-${process.arch}-${size}`;
  } catch {
    return null; // removed while we start, or not accessible
  }
};

/**
 * All files are read into the same memory: each new page of 4 KiB takes the kernel 2 microseconds, and the program with its code
 * fills 200. Pages that are not used cost nothing.
 */
let memory = Buffer.allocUnsafeSlow(1024 * 1024);

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

/** The text of a part as a function. The parts are ASCII and need no decoding. */
const textOf = (path) => {
  const { end } = read(path, HEAD.length);
  memory.latin1Write(HEAD, 0);
  memory.latin1Write(TAIL, end);
  // Built as one long string, because V8 would copy a concatenation.
  return memory.latin1Slice(0, end + TAIL.length);
};

/** The cached code of a part. V8 no longer needs these bytes once it has made the script. */
const codeOf = (path) => {
  try {
    const { end, mtimeMs } = read(path, 0);
    return { cachedData: memory.subarray(0, end), isOld: Date.now() - mtimeMs > KEEP_MS };
  } catch {
    return { cachedData: undefined, isOld: false }; // the first start, or removed
  }
};

/**
 * V8 remembers with a function that it was compiled to machine code (by Sparkplug), and later starts then compile it at once,
 * although few run long enough to benefit. So a run that caches its code disables this. The user's own flags stay unchanged.
 */
const compileToMachineCode = (may) => {
  if (process.execArgv.length > 0 || process.env.NODE_OPTIONS) return;
  require('node:v8').setFlagsFromString(may ? '--sparkplug' : '--no-sparkplug');
};

/** Writes the cache when the run ends, or earlier through the function that newer releases call `flushCompileCache`. */
const keepAtTheEnd = (scripts) => {
  const flush = () => {
    if (scripts.size > 0) compileToMachineCode(true);
    for (const [path, script] of scripts) write(path, script);
    scripts.clear();
  };
  // Not on `module.constructor`: in the bundle that is Object, which is shared by all code and frozen by some flags.
  require('node:module').flushCompileCache = flush;
  process.on('exit', flush);
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
