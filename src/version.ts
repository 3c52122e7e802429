/** The version of this program. */
import { readFileSync } from 'node:fs';

/** Defined by the bundler; the library and the tests read package.json instead. */
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
      // Not in this place: try the other.
    }
  return 'unknown';
};

/** The version of this package. */
export const VERSION: string = typeof LOCK_DOCTOR_VERSION === 'string' ? LOCK_DOCTOR_VERSION : readVersion();
