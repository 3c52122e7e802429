/** Small phrases that several reporters share. */

/** `1 lock`, `2 locks`; `plural` for words that do not just take an s. */
export const count = (number: number, noun: string, plural = `${noun}s`): string =>
  `${number} ${number === 1 ? noun : plural}`;

/** `143 ms`, `1.2 s` */
export const formatDuration = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

/** A worker as people call it: one that is the root itself has the name of its directory. */
export const nameOf = (worker: string, root: string | undefined): string =>
  worker === '.' && root !== undefined && root !== '/' ? root.slice(root.lastIndexOf('/') + 1) : worker;
