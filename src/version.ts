/** The version of this program. */
import { readFileSync } from 'node:fs';

/** Put in place by the bundler; the library and the tests read it out of package.json. */
declare const LOCK_DOCTOR_VERSION: string | undefined;

const readVersion = (): string => {
  // One directory up from the sources, two from `dist/src`.
  for (const path of ['../package.json', '../../package.json'])
    try {
      const manifest = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        readonly name?: string;
        readonly version?: string;
      };
      if (manifest.name === 'lock-doctor' && manifest.version !== undefined) return manifest.version;
    } catch {
      // Not there: the other place has it.
    }
  return 'unknown';
};

/** The version of this package. */
export const VERSION: string = typeof LOCK_DOCTOR_VERSION === 'string' ? LOCK_DOCTOR_VERSION : readVersion();
