/** Ages, durations and counts in words. */

/** An age in a fitting unit: `45 s`, `12 min`, `8 h`, `3 d`. Negative ages are in the future. */
export const describeAge = (seconds: number): string => {
  const size = Math.abs(seconds);
  const text =
    size < 100
      ? `${Math.round(size)} s`
      : size < 6000
        ? `${Math.round(size / 60)} min`
        : size < 172_800
          ? `${Math.round(size / 3600)} h`
          : `${Math.round(size / 86_400)} d`;
  return seconds < 0 ? `${text} in the future` : text;
};

/** `143 ms`, `1.2 s` */
export const formatDuration = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

/** `1 lock`, `2 locks`; `plural` for words that do not just take an s. */
export const count = (number: number, noun: string, plural = `${noun}s`): string =>
  `${number} ${number === 1 ? noun : plural}`;
