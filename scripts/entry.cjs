#!/usr/bin/env node
// What `doctor` starts: runs the program beside it with the code that the build's own Node compiled for it. Where that does
// not fit (another version of Node) or is missing, V8 says so and compiles the text as always.
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');

const compiled = new Map();

/** Modules of Node by name: they are asked for some fifty times, by as many of our modules. */
const builtins = new Map();
const builtin = (name) => {
  if (!builtins.has(name)) builtins.set(name, require(name));
  return builtins.get(name);
};

/** A script cannot import by itself (plug-ins are modules); this file can. */
const importModule = (specifier) => import(specifier);

/** Loads a part of the program by its file's name. */
const load = (name) => {
  const known = compiled.get(name);
  if (known !== undefined) return known.module.exports;
  const filename = `${__dirname}/${name}`;
  let cachedData;
  try {
    cachedData = readFileSync(`${filename}.cache`);
  } catch {
    // Built without, or taken away: it is only slower.
  }
  // Each file is one function, in ASCII, which needs no decoding.
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
  const module = { exports: {} };
  const requirePart = (id) => (id.startsWith('./') ? load(id.slice(2)) : builtin(id));
  const run = () =>
    script
      .runInThisContext()
      .call(module.exports, module.exports, requirePart, module, filename, __dirname, importModule);
  compiled.set(name, { script, module, run });
  run();
  return module.exports;
};

// For the build, which lets the program run several times and writes down what was compiled meanwhile.
module.exports = { compiled, load };
load('program.js');
