/** Kept copies of released locks: when they were made, and when they have been kept long enough. */

/** A later `--fix` clears copies after a week: long enough for anybody to notice that a release was wrong. */
export const KEEP_RELEASED_MS = 7 * 24 * 3600 * 1000;

/** Only names that this program makes itself. */
const RELEASED = /^agent\.lock\.released-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-[0-9a-f]{6}(?:-\d+)?$/;

/**
 * When a kept copy was made, in milliseconds since the epoch, out of its file's name: its mtime is the lock's, which may
 * be months older than the release. Null for other names.
 */
export const releasedAtMs = (name: string): number | null => {
  const match = RELEASED.exec(name);
  if (match === null) return null;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
};

/** True for the path of a kept copy that has been kept for longer than that. */
export const isExpiredCopy = (path: string, nowMs: number, keepMs = KEEP_RELEASED_MS): boolean => {
  const atMs = releasedAtMs(path.slice(path.lastIndexOf('/') + 1));
  return atMs !== null && nowMs - atMs > keepMs;
};
