/** A cheap look at ignore patterns that can only ever say "ignored" or "ask git" (gitignore(5)). */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { errnoOf } from '../../io/errno.ts';
import { statSync } from '../../io/file-systems/servers.ts';

/** Longer lists of patterns are left to git. */
const MAX_PATTERN_BYTES = 256 * 1024;

/**
 * Reads the top `.gitignore` and `info/exclude` once, and tells whether they name a lock, or the directory that it lies
 * in (`.runtime`), without any wildcards or exceptions (`!`). False means: ask git.
 */
export const plainIgnoring = (top: string, gitDir: string): ((lockPath: string) => boolean) => {
  const lists = [`${top}/.gitignore`, excludeOf(gitDir)].map(patternsIn);
  const patterns = new Set(lists.flatMap((list) => list ?? []));
  const isPlain =
    lists.every((list) => list !== null) && ![...patterns].some((pattern) => pattern.startsWith('!'));
  return (lockPath) => {
    const [home = '', name = ''] = lockPath.split('/').slice(-2);
    const plain = [home, `${home}/`, `**/${home}`, `**/${home}/`, name, `**/${name}`];
    return isPlain && plain.some((pattern) => patterns.has(pattern));
  };
};

/** The file with the ignore rules of this clone alone. */
export const excludeOf = (gitDir: string): string => `${sharedDirectory(gitDir)}/info/exclude`;

/** Worktrees share `info/` with the repository that they belong to. */
const sharedDirectory = (gitDir: string): string => {
  const pointer = textOf(`${gitDir}/commondir`);
  return pointer === null || pointer === '' ? gitDir : resolve(gitDir, pointer.trim());
};

const patternsIn = (path: string): readonly string[] | null =>
  textOf(path)
    ?.split('\n')
    .map((line) => line.trimEnd()) ?? null;

/** Empty for a file that is not there; null for one that cannot be read or is too long. */
const textOf = (path: string): string | null => {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return '';
    return stats.isFile() && stats.size <= MAX_PATTERN_BYTES ? readFileSync(path, 'utf8') : null;
  } catch (error) {
    return errnoOf(error) === 'ENOTDIR' ? '' : null;
  }
};
