/** The lock record: read as Go's encoding/json reads the original struct, written in the form in which Go writes it. */
import { isPossiblePid } from '../pid.ts';
import type { AgentLockContent, LockProblem, LockRecord, TrueHolder } from '../types/evidence.ts';
import { type JsonMember, type JsonValue, readDocument } from './go-json.ts';
import { rawText, stringAt } from './go-string.ts';
import { formatGoTime, parseGoTime } from './go-time.ts';
import { momentTaken } from './time-taken.ts';

/** A record is some 200 bytes; more than this is somebody else's file and is not read. */
export const MAX_LOCK_BYTES = 65_536;

/** What `formatLockRecord` writes. */
export interface LockRecordFields {
  readonly pid: number;
  /** Nanoseconds since the epoch. */
  readonly acquiredAtNs: bigint;
  /** Left out where empty. */
  readonly sessionId: string;
  /** Left out where empty. */
  readonly hostname: string;
  readonly holder: TrueHolder | null;
}

/**
 * Reads the bytes of a lock file. Never throws. Keys match case-insensitively, unknown keys are ignored, the last
 * duplicate wins, `null` and `{}` are the zero record. Our own fields never make a record invalid: a malformed one is
 * ignored, because other readers ignore it too.
 */
export const parseLockRecord = (bytes: Uint8Array): AgentLockContent => {
  if (bytes.length > MAX_LOCK_BYTES) return invalid('too-large', `more than ${MAX_LOCK_BYTES} bytes`);
  if (isBlank(bytes))
    return invalid('empty', bytes.length === 0 ? 'the file is empty' : 'there is only white space');
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return invalid('not-json', 'it starts with a byte order mark');
  }
  return readUsual(bytes) ?? readAny(bytes);
};

