/** Times as Go's time package reads and writes them in JSON. */

/** Go's zero time, 1 January of the year 1, in milliseconds since the epoch. */
const ZERO_TIME_MS = -62_135_596_800_000;

export type GoTime =
  /** Milliseconds since the epoch, rounded down; null for Go's zero time. */
  { readonly ok: true; readonly ms: number | null } | { readonly ok: false; readonly why: string };

const SHAPE = /^\d{4}-\d{2}-\d{2}T\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * Reads what `time.Time.UnmarshalJSON` reads (Go 1.20 and later): RFC 3339 with its leniencies, which are an hour of one
 * digit, a comma before the fraction, any number of fraction digits (those after the ninth are dropped) and an offset
 * of up to 24:60. A leap second is refused, as Go does.
 */
export const parseGoTime = (text: string): GoTime => {
  if (!SHAPE.test(text)) return { ok: false, why: `'${shorten(text)}' is not an RFC 3339 time` };
  // Taken from their places: groups would make a list and a text each, for each of ten thousand locks.
  const hourEnd = text.indexOf(':');
  const secondEnd = hourEnd + 6;
  const isInUtc = text.endsWith('Z');
  const zoneStart = text.length - (isInUtc ? 'Z' : '+00:00').length;
  const year = numberAt(text, 0, 4);
  const month = numberAt(text, 5, 7);
  const day = numberAt(text, 8, 10);
  const hour = numberAt(text, 11, hourEnd);
  const minute = numberAt(text, hourEnd + 1, hourEnd + 3);
  const second = numberAt(text, hourEnd + 4, secondEnd);
  const zoneHour = isInUtc ? 0 : numberAt(text, zoneStart + 1, zoneStart + 3);
  const zoneMinute = isInUtc ? 0 : numberAt(text, zoneStart + 4, zoneStart + 6);
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
  const fractionEnd = Math.min(zoneStart, secondEnd + 1 + 9);
  const nanoseconds =
    numberAt(text, secondEnd + 1, fractionEnd) * 10 ** (9 - Math.max(0, fractionEnd - secondEnd - 1));
  const offsetMinutes = (text[zoneStart] === '-' ? -1 : 1) * (zoneHour * 60 + zoneMinute);
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

/** The number that the digits between these places make; 0 where there are none. */
const numberAt = (text: string, from: number, to: number): number => {
  let number = 0;
  for (let at = from; at < to; at += 1) number = number * 10 + text.charCodeAt(at) - 0x30;
  return number;
};

const daysIn = (year: number, month: number): number => {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};

const shorten = (text: string): string => {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
};
