/** Do two directories belong to one repository, as a main working tree and its linked ones do? Reads only, runs nothing. */
import { readFileSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { repositoryFinder } from './repository.ts';

/** The directory that all working trees of a repository share; null where there is no repository, or it cannot be told. */
const sharedDirectoryOf = (directory: string): string | null => {
  const gitDir = repositoryFinder()(directory)?.gitDir ?? null;
  if (gitDir === null) return null;
  try {
    return realpathSync.native(resolve(gitDir, readFileSync(`${gitDir}/commondir`, 'utf8').trim()));
  } catch {
    // Only linked working trees have that file.
    return realpathSync.native(gitDir);
  }
};

/** True where both directories lie in working trees of one repository. */
export const shareRepository = (one: string, other: string): boolean => {
  const shared = sharedDirectoryOf(one);
  return shared !== null && shared === sharedDirectoryOf(other);
};