/** A record as the original and compatible programs write it: plain ASCII, four fields at most, in this order. */
const USUAL =
  /^\{[ \n\r\t]*"pid":[ \n\r\t]*(0|-?[1-9]\d{0,14}),[ \n\r\t]*"acquired_at":[ \n\r\t]*"([^"\\]*)"(?:,[ \n\r\t]*"session_id":[ \n\r\t]*"([ !#-[\]-~]*)")?(?:,[ \n\r\t]*"hostname":[ \n\r\t]*"([ !#-[\]-~]*)")?[ \n\r\t]*\}[ \n\r\t]*$/;

/** Longer files are not of the usual form. */
const MAX_USUAL_BYTES = 1024;

/** A fast path for nearly all records, three times as fast as reading JSON; null for everything else. */
const readUsual = (bytes: Uint8Array): AgentLockContent | null => {
  if (bytes.length > MAX_USUAL_BYTES) return null;
  const text = rawText(bytes, 0, bytes.length);
  const match = USUAL.exec(text);
  if (match === null) return null;
  const [, pid, written = '', sessionId = '', hostname = ''] = match;
  // A substring would keep the whole text in memory: this makes a new one.
  const from = text.indexOf(written);
  const acquiredAt = rawText(bytes, from, from + written.length);
  const time = parseGoTime(acquiredAt);
  if (!time.ok) return null;
  const host = sharedHostname(hostname);
  const record = {
    pid: Number(pid),
    acquiredAt,
    acquiredAtMs: momentTaken(time.ms),
    sessionId,
    hostname: host,
    holder: null,
  };
  return { kind: 'record', record };
};

/** Nearly all locks of a town name one host: they share its text. */
let lastHostname = '';

const sharedHostname = (hostname: string): string => {
  if (hostname !== lastHostname) lastHostname = hostname;
  return lastHostname;
};

const readAny = (bytes: Uint8Array): AgentLockContent => {
  const document = readDocument(bytes);
  if (!document.ok) return invalid('not-json', document.why);
  const { type } = document.value;
  if (type !== 'object' && type !== 'null')
    return invalid('wrong-type', `${nameOf(type)} instead of an object`);

  const draft: Draft = { pid: 0, acquiredAt: '', acquiredAtMs: null, sessionId: '', hostname: '' };
  for (const { key, value } of document.members) {
    const fault = takeField(draft, bytes, foldKey(key), value);
    if (fault !== null) return fault;
  }
  const record: LockRecord = { ...draft, holder: readHolder(bytes, document.members) };
  return { kind: 'record', record };
};

/**
 * Reads the second record beside a lock (`agent.lock.holder`), which keeps the true holder when another tool overwrote
 * the lock. Null where it is missing, damaged or names nobody: never throws.
 */
export const parseCompanion = (bytes: Uint8Array): TrueHolder | null => {
  if (bytes.length > MAX_LOCK_BYTES) return null;
  const document = readDocument(bytes);
  return document.ok ? readHolder(bytes, document.members) : null;
};

/** The record in the form of Go's MarshalIndent: two spaces, no final newline, `<`, `>` and `&` escaped. */
export const formatLockRecord = (fields: LockRecordFields): string => {
  const lines = [`"pid": ${fields.pid}`, `"acquired_at": ${quote(formatGoTime(fields.acquiredAtNs))}`];
  if (fields.sessionId !== '') lines.push(`"session_id": ${quote(fields.sessionId)}`);
  if (fields.hostname !== '') lines.push(`"hostname": ${quote(fields.hostname)}`);
  if (fields.holder !== null) lines.push(...holderLines(fields.holder));
  return wrap(lines);
};

/** The companion record of a holder, in the same form. */
export const formatCompanion = (holder: TrueHolder): string => {
  return wrap(holderLines(holder));
};

interface Draft {
  pid: number;
  acquiredAt: string;
  acquiredAtMs: number | null;
  sessionId: string;
  hostname: string;
}

/** Stores one member if it is one of the four fields; answers what makes the record invalid, or null. */
const takeField = (
  draft: Draft,
  bytes: Uint8Array,
  name: string,
  value: JsonValue,
): AgentLockContent | null => {
  if (value.type === 'null') return null;
  switch (name) {
    case 'pid': {
      const pid = value.type === 'number' ? parseInt64(rawText(bytes, value.start, value.end)) : null;
      if (pid === null)
        return invalid('wrong-type', `pid is ${describeValue(bytes, value)}, not an integer of 64 bits`);
      draft.pid = pid;
      return null;
    }
    case 'acquired_at': {
      if (value.type !== 'string')
        return invalid('wrong-type', `acquired_at is ${describeValue(bytes, value)}, not a time`);
      // Go looks at the raw bytes between the quotes, without unescaping them.
      const text = rawText(bytes, value.start + 1, value.end - 1);
      const time = parseGoTime(text);
      if (!time.ok) return invalid('bad-time', `acquired_at: ${time.why}`);
      draft.acquiredAt = text;
      draft.acquiredAtMs = momentTaken(time.ms);
      return null;
    }
    case 'session_id':
    case 'hostname': {
      if (value.type !== 'string')
        return invalid('wrong-type', `${name} is ${describeValue(bytes, value)}, not text`);
      draft[name === 'hostname' ? 'hostname' : 'sessionId'] = stringAt(bytes, value.start, value.end);
      return null;
    }
    default:
      return null;
  }
};

const PLAIN_KEY = /^[a-z_]*$/;

/** Go folds ASCII letters and, because Unicode folds them together, the long s (U+017F) with s. */
const foldKey = (key: string): string => {
  if (PLAIN_KEY.test(key)) return key;
  return key.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replace(/\u017f/g, 's');
};

const parseInt64 = (text: string): number | null => {
  if (!/^-?\d+$/.test(text)) return null;
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value + 0;
  const exact = BigInt(text);
  return exact >= -(2n ** 63n) && exact < 2n ** 63n ? value : null;
};

/** Whom a record names, in short: the true holder where it names one, for its `pid` may be that of a helper that has ended. */
export const namedHolder = ({
  pid,
  holder,
  sessionId,
  hostname,
}: LockRecord): { readonly pid: number; readonly sessionId: string; readonly hostname: string } => ({
  pid: holder?.pid ?? pid,
  sessionId,
  hostname,
});

/** Our own fields, under their exact names only. A record without a usable `holder_pid` names no true holder. */
const readHolder = (bytes: Uint8Array, members: readonly JsonMember[]): TrueHolder | null => {
  let pid: number | null = null;
  const texts = new Map<string, string>();
  for (const { key, value } of members) {
    if (key === 'holder_pid' && value.type === 'number') {
      const number = parseInt64(rawText(bytes, value.start, value.end));
      if (number !== null && isPossiblePid(number)) pid = number;
    } else if (value.type === 'string') {
      texts.set(key, stringAt(bytes, value.start, value.end));
    }
  }
  if (pid === null) return null;
  const textOf = (name: string): string | null => texts.get(name) || null;
  return {
    pid,
    startToken: textOf('holder_start'),
    bootId: textOf('boot_id'),
    pidNamespace: textOf('pid_ns'),
    nonce: textOf('nonce'),
  };
};

const holderLines = (holder: TrueHolder): string[] => {
  const texts: readonly (readonly [name: string, value: string | null])[] = [
    ['holder_start', holder.startToken],
    ['boot_id', holder.bootId],
    ['pid_ns', holder.pidNamespace],
    ['nonce', holder.nonce],
  ];
  const written = texts.flatMap(([name, value]) => (value === null ? [] : [`"${name}": ${quote(value)}`]));
  return [`"holder_pid": ${holder.pid}`, ...written];
};

const wrap = (lines: readonly string[]): string => {
  return `{\n${lines.map((line) => `  ${line}`).join(',\n')}\n}`;
};

/** JSON.stringify writes what Go writes, apart from the five characters that Go escapes for HTML and old JavaScript. */
const quote = (text: string): string => {
  return JSON.stringify(text.replace(/\p{Surrogate}/gu, '\ufffd')).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
};

const isBlank = (bytes: Uint8Array): boolean => {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
};

const describeValue = (bytes: Uint8Array, value: JsonValue): string => {
  return value.type === 'number'
    ? rawText(bytes, value.start, Math.min(value.end, value.start + 30))
    : nameOf(value.type);
};

const nameOf = (type: JsonValue['type']): string => {
  return type === 'array' || type === 'object' ? `an ${type}` : `a ${type}`;
};

const invalid = (problem: LockProblem, detail: string): AgentLockContent => {
  return { kind: 'invalid', problem, detail };
};
