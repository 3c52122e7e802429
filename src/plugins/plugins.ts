/** Loads plug-ins (checks and kinds of lock) and validates them. */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failure, messageOf } from '../core/failure.ts';
import { relativeTo } from '../core/town/roles.ts';
import type { Check } from '../core/types/check.ts';
import type { Kind } from '../core/types/kind.ts';
import { fieldsOf } from '../core/unchecked.ts';
import { SilentServer } from '../io/errno.ts';
import { realpathSync, silentServerBehind, statSync } from '../io/file-systems/servers.ts';
import { distrust } from '../io/trust.ts';
import { tryOr } from '../io/try-or.ts';
import { isMeantAsKind, readKind } from './plugin-kinds.ts';

/** A plug-in as it was asked for, and the directory from which its path or package is found. */
export interface PluginRequest {
  readonly spec: string;
  readonly from: string;
  /** A file asked for it, not a person: then it must pass the trust rule. */
  readonly mustBeTrusted?: boolean;
}

/** `package/name`, the package perhaps with a scope: so third-party ids never collide with built-in ones. */
const PLUGIN_ID = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*\/[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** What plug-ins add, in the order in which they were asked for. */
export interface Loaded {
  readonly checks: readonly Check[];
  readonly kinds: readonly Kind[];
}

/**
 * Loads plug-ins in the order given; each exports one check or kind of lock, or an array of them, as its default. Throws
 * `E_CONFIG` with one sentence where a module cannot be found or loaded, exports something else, or repeats an id.
 */
export const loadPlugins = async (requests: readonly PluginRequest[]): Promise<Loaded> => {
  const checks: Check[] = [];
  const kinds: Kind[] = [];
  for (const request of requests) {
    for (const one of await loadPlugin(request)) {
      const [word, list]: [string, (Check | Kind)[]] = 'run' in one ? ['check', checks] : ['kind', kinds];
      if (list.some(({ id }) => id === one.id))
        throw refuse(request, `the ${word} id "${one.id}" is taken already`);
      list.push(one);
    }
  }
  return { checks, kinds };
};

const loadPlugin = async (request: PluginRequest): Promise<readonly (Check | Kind)[]> => {
  const located = locate(request);
  const path = request.mustBeTrusted === true ? trusted(request, located) : located;
  let module: { readonly default?: unknown };
  try {
    const { importModule } = await import('../io/import-module.ts');
    module = (await importModule(pathToFileURL(path).href)) as { readonly default?: unknown };
  } catch (cause) {
    throw refuse(request, `it cannot be loaded: ${messageOf(cause)}`, cause);
  }
  const exported: unknown = module.default;
  if (exported === undefined) throw refuse(request, 'it has no default export');
  const list: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  return list.map((candidate, index) => validate(candidate, request, list.length > 1 ? index : null));
};

/**
 * The file itself with symlinks resolved. Their owners, and the owner of any directory on the way to it, could replace it before
 * it is loaded, so all of these have to pass the trust rule.
 */
const trusted = (request: PluginRequest, path: string): string => {
  const real = realpathSync.native(path);
  const inside = relativeTo(request.from, real);
  const onTheWay =
    inside === null ? [] : inside.split('/').map((_, at, names) => names.slice(0, at).join('/'));
  const fault = distrust([...onTheWay.map((name) => join(request.from, name)), dirname(real), real]);
  if (fault !== null) throw refuse(request, `it is not loaded: ${fault}`);
  return real;
};

const validate = (candidate: unknown, request: PluginRequest, index: number | null): Check | Kind => {
  const which = index === null ? 'its default export' : `entry ${index} of its default export`;
  if (typeof candidate !== 'object' || candidate === null)
    throw refuse(request, `${which} is not a check, nor a kind of lock`);
  const { id, title, summary, reportsDoubt, run } = candidate as Record<string, unknown>;
  if (typeof id !== 'string' || !PLUGIN_ID.test(id))
    throw refuse(
      request,
      `${which} requires an id of the form "package/name", and has ${JSON.stringify(id) ?? 'none'}`,
    );
  if (isMeantAsKind(candidate as Record<string, unknown>)) {
    const kind = readKind(candidate as Record<string, unknown>);
    if (typeof kind === 'string') throw refuse(request, `kind "${id}" ${kind}`);
    return kind;
  }
  if (typeof title !== 'string' || title.trim() === '')
    throw refuse(request, `check "${id}" requires a title`);
  if (typeof run !== 'function') throw refuse(request, `check "${id}" requires a function "run"`);
  if (summary !== undefined && typeof summary !== 'string')
    throw refuse(request, `the summary of check "${id}" must be text`);
  if (reportsDoubt !== undefined && typeof reportsDoubt !== 'boolean')
    throw refuse(request, `"reportsDoubt" of check "${id}" must be true or false`);
  return {
    id,
    title,
    summary: summary ?? title,
    ...(reportsDoubt === undefined ? {} : { reportsDoubt }),
    run: run as Check['run'],
  };
};

/** Finds the module's file: an absolute path, `./` and `../` relative to `from`, a file that is there, or a package. */
const locate = (request: PluginRequest): string => {
  const { spec, from } = request;
  const path = resolve(from, spec);
  const silent = silentServerBehind(path);
  if (silent !== null) throw refuse(request, new SilentServer(silent).message);
  if (isAbsolute(spec) || /^\.{1,2}(\/|$)/.test(spec)) {
    if (isFile(path)) return path;
    const entry = packageEntry(path);
    if (entry !== null) return entry;
    throw refuse(request, `no readable file or package at ${path}`);
  }
  if (isFile(path)) return path;
  // Loaded here, because few runs name a package. Not `require.resolve`: it knows only CommonJS conditions, which most check
  // packages lack.
  const { createRequire } = process.getBuiltinModule('node:module');
  const folders = createRequire(join(from, 'package.json')).resolve.paths(spec) ?? [];
  for (const folder of folders) {
    const entry = packageEntry(join(folder, spec));
    if (entry !== null) return entry;
  }
  throw refuse(request, `no such file or package under ${from}`);
};

/** The file that importing a package directory would load, or null where it is not a package. */
const packageEntry = (directory: string): string | null => {
  const manifest = fieldsOf(
    tryOr(() => JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')), null),
  );
  const candidates = [rootExport(manifest.exports), manifest.main, 'index.js', 'index.mjs'];
  const found = candidates.find(
    (candidate): candidate is string => typeof candidate === 'string' && isFile(join(directory, candidate)),
  );
  return found === undefined ? null : join(directory, found);
};

/** The target of `"."` for an ES module import. */
const rootExport = (exported: unknown): string | null => {
  if (typeof exported === 'string') return exported;
  if (Array.isArray(exported)) return exported.map(rootExport).find((target) => target !== null) ?? null;
  if (typeof exported !== 'object' || exported === null) return null;
  for (const [condition, target] of Object.entries(exported))
    if (['.', 'import', 'node', 'module-sync', 'default'].includes(condition)) {
      const found = rootExport(target);
      if (found !== null) return found;
    }
  return null;
};

const isFile = (path: string): boolean =>
  // Missing or not readable: nothing can be loaded from there, and the caller says where it looked.
  tryOr(() => statSync(path).isFile(), false);

const refuse = ({ spec }: PluginRequest, problem: string, cause?: unknown): Failure =>
  new Failure('E_CONFIG', `plug-in ${spec}: ${problem}`, null, { cause });
