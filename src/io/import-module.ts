/**
 * `import()` of modules that are not ours. In a file of its own, because the bundle turns every other `import()` into `require`.
 * Modules that import our package by its name find it wherever this program is installed.
 */
import nodeModule from 'node:module';
import { pathToFileURL } from 'node:url';
import { tryOr } from './try-or.ts';

/** What a check or a kind may import from us. */
const OURS = ['lock-doctor', 'lock-doctor/check', 'lock-doctor/kind'] as const;

/** Loads a module by its URL. Rejects with Node's error where there is none, or with what the module throws. */
export const importModule = async (url: string): Promise<unknown> => {
  try {
    offerOurs();
  } catch {
    // Test runners refuse hooks in their process: there a module finds only what is installed beside it.
  }
  return import(url);
};

type Resolved = { readonly url: string; readonly shortCircuit?: boolean };
type Next = (specifier: string, context: unknown) => Resolved;

/** Hooks of `node:module` in the releases of Node that we support. The first is newer; the second is deprecated. */
interface Hooks {
  readonly registerHooks?: (hooks: {
    readonly resolve: (specifier: string, context: unknown, next: Next) => Resolved;
  }) => unknown;
  readonly register?: (specifier: string, options: { readonly data: object }) => unknown;
}

/** The same as `resolve` below, for older releases of Node, which resolve in a thread of their own. */
const RESOLVING_THREAD = `
let ours;
export const initialize = (given) => { ours = given; };
export const resolve = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!Object.hasOwn(ours, specifier)) throw error;
    return { url: ours[specifier], shortCircuit: true };
  }
};`;

let isOffered = false;

/** A module that imports our package and has none installed gets the running one. */
const offerOurs = (): void => {
  if (isOffered) return;
  isOffered = true;
  const ours = ourModules();
  const { registerHooks, register } = nodeModule as Hooks;
  if (registerHooks !== undefined)
    registerHooks({
      resolve: (specifier, context, next) => {
        try {
          return next(specifier, context);
        } catch (error) {
          const url = ours[specifier];
          if (url === undefined) throw error;
          return { url, shortCircuit: true };
        }
      },
    });
  else register?.(`data:text/javascript,${encodeURIComponent(RESOLVING_THREAD)}`, { data: ours });
};

/** URLs by name; none where the program does not run from its package. */
const ourModules = (): Readonly<Record<string, string>> => {
  // A package can import itself by its name, except from a directory with a package.json of its own, as the program's has.
  const { resolve } = nodeModule.createRequire(new URL('../src/index.js', import.meta.url));
  return Object.fromEntries(
    OURS.flatMap((name) => tryOr(() => [[name, pathToFileURL(resolve(name)).href]], [])),
  );
};
