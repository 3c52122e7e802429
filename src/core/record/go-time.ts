/** Times as Go's time package reads and writes them in JSON. */

/** Go's zero time, 1 January of the year 1, in milliseconds since the epoch. */
const ZERO_TIME_MS = -62_135_596_800_000;

export type GoTime =
  /** Milliseconds since the epoch, rounded down; null for Go's zero time. */
  { readonly ok: true; readonly ms: number | null } | { readonly ok: false; readonly why: string };

const SHAPE = /^(\d{4})-(\d{2})-(\d{2})T(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/**
 * Reads what `time.Time.UnmarshalJSON` reads (Go 1.20 and later): RFC 3339 with its leniencies, which are an hour of one
 * digit, a comma before the fraction, any number of fraction digits (those after the ninth are dropped) and an offset
 * of up to 24:60. A leap second is refused, as Go does.
 */
export const parseGoTime = (text: string): GoTime => {
  const match = SHAPE.exec(text);
  if (match === null) return { ok: false, why: `'${shorten(text)}' is not an RFC 3339 time` };
  const number = (group: number): number => Number(match[group] ?? '0');
  const [year, month, day] = [number(1), number(2), number(3)];
  const [hour, minute, second] = [number(4), number(5), number(6)];
  const [zoneHour, zoneMinute] = [number(9), number(10)];
  const inRange =
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  if (!inRange || zoneHour > 24 || zoneMinute > 60) {
    return { ok: false, why: `'${shorten(text)}' names a day, hour or offset that does not exist` };
  }
  const nanoseconds = Number((match[7] ?? '').slice(0, 9).padEnd(9, '0'));
  const offsetMinutes = (match[8] === '-' ? -1 : 1) * (zoneHour * 60 + zoneMinute);
  // Date.UTC would take years below 100 for 19xx.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute - offsetMinutes, second, Math.floor(nanoseconds / 1e6));
  const ms = date.getTime();
  return { ok: true, ms: ms === ZERO_TIME_MS && nanoseconds === 0 ? null : ms };
};

/**
 * A time as Go writes it: RFC 3339 in UTC, fraction without trailing zeros.
 * @param epochNs nanoseconds since the epoch, between the years 1 and 9999
 */
export const formatGoTime = (epochNs: bigint): string => {
  const second = 1_000_000_000n;
  const fraction = ((epochNs % second) + second) % second;
  const ms = Number((epochNs - fraction) / 1_000_000n);
  const whole = new Date(ms).toISOString().slice(0, 19);
  const digits = fraction.toString().padStart(9, '0').replace(/0+$/, '');
  return `${whole}${digits === '' ? '' : `.${digits}`}Z`;
};

const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};

const shorten = (text: string): string => {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
};
