/** What a walk is told to look for: it knows no name of its own. Plain data, so that the helper thread can be given it. */

import { withoutSuffix } from '../../core/record/lock-names.ts';
import { fitsSome, type NamePattern, type NameTable } from '../../core/record/name-pattern.ts';

/** A directory in which locks are kept. */
export interface Home {
  /** What the names of locks, and of all that lies beside them, begin with. */
  readonly prefixes: readonly string[];
  /** Names of locks that share their home with other files; what lies beside one has its name and a suffix of ours. */
  readonly names: readonly NamePattern[];
  /** Its name is that of an older layout. */
  readonly isOld: boolean;
  /** Locks that claim a worker lie there: where it is not a directory of its own, a lock may lie behind it unseen. */
  readonly isClaimed: boolean;
  /** Each directory in it is a home too; null: none is. */
  readonly below: Home | null;
  /** It is itself a lock: nothing is looked for in it. */
  readonly isLock: boolean;
}

/** The homes of all kinds by their names. */
export type Homes = ReadonlyMap<string, Home>;

/** True for a lock in this home, and for everything that is kept beside one under a name derived from its own. */
export const isNamedLikeLock = ({ prefixes, names }: Home, name: string): boolean => {
  for (const prefix of prefixes) if (name.startsWith(prefix)) return true;
  return names.length > 0 && fitsSome(names, withoutSuffix(name));
};

/** What is looked for in a git directory, beside what lies in all of them. */
export interface GitNames {
  /** Names that lie in the git directory itself. */
  readonly names: NameTable;
  /** Exact paths of files further down, looked at without listing anything, by the first name of each. */
  readonly paths: ReadonlyMap<string, readonly string[]>;
  /** Directories to be listed, with all below them where `isDeep`. */
  readonly directories: readonly {
    readonly path: string;
    readonly names: NameTable;
    readonly isDeep: boolean;
  }[];
}

/** What is looked for in main git directories, and in those of linked working trees. */
export interface InGitDirs {
  readonly main: GitNames;
  readonly linked: GitNames;
}

/** Locks at places that the configuration names: what the names of files may be, in whatever directory. */
export interface NamedFiles {
  readonly names: readonly NamePattern[];
}
