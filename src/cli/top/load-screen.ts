/** Loads Ink's part of the program, which the build writes as a module beside the others. */
import { importModule } from '../../io/import-module.ts';

/** The name that `scripts/build/bundle-program.mjs` gives it. */
const FILE = './cli-top-screen.mjs';

/** Rejects where the program is not built. */
export const loadScreen = async (): Promise<typeof import('./screen.ts')> =>
  (await importModule(new URL(FILE, import.meta.url).href)) as typeof import('./screen.ts');
