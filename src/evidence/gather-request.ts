/** What a gathering of evidence is asked for. */
import type { Gap, LockFile, ScanMode } from '../core/types/evidence.ts';
import type { LockTable } from './locks/lock-table.ts';
import type { TownLayout } from './town/layout.ts';
import type { TownPlaceFinder } from './town/place.ts';
import type { TownRoot } from './town/root.ts';

export type Stage = 'locks' | 'processes' | 'tmux' | 'git';

/** A layout together with the names by which its places are known. */
export interface KnownLayout extends TownLayout {
  readonly placeInTown: TownPlaceFinder;
}

export interface GatherRequest {
  readonly town: TownRoot;
  /** What is looked for; default: agents' own locks alone. */
  readonly table?: LockTable | undefined;
  readonly scan: ScanMode;
  /** Relative to the town. For `scan: 'worker'` nothing else is looked at; other scans look at them by name besides. */
  readonly workers: readonly string[];
  /**
   * The places that the workers are parts of, relative to the town, where it matters: before a start. `scan: 'worker'` reads their
   * locks as well.
   */
  readonly around?: readonly string[] | undefined;
  /** Absolute paths besides these by which the workers were named: of symlinks that lead to them. */
  readonly named?: readonly string[] | undefined;
  /** For `scan: 'worker'`: known locks of these workers, found again by their paths, wherever their kinds keep them. */
  readonly locks?: readonly LockFile[] | undefined;
  /** For `scan: 'worker'`: gaps of an earlier walk. They stand until the next one, for known places alone prove nothing about the rest. */
  readonly walkGaps?: readonly Gap[] | undefined;
  /**
   * For `scan: 'worker'`: look for new locks also in git directories, but not among refs. `all`: in those of the root and of these
   * workers, with all of their worktrees; `own`: in those of these workers themselves, as far as they can be told apart.
   */
  readonly inGitDirs?: 'all' | 'own' | undefined;
  /** The layout as an earlier look of the same run saw it; default: read where it is needed. */
  readonly layout?: KnownLayout | undefined;
  /** tmux sockets by name or path; empty: all of the user's. */
  readonly sockets: readonly string[];
  /** Milliseconds for each question to tmux and to git. */
  readonly timeoutMs: number;
  /** Agent commands to know besides the built-in ones. */
  readonly agents: readonly string[];
  /** Commands to be treated as bystanders besides the built-in ones. */
  readonly bystanders: readonly string[];
  /** Host names that are gone for good, or were this machine's. */
  readonly formerHosts?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gaps that are known already. */
  readonly gaps?: readonly Gap[] | undefined;
  /** Locks of an earlier look: only files that changed since are read again. */
  readonly before?: readonly LockFile[] | undefined;
  /** Called now and then while the town is scanned, and at the end, with what was met so far. */
  readonly onProgress?: ((directories: number, locks: number) => void) | undefined;
  readonly onStage?: ((stage: Stage) => void) | undefined;
}
