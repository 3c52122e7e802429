/** A moment in the past as people type it: how long ago, or a date. */
import { usage } from './usage.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds since the epoch; null where nothing was given. Throws `E_USAGE` if the text is not a time. */
export const momentMs = (option: string, given: string | undefined, nowMs: number): number | null => {
  if (given === undefined) return null;
  const [, number, unit = ''] = /^(\d{1,6})\s*(s|m|min|h|d|w)$/.exec(given) ?? [];
  if (number !== undefined) return nowMs - Number(number) * (UNIT_MS[unit] ?? 0);
  // A date without a time begins at this machine's midnight, and not at Greenwich's.
  const time = /^\d{4}-\d{2}-\d{2}$/.test(given) ? `${given}T00:00:00` : given;
  const parsed = /^\d{4}-\d{2}-\d{2}([T ]|$)/.test(given) ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(parsed))
    throw usage(
      `--${option} ${given}: expected an age (30m, 8h, 3d) or a date (2026-11-29, 2026-11-29T18:00)`,
    );
  return parsed;
};
