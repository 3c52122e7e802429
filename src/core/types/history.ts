/** What the doctor did to a town's locks, as its journal tells it. */
import type { LockKind } from './evidence.ts';
import type { State } from './judgement.ts';

/**
 * How consent was given. `asked`: a person said yes to the question; `yes`: `--yes`; `command`: the command itself says it
 * (`undo`, `exec`, `preflight --fix`, and `--fix` where nobody can be asked); `library`: a program called a function.
 */
export type Consent = 'asked' | 'yes' | 'command' | 'library';

/** Who acted; what the system does not know is null. */
export interface ByWhom {
  /** Login name of the effective user. */
  readonly user: string | null;
  readonly uid: number;
  /** The user who called sudo. */
  readonly sudoUid: number | null;
  /** Name of the host on which it acted: a town may be shared. */
  readonly host: string;
  readonly pid: number;
  /** Bounded, and without what looks like a secret. */
  readonly command: readonly string[];
  readonly consent: Consent;
}

/**
 * `begun`: a release was begun, and nothing says how it ended: that run was killed. `released` and `not-released`: how it
 * ended. `restored` and `not-restored`: it was undone, or could not be. `tidied`: files of a killed run were cleaned up.
 * `taken-over`: `exec` took a stale lock over. `lease-revoked`: the lease of a dead holder was revoked by force.
 */
export const EVENTS = [
  'begun',
  'released',
  'not-released',
  'restored',
  'not-restored',
  'tidied',
  'taken-over',
  'lease-revoked',
] as const;
export type HistoryDeed = (typeof EVENTS)[number];

/** A holder, as its lock or lease names it. */
export interface NotedHolder {
  readonly pid: number;
  readonly sessionId: string;
  readonly hostname: string;
}

/** What can become of a lock that `undo` is to restore. */
export const UNDO_STATUSES = [
  'restored',
  'already',
  'removed',
  'newer-lock',
  'missing',
  'busy',
  'no-guard',
  'failed',
] as const;

export interface HistoryEvent {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly deed: HistoryDeed;
  /** Of the release; null for `tidied`, `taken-over` and `lease-revoked`. */
  readonly id: string | null;
  readonly worker: string;
  /** Path of the kept copy of a release, relative to the town; null for everything else. */
  readonly backup: string | null;
  /** What the lock was that was released or taken over; null for `tidied` and `lease-revoked`. */
  readonly lock: {
    readonly kind: LockKind;
    readonly state: State;
    readonly forced: boolean;
    readonly holder: NotedHolder | null;
  } | null;
  /** Who did it; null where an older version wrote it. */
  readonly by: ByWhom | null;
  /** A sentence fragment; null where there is nothing to add. */
  readonly reason: string | null;
}

export interface History {
  /** The oldest first. */
  readonly events: readonly HistoryEvent[];
  /** What could not be read of it: a sentence fragment; null where everything was. */
  readonly missing: string | null;
}

/** A release that can be restored from another root. */
export interface ReleasedElsewhere {
  /** The root whose journal has it, absolute. */
  readonly root: string;
  readonly id: string;
  /** The id of its run, where all is here that can still be restored of it: one undo restores that; null for every other. */
  readonly run: string | null;
  /** Absolute path of the worker. */
  readonly directory: string;
}
