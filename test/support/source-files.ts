/** The project's sources and their imports, for tests that check the architecture. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

export interface SourceFile {
  /** Relative to the project: `src/core/judge/judge.ts`. */
  readonly path: string;
  readonly text: string;
  /** Specifiers as written, including those of dynamic imports. */
  readonly imports: readonly string[];
}

/** In quotes of either kind: what the formatter would mend must not hide from a test either. */
const IMPORT =
  /(?:^|[;\s])(?:import|export)\b[^'";]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]/gm;

/** Reads all TypeScript files below a directory of the project, sorted by path. */
export const readSources = (directory: string): readonly SourceFile[] =>
  readdirSync(join(PROJECT, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => {
      const path = join(directory, name);
      const text = readFileSync(join(PROJECT, path), 'utf8');
      return {
        path,
        text,
        imports: [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? ''),
      };
    });

/** The project file to which a relative specifier refers; null for packages and Node's modules. */
export const importedFile = (from: string, specifier: string): string | null =>
  specifier.startsWith('.') ? relative('.', join(dirname(from), specifier)) : null;
