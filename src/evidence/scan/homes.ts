/** What a walk looks for: all names come from here. Plain data, so that it can be handed to the helper thread. */
import { withoutSuffix } from '../../core/record/lock-names.ts';
import { fitsSome, type NamePattern, type NameTable } from '../../core/record/name-pattern.ts';

/** A directory in which locks are kept. */
export interface Home {
  /** Beginnings of the names of locks and of the files beside them. */
  readonly prefixes: readonly string[];
  /** Names of locks that share their home with other files; our files beside one have its name and a suffix. */
  readonly names: readonly NamePattern[];
  /** Its name is that of an older layout. */
  readonly isOld: boolean;
  /** Locks that claim a worker lie there. Where it is not a directory but a symlink, a lock may lie behind it unseen. */
  readonly isClaimed: boolean;
  /** The rule for each directory in it, which is a home too; null where they are not homes. */
  readonly below: Home | null;
  /** The directory itself is a lock: nothing is looked for in it. */
  readonly isLock: boolean;
}

/** The homes of all kinds by their names. */
export type Homes = ReadonlyMap<string, Home>;

/** True for a lock in this home, and for files beside one whose names derive from its own. */
export const isNamedLikeLock = ({ prefixes, names }: Home, name: string): boolean => {
  for (const prefix of prefixes) if (name.startsWith(prefix)) return true;
  return names.length > 0 && fitsSome(names, withoutSuffix(name));
};

/** What is looked for in a git directory. */
export interface GitNames {
  /** Names that lie in the git directory itself. */
  readonly names: NameTable;
  /** Exact paths of files further down, by their first name; these are looked at without listing a directory. */
  readonly paths: ReadonlyMap<string, readonly string[]>;
  /** Directories to be listed, where `isDeep` with everything below them. */
  readonly directories: readonly {
    readonly path: string;
    /** The first name of the path. */
    readonly first: string;
    readonly names: NameTable;
    readonly isDeep: boolean;
  }[];
}

/** What is looked for in main git directories, and in those of linked working trees. */
export interface InGitDirs {
  readonly main: GitNames;
  readonly linked: GitNames;
}

/** Locks at places that the configuration names: possible names of files, in any directory. */
export interface NamedFiles {
  readonly names: readonly NamePattern[];
}
