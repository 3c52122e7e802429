/** What a kind of lock says of itself: data, and one pure function that reads its bytes. The twin of a check. */
import type { KindRules, LockContent, LockFile } from './evidence.ts';

/** In a home of locks: a directory that lies directly in the place that a lock speaks for. */
export interface WhereHome {
  /**
   * Names of such directories, and what each says about the age of the layout. Each begins with a dot: a walk looks no
   * other name up.
   */
  readonly homes: Readonly<Record<string, LockFile['layout']>>;
  /** File name of the lock; everything else in a home whose name begins so belongs to it. */
  readonly name: string;
  /** File name of the second record that keeps the true holder; left out where there is none. */
  readonly companion?: string;
}

/**
 * In a directory that a tool keeps beside the files of a tree: the name of that directory (`.claude`), the end of its path
 * (`.dolt/noms`), or with `/*` each directory in it (`session-state/*`); and the names of the locks in it, each with at most
 * one `*`. Such locks speak for the directory that contains the whole path.
 */
export interface WhereBeside {
  readonly beside: Readonly<Record<string, readonly string[]>>;
  /** Names of directories that are locks themselves, wherever they lie. They speak for the directory that contains them. */
  readonly directories?: readonly string[];
}

/**
 * In git directories, each path relative to one: `index.lock`, `objects/maintenance.lock`, or with `**` for any depth
 * `refs`, two stars, `*.lock`; a file name has at most one `*`. They speak for the working tree.
 */
export interface WhereInGitDir {
  readonly inGitDir: {
    /** In main ones: of clones, of submodules, and bare repositories. */
    readonly main?: readonly string[];
    /** In those of linked working trees, `worktrees/<name>`. */
    readonly linked?: readonly string[];
  };
}

/**
 * At paths relative to the root that the configuration names, with `*` within a name and `**` for any depth. Such kinds
 * look for nothing until they are configured. They speak for the directory in which they lie.
 */
export interface WhereFiles {
  readonly files: readonly string[];
}

/** Where the locks of a kind lie. Data, so that one table of all kinds can be made before a walk starts. */
export type Where = WhereHome | WhereBeside | WhereInGitDir | WhereFiles;

/** How a lock is released and restored: `move-aside` renames it to a kept copy, which `doctor undo` links back. */
export type LetGo = 'move-aside';

/** What besides its bytes may say who holds a lock. */
export interface LockFileName {
  /** Without its directory. */
  readonly name: string;
  /** What the configuration says of this kind; empty where it says nothing. */
  readonly options: Readonly<Record<string, string>>;
}

interface KindText {
  /** Prefix of the ids of its locks, and the name of its page. */
  readonly id: string;
  readonly title: string;
  /** One sentence. */
  readonly summary: string;
  /** What `doctor explain` prints of a plug-in's kind, in Markdown; default: title and summary. Built-in kinds have a file. */
  readonly page?: string;
  /** What the bytes of a regular file say. Pure, and never throws. Null where its locks are directories: files of that name are not locks. */
  readonly read: ((bytes: Uint8Array, file: LockFileName) => LockContent) | null;
  /** Files larger than a record are locks as well: `read` is given their first 64 KiB. Left out where a larger file is not a lock. */
  readonly isOfAnySize?: true;
  /** What a directory of that name says; left out where its locks are files: directories of that name are not locks. */
  readonly readDirectory?: (file: LockFileName) => LockContent;
  /**
   * The directory that its tool has in a user's home. Its locks are looked for in and below such a directory only, and where
   * the configuration names the kind. Left out where they may lie in any tree.
   */
  readonly livesIn?: string;
  /** Null for a kind that is never released, whatever is asked for. */
  readonly letGo: LetGo | null;
}

/** `claims: 'worker'`: judged by the decision table of ARCHITECTURE.md, and every witness is asked. Other kinds list their witnesses. */
export type Kind = KindText &
  ({ readonly claims: 'worker'; readonly where: WhereHome } | (KindRules & { readonly where: Where }));
