// What `module.enableCompileCache` does in newer releases of Node, for the files of the program under Node 20.
const {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require('node:fs');
const { dirname } = require('node:path');
const { Script } = require('node:vm');

/** Says `import()`, which code that V8 kept cannot (it forgets who imports). See `src/io/import-module.ts`. */
const IMPORTS = './io-import-module.js';

/** What makes a module of CommonJS a function. */
const HEAD = Buffer.from('(function(exports,require,module,__filename,__dirname){');
const TAIL = Buffer.from('\n})');

/** Older code is kept again together with code compiled since, because the first start used only a part of the program. */
const KEEP_MS = 24 * 60 * 60 * 1000;

/**
 * A `require` for the parts of the program in `home` that takes compiled code from `folder`, and keeps it there where it may.
 * Null where this Node cannot be told from others.
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
    const { cachedData, isOld } = read(cache);
    // The parts are in ASCII, which needs no decoding. One long string made at once: V8 would copy the sum of strings.
    const text = Buffer.concat([HEAD, readFileSync(filename), TAIL]).latin1Slice();
    // V8 refuses code that it kept under other flags.
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

/** Node's modules, which our modules ask for some sixty times. */
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
 * V8 takes code that other builds of its own version made, and crashes on it: they are told apart by Node's version, and by
 * its size where a distribution or another C library made it. Of the program it compares no more than the length.
 */
const nameOfThisNode = () => {
  try {
    const { size } = statSync(process.execPath);
    return `${BUILD}-${process.version}-${process.platform}-${process.arch}-${size}`;
  } catch {
    return null; // removed while we start, or closed to us
  }
};

const read = (path) => {
  let descriptor;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return NOTHING; // the first start, or taken away
  }
  try {
    const isOld = Date.now() - fstatSync(descriptor).mtimeMs > KEEP_MS;
    return { cachedData: readFileSync(descriptor), isOld };
  } catch {
    return NOTHING;
  } finally {
    closeSync(descriptor);
  }
};

const NOTHING = { cachedData: undefined, isOld: false };

/**
 * V8 keeps with a function that it was compiled to machine code (by Sparkplug), and later starts compile that function at once,
 * though few run long enough to gain from it. So a run that keeps its code does without. Flags of the user's stay as they are.
 */
const compileToMachineCode = (may) => {
  if (process.execArgv.length > 0 || process.env.NODE_OPTIONS) return;
  require('node:v8').setFlagsFromString(may ? '--sparkplug' : '--no-sparkplug');
};

/** When the run ends, or where it says so beforehand by the name that newer releases have for it. */
const keepAtTheEnd = (scripts) => {
  const flush = () => {
    if (scripts.size > 0) compileToMachineCode(true);
    for (const [path, script] of scripts) write(path, script);
    scripts.clear();
  };
  // Not by `module.constructor`: in the bundle that is Object, which everybody would see and some flags freeze.
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
