/** The names of a lock and of everything that stands beside it. One place, because a name decides what may be removed. */
import type { Leftover } from '../types/evidence.ts';

/** File name of every lock. */
export const LOCK_NAME = 'agent.lock';

/** Name of the second record beside a lock, which keeps the true holder. */
export const COMPANION_NAME = 'agent.lock.holder';

/** Where an agent's runtime state is kept, and its lock. */
export const AGENT_HOME = '.runtime';

/** Where it was kept before December 2025. */
export const OLD_HOME = '.gastown';

/** Directories that hold locks, and what each says about the age of the layout. */
export const LOCK_HOMES = { [AGENT_HOME]: 'runtime', [OLD_HOME]: 'legacy' } as const;

/** True for the path of an agent's lock; a lock of another kind may have the same name elsewhere, as that of a branch `agent`. */
export const isAgentLock = (path: string): boolean =>
  Object.keys(LOCK_HOMES).some((home) => path.endsWith(`/${home}/${LOCK_NAME}`));

/** A later `--fix` clears copies after a week: long enough for anybody to notice that a release was wrong. */
export const KEEP_RELEASED_MS = 7 * 24 * 3600 * 1000;

/** A writer that stages a file renames it within moments: after a minute it has died. */
const ABANDONED_MS = 60_000;

/**
 * Matches only names that this program makes itself: a file whose name merely looks alike is somebody else's. Where git reads
 * every file as a ref, our names have a second `.lock` at their end, because git skips such names.
 */
const OURS = /^(.+)\.[0-9a-f]{16}\.(new|old)(?:\.lock)?$/s;
const RELEASED =
  /^(.+)\.released-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-[0-9a-f]{6}(?:-\d+)?(?:\.lock)?$/s;

/** A directory of refs or of their logs, in a `.git` or a bare repository; the path may begin at either. */
const IN_REFS = /(?:^|\/)(?:refs\/(?!.*\.git\/).*|logs\/[^/]*)\.lock$/s;

/** The extra ending of the files that we make beside the lock at this path: `.lock` among refs and their logs, otherwise empty. */
export const endOfNames = (lock: string): '' | '.lock' => (IN_REFS.test(lock) ? '.lock' : '');

/** git's own note of who holds the lock beside it. It is not a lock itself, although its name ends in `.lock`. */
const PID_FILE = '~pid.lock';

export const isPidFile = (name: string): boolean => name.endsWith(PID_FILE);

/** The path of git's note about the lock at this path. */
export const pidFileOf = (lock: string): string => lock.replace(/\.lock$/, PID_FILE);

/** What the name of a file that a run left beside a lock says. */
export interface LeftoverName {
  /** File name of the lock. */
  readonly lock: string;
  readonly kind: Leftover['kind'];
}

/** The one classifier: what a killed run, ours or another tool's, left under this name; null for anything else. */
export const leftoverOf = (name: string): LeftoverName | null => {
  if (name === `${LOCK_NAME}.tmp`) return { lock: LOCK_NAME, kind: 'tmp' };
  const [, lock, kind] = OURS.exec(name) ?? [];
  if (lock !== undefined) return { lock, kind: kind as 'new' | 'old' };
  const [, released] = RELEASED.exec(name) ?? [];
  return released === undefined ? null : { lock: released, kind: 'released' };
};

/** The kind of a leftover of the lock with this file name; null for a leftover of another lock, or for any other file. */
export const leftoverKind = (name: string, lock: string = LOCK_NAME): Leftover['kind'] | null => {
  const leftover = leftoverOf(name);
  return leftover?.lock === lock ? leftover.kind : null;
};

/** Path of the lock that the leftover at this path belongs to; the path itself where it is not a leftover's. */
export const lockBeside = (path: string): string => {
  const end = path.lastIndexOf('/') + 1;
  const leftover = leftoverOf(path.slice(end));
  return leftover === null ? path : path.slice(0, end) + leftover.lock;
};

/** The name of the lock where this is the name of one of our own leftovers; otherwise the name itself. */
export const withoutSuffix = (name: string): string =>
  name.endsWith('.old') || name.endsWith('.new') || name.endsWith('.old.lock') || name.includes('.released-')
    ? (leftoverOf(name)?.lock ?? name)
    : name;

/** True where no writer is still at work on this file. A time in the future counts as old, for clocks step. */
export const isAbandoned = (mtimeMs: number, nowMs: number): boolean =>
  Math.abs(nowMs - mtimeMs) > ABANDONED_MS;

/**
 * When a kept copy was made, in milliseconds since the epoch, out of its file's name: its mtime is the lock's, which may
 * be months older than the release. Null for other names.
 */
const releasedAtMs = (name: string): number | null => {
  const match = RELEASED.exec(name);
  if (match === null) return null;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(2).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
};

/** True for the path of a kept copy that was made more than `keepMs` ago. */
export const isExpiredCopy = (path: string, nowMs: number, keepMs = KEEP_RELEASED_MS): boolean => {
  const atMs = releasedAtMs(path.slice(path.lastIndexOf('/') + 1));
  return atMs !== null && nowMs - atMs > keepMs;
};
