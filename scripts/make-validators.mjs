// Compiles the schemas with which the program validates its input into src/schema/compiled/, one module each, so that the program
// contains no schema library. Does nothing if they are newer than their sources.
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';

const NAMES = ['config', 'copilot-session', 'journal', 'session-record', 'snapshot'];
const path = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));
const schemaOf = (name) => path(`schema/${name}.schema.json`);
const moduleOf = (name) => path(`src/schema/compiled/${name}.ts`);
const time = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** `session-record` is `sessionRecord` in code. */
const exportName = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

const HEAD = `// Made by scripts/make-validators.mjs.
// @ts-nocheck
`;

/** Writes the modules of all schemas. */
const makeValidators = () => {
  const made = Math.min(...NAMES.map((name) => time(moduleOf(name))));
  if (
    made > Math.max(time(path('scripts/make-validators.mjs')), ...NAMES.map((name) => time(schemaOf(name))))
  )
    return;
  const ajv = new Ajv2020({
    code: { source: true, esm: true, lines: true },
    discriminator: true,
    allowUnionTypes: true,
    strict: true,
    strictRequired: false,
    // `additionalProperties` names the key, `required` the missing one; the first fault is enough.
    allErrors: false,
    messages: false,
    inlineRefs: false,
  });
  // Descriptions are only for readers.
  const keep = (key, value) => (key === 'description' && typeof value === 'string' ? undefined : value);
  const schemas = NAMES.map((name) => [name, JSON.parse(readFileSync(schemaOf(name), 'utf8'), keep)]);
  for (const [, schema] of schemas) ajv.addSchema(schema);
  mkdirSync(path('src/schema/compiled'), { recursive: true });
  for (const [name, { $id }] of schemas) {
    const code = standalone.default(ajv, { [exportName(name)]: $id }).replace(/^"use strict";/, '');
    if (/\brequire\(|\bimport /.test(code)) throw new Error(`the validator of ${name} needs ajv at run time`);
    // Written aside and renamed, so that no reader finds a partial file.
    const staged = `${moduleOf(name)}.${process.pid}`;
    writeFileSync(staged, HEAD + madeLate(exportName(name), code));
    renameSync(staged, moduleOf(name));
  }
};

/** Puts the code into a function that the first call of the validator runs: most runs load it with the rest, and call none. */
const madeLate = (name, code) => {
  const [line, validate] = /^export const \w+ = (\w+);/m.exec(code);
  return `let validate;
export const ${name} = (value) => {
  validate ??= make();
  const isValid = validate(value);
  ${name}.errors = validate.errors;
  return isValid;
};
const make = () => {
${code.replace(line, '')}
return ${validate};
};
`;
};

export default makeValidators;

if (process.argv[1] === fileURLToPath(import.meta.url)) makeValidators();
