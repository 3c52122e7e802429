/** What would be lost with a directory, as git tells of a repository in it or around it. */

/** What git has to be told in the repository of a submodule that is not checked out, as its settings name a tree that is not there. */
export const UNPLACED = ['--git-dir=.', '--work-tree=.'] as const;

interface CountedCommits {
  readonly commits: number;
  /** The arguments of `git log` that list them. */
  readonly walk: readonly string[];
}

export interface RepositoryWork {
  /**
   * `linked`: a linked working tree, whose branches stay in the main repository. `main`: all of a repository goes with it.
   * `part`: a directory of a working tree; nothing that is committed is lost.
   */
  readonly kind: 'linked' | 'main' | 'part';
  /** The working tree, or the bare repository; absolute. */
  readonly top: string;
  /** It is the repository of a submodule that is not checked out. */
  readonly isUnplaced: boolean;
  /** Null where no branch is checked out, and for a `part`. */
  readonly branch: string | null;
  /** Tracked files with changes that are in no commit; conflicts and changed submodules are among them. */
  readonly changed: number;
  readonly untracked: number;
  /** `.runtime/`, where agents' locks and their backups lie, is all that is untracked, at the top of the working tree. */
  readonly isRuntimeOnly: boolean;
  /** git ignores the directory itself, so it knows nothing about the files in it. */
  readonly isIgnored: boolean;
  /**
   * Commits that are on no remote-tracking branch; of a linked tree: nor on any other local branch. Remote-tracking branches do
   * not count of remotes that are not configured, or that keep nothing (`onlyOn`, each with the reason).
   */
  readonly unpushed: CountedCommits & { readonly onlyOn: readonly string[] };
  /** Commits that only other refs lead to (notes, jj's, those of the working tree). */
  readonly inOtherRefs: CountedCommits;
  /** Of the whole repository. */
  readonly stashes: number;
  /** `rebase`, `merge`: an operation that was begun and not finished; null where there is none. */
  readonly operation: string | null;
  /** Files that are there and whose changes git was told not to look at. */
  readonly hidden: number;
  /** Linked working trees that need this repository; absolute. */
  readonly linkedTrees: readonly string[];
}
