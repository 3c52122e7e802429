/**
 * `import()` of modules that are not ours. Apart, because the bundle turns every other `import()` into `require`. What they
 * import of ours by its package's name is found wherever this program is installed.
 */
import nodeModule from 'node:module';
import { pathToFileURL } from 'node:url';

/** What a check or a kind imports of ours. */
const OURS = ['lock-doctor', 'lock-doctor/check', 'lock-doctor/kind'] as const;

/** Loads a module by its URL. Rejects with what Node says where there is none, or where it throws. */
export const importModule = async (url: string): Promise<unknown> => {
  try {
    offerOurs();
  } catch {
    // Test runners refuse hooks in their process: there a module finds what is installed beside it.
  }
  return import(url);
};

type Resolved = { readonly url: string; readonly shortCircuit?: boolean };
type Next = (specifier: string, context: unknown) => Resolved;

/** Of `node:module` in the releases of Node that run us; the first is newer than the second, which is on its way out. */
interface Hooks {
  readonly registerHooks?: (hooks: {
    readonly resolve: (specifier: string, context: unknown, next: Next) => Resolved;
  }) => unknown;
  readonly register?: (specifier: string, options: { readonly data: object }) => unknown;
}

/** The same as `resolve` below, for the thread in which older releases of Node resolve. */
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

/** Where a module asks for our package and has none of its own, it gets the one that runs. */
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

/** URLs by name; none where the program does not lie in its package. */
const ourModules = (): Readonly<Record<string, string>> => {
  // A package finds itself by its name from every directory that is not marked as another one, as that of the program is.
  const { resolve } = nodeModule.createRequire(new URL('../src/index.js', import.meta.url));
  return Object.fromEntries(
    OURS.flatMap((name) => {
      try {
        return [[name, pathToFileURL(resolve(name)).href]];
      } catch {
        return [];
      }
    }),
  );
};
