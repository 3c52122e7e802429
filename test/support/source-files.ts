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

/** Reads all modules below a directory of the project, sorted by path. */
export const readSources = (directory: string): readonly SourceFile[] =>
  readdirSync(join(PROJECT, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|mjs)$/.test(name))
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

/** A name in braces, and what is imported from where: `{ look as l } from './look.ts'`, `{ look } = await import('./look.ts')`. */
const BRACES =
  /\b(?:import|export)\s*\{([^{}]*)\}\s*from\s*['"]([^'"]+)['"]|\{([^{}]*)\}\s*=\s*await\s+import\(\s*['"]([^'"]+)['"]/g;
/** All of a module, or one name of it: `* as l from './look.ts'`, `(await import('./look.ts')).look`. */
const WHOLE =
  /\b(?:import|export)\s*\*[^'";]*from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*,?\s*\)(?:\s*\)\s*\.\s*(\w+))?/g;

/** True where a source imports this value of a module, or all of that module; passing it on counts. */
export const importsName = (
  { path, text }: Pick<SourceFile, 'path' | 'text'>,
  name: string,
  from: string,
): boolean =>
  [...text.matchAll(BRACES)].some(
    ([, names = '', specifier = '', late = '', module = '']) =>
      importedFile(path, specifier + module) === from &&
      `${names}${late}`.split(',').some((one) => one.trim().split(/\s+as\s+|\s*:\s*/)[0] === name),
  ) ||
  [...text.replaceAll(BRACES, '').matchAll(WHOLE)].some(
    ([, all = '', late = '', member = name]) => importedFile(path, all + late) === from && member === name,
  );

/** The project file to which a relative specifier refers; null for packages and Node's modules. */
export const importedFile = (from: string, specifier: string): string | null =>
  specifier.startsWith('.') ? relative('.', join(dirname(from), specifier)) : null;
