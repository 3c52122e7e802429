/** Who holds a lock, out of what most tools write: a PID, or JSON with a number among its fields. Pure, never throws. */
import { isPossiblePid } from '../pid.ts';
import type { NumberClaim } from '../types/claim.ts';
import type { LockContent, LockProblem } from '../types/evidence.ts';
import { textOf } from './text-of.ts';
import { momentTaken } from './time-taken.ts';

/** The names of the fields in which a tool's JSON object says who holds the lock. */
export interface ClaimFields {
  /** Default: `pid`. A number. */
  readonly pid?: string;
  /** When that process started, as `NumberClaim.start`: a number (ticks) or text. */
  readonly start?: string;
  /** When the lock was taken: milliseconds or seconds since the epoch, or a date in ISO 8601. */
  readonly since?: string;
  readonly hostname?: string;
  /** How many milliseconds it is to be kept at most. */
  readonly heldAtMost?: string;
  /** What the holder is called. */
  readonly tool?: string;
  /** Fields with its name, after that. */
  readonly names?: readonly string[];
}

/** Dates further from the epoch are not valid. */
const MAX_TIME_MS = 8.64e15;

const invalid = (problem: LockProblem, detail: string): LockContent => ({ kind: 'invalid', problem, detail });

const EMPTY = invalid('empty', 'there is nothing in it');

/** A claim by number; whatever the lock does not say is unknown. */
export const claimByNumber = (pid: number, more: Partial<NumberClaim> = {}): LockContent =>
  isPossiblePid(pid)
    ? {
        kind: 'claim',
        claim: {
          by: 'number',
          pid,
          start: null,
          hostname: '',
          since: null,
          isShared: false,
          ...more,
          name: lineOf(more.name) || null,
        },
      }
    : invalid('wrong-type', `${pid} is not a valid PID`);

/**
 * A PID on the first line, as most PID files have it, with `|` and its start where the tool writes that. Whatever
 * follows on further lines is the tool's own.
 */
export const readBareNumber = (bytes: Uint8Array, name: string | null = null): LockContent => {
  const text = plainText(bytes);
  if (text.trim() === '') return EMPTY;
  const [, number, start] = /^[ \t]*(\d{1,15})[ \t]*(?:\|([^\r\n]*))?\r?(?:\n|$)/.exec(text) ?? [];
  if (number === undefined) return invalid('wrong-type', 'its first line is not a PID');
  return claimByNumber(Number(number), { name, start: startOf(start?.trim()) });
};

/** A PID in a field of a JSON object. */
export const readNumberField = (
  bytes: Uint8Array,
  fields: ClaimFields,
  more: Partial<NumberClaim> = {},
): LockContent => {
  const text = plainText(bytes);
  if (text.trim() === '') return EMPTY;
  const found = objectOf(text);
  if (found === null) return invalid('not-json', 'it is not a JSON object');
  const { pid: key = 'pid', start = '', since = '', hostname = '', tool, names = [] } = fields;
  const pid = found.get(key);
  if (typeof pid !== 'number') return invalid('wrong-type', `${key} is not a number`);
  const heldAtMostMs = found.get(fields.heldAtMost ?? '');
  const name = [tool, ...names.map((field) => lineOf(found.get(field)))].filter((part) => part).join(' ');
  return claimByNumber(pid, {
    start: startOf(found.get(start)),
    since: timeOf(found.get(since)),
    hostname: lineOf(found.get(hostname)),
    name,
    ...more,
    ...(typeof heldAtMostMs === 'number' && heldAtMostMs > 0 && heldAtMostMs <= MAX_TIME_MS
      ? { heldAtMostMs }
      : {}),
  });
};

/** The fields of a JSON object; null for anything else. Of a field that stands there twice the last one counts. */
const objectOf = (text: string): ReadonlyMap<string, unknown> | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? new Map(Object.entries(value))
      : null;
  } catch {
    return null;
  }
};

/** Bytes that are not UTF-8, and a byte order mark, stay visible: neither is part of a number. */
const plainText = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

const lineOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? textOf(new TextEncoder().encode(`${value}`)) : '';

/** Compared letter by letter: `ps` prints two spaces before a day of one digit. */
const startOf = (value: unknown): string | null => {
  const text = typeof value === 'number' || typeof value === 'string' ? `${value}` : '';
  return /^[ -~]{1,60}$/.test(text) ? text : null;
};

const timeOf = (value: unknown): NumberClaim['since'] => {
  const ms = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  const taken = momentTaken(ms);
  return taken === null ? null : { text: lineOf(value), ms: taken };
};
