/** Small phrases that several reporters share. */

/** `1 lock`, `2 locks`; `plural` for words that do not just take an s. */
export const count = (number: number, noun: string, plural = `${noun}s`): string =>
  `${number} ${number === 1 ? noun : plural}`;

const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** `28813` seconds as `8 h`; `null` as `unknown age`. Negative ages come from clocks that were set back. */
export const formatAge = (seconds: number | null): string => {
  if (seconds === null) return 'unknown age';
  if (seconds < 0) return `${formatAge(-seconds)} in the future`;
  const [size, name] = UNITS.find(([unit]) => seconds >= unit) ?? [1, 's'];
  return `${Math.floor(seconds / size)} ${name}`;
};

/** `143 ms`, `1.2 s` */
export const formatDuration = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
