/**
 * JSON as Go's encoding/json accepts it, byte by byte. `JSON.parse` cannot stand in: it hides duplicate keys, wants text
 * instead of bytes and differs on invalid UTF-8, so a lock that Go reads could look invalid here, or the reverse.
 */
import { hexDigit, stringAt } from './go-string.ts';

/** Nesting that Go allows before it gives up (encoding/json `maxNestingDepth`). */
export const MAX_NESTING = 10_000;

type JsonType = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

/** A value by its place in the bytes; `end` is exclusive. Strings include their quotes. */
export interface JsonValue {
  readonly type: JsonType;
  readonly start: number;
  readonly end: number;
}

export interface JsonMember {
  /** Unescaped. */
  readonly key: string;
  readonly value: JsonValue;
}

export type JsonDocument =
  | { readonly ok: true; readonly value: JsonValue; readonly members: readonly JsonMember[] }
  /** One plain sentence fragment, with the byte it is about. */
  | { readonly ok: false; readonly why: string };

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/**
 * Reads one whole document; of an object the direct members are listed in the order in which they stand, duplicates
 * included. Never throws and never recurses.
 */
export const readDocument = (bytes: Uint8Array): JsonDocument => {
  const cursor: Cursor = { bytes, at: 0, fault: null };
  const members: JsonMember[] = [];
  skipSpace(cursor);
  const start = cursor.at;
  const type = bytes[start] === OPEN_OBJECT ? readMembers(cursor, members) : skipValue(cursor, 0);
  const end = cursor.at;
  if (type === null) return { ok: false, why: cursor.fault ?? 'no JSON value' };
  skipSpace(cursor);
  if (cursor.at < bytes.length)
    return { ok: false, why: `something follows the JSON value at byte ${cursor.at}` };
  return { ok: true, value: { type, start, end }, members };
};

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  fault: string | null;
}

/** Records the first fault and answers null, so that callers can `return fail(…)`. */
const fail = (cursor: Cursor, what: string): null => {
  cursor.fault ??= cursor.at >= cursor.bytes.length ? 'truncated' : `expected ${what} at byte ${cursor.at}`;
  return null;
};

const skipSpace = (cursor: Cursor): void => {
  for (;;) {
    const byte = cursor.bytes[cursor.at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
    cursor.at += 1;
  }
};

const readMembers = (cursor: Cursor, members: JsonMember[]): 'object' | null => {
  const { bytes } = cursor;
  cursor.at += 1;
  skipSpace(cursor);
  if (bytes[cursor.at] === CLOSE_OBJECT) {
    cursor.at += 1;
    return 'object';
  }
  for (;;) {
    skipSpace(cursor);
    const keyStart = cursor.at;
    if (skipString(cursor) === null) return null;
    const key = stringAt(bytes, keyStart, cursor.at);
    if (!skipColon(cursor)) return null;
    skipSpace(cursor);
    const start = cursor.at;
    const type = skipValue(cursor, 1);
    if (type === null) return null;
    members.push({ key, value: { type, start, end: cursor.at } });
    skipSpace(cursor);
    const byte = bytes[cursor.at];
    if (byte !== COMMA && byte !== CLOSE_OBJECT) return fail(cursor, "',' or '}'");
    cursor.at += 1;
    if (byte === CLOSE_OBJECT) return 'object';
  }
};

/** Passes one value, however deep, with an explicit stack: a hostile file must not overflow ours. */
const skipValue = (cursor: Cursor, depth: number): JsonType | null => {
  const { bytes } = cursor;
  const open: number[] = [];
  const first = typeOf(bytes[cursor.at]);
  for (;;) {
    skipSpace(cursor);
    const byte = bytes[cursor.at];
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      open.push(byte);
      if (open.length + depth > MAX_NESTING) {
        cursor.fault ??= `it is nested deeper than ${MAX_NESTING} levels`;
        return null;
      }
      cursor.at += 1;
      skipSpace(cursor);
      const closed = bytes[cursor.at] === (byte === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY);
      if (!closed) {
        if (byte === OPEN_OBJECT && !skipKey(cursor)) return null;
        continue;
      }
    } else if (skipScalar(cursor) === null) {
      return null;
    }
    if (!closeValues(cursor, open)) return null;
    if (open.length === 0) return first;
  }
};

/** After a value or before the end of an empty container: closes what ends here, stops where the next value begins. */
const closeValues = (cursor: Cursor, open: number[]): boolean => {
  while (open.length > 0) {
    skipSpace(cursor);
    const byte = cursor.bytes[cursor.at];
    const inObject = open[open.length - 1] === OPEN_OBJECT;
    if (byte === COMMA) {
      cursor.at += 1;
      return !inObject || skipKey(cursor);
    }
    if (byte !== (inObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
      fail(cursor, inObject ? "',' or '}'" : "',' or ']'");
      return false;
    }
    cursor.at += 1;
    open.pop();
  }
  return true;
};

const skipKey = (cursor: Cursor): boolean => {
  skipSpace(cursor);
  return skipString(cursor) !== null && skipColon(cursor);
};

const skipColon = (cursor: Cursor): boolean => {
  skipSpace(cursor);
  if (cursor.bytes[cursor.at] !== COLON) {
    fail(cursor, "':'");
    return false;
  }
  cursor.at += 1;
  return true;
};

const typeOf = (byte: number | undefined): JsonType => {
  if (byte === OPEN_OBJECT) return 'object';
  if (byte === OPEN_ARRAY) return 'array';
  if (byte === QUOTE) return 'string';
  if (byte === 0x6e) return 'null';
  return byte === 0x74 || byte === 0x66 ? 'boolean' : 'number';
};

const skipScalar = (cursor: Cursor): true | null => {
  const byte = cursor.bytes[cursor.at];
  if (byte === QUOTE) return skipString(cursor);
  if (byte === 0x6e) return skipWord(cursor, 'null');
  if (byte === 0x74) return skipWord(cursor, 'true');
  if (byte === 0x66) return skipWord(cursor, 'false');
  return skipNumber(cursor);
};

const skipWord = (cursor: Cursor, word: string): true | null => {
  for (let i = 0; i < word.length; i += 1) {
    if (cursor.bytes[cursor.at] !== word.charCodeAt(i)) return fail(cursor, `'${word}'`);
    cursor.at += 1;
  }
  return true;
};

const skipNumber = (cursor: Cursor): true | null => {
  const { bytes } = cursor;
  if (bytes[cursor.at] === 0x2d) cursor.at += 1;
  if (bytes[cursor.at] === 0x30) cursor.at += 1;
  else if (skipDigits(cursor) === null) return null;
  if (bytes[cursor.at] === 0x2e) {
    cursor.at += 1;
    if (skipDigits(cursor) === null) return null;
  }
  if (bytes[cursor.at] === 0x65 || bytes[cursor.at] === 0x45) {
    cursor.at += 1;
    if (bytes[cursor.at] === 0x2b || bytes[cursor.at] === 0x2d) cursor.at += 1;
    if (skipDigits(cursor) === null) return null;
  }
  return true;
};

const skipDigits = (cursor: Cursor): true | null => {
  const from = cursor.at;
  while (isDigit(cursor.bytes[cursor.at])) cursor.at += 1;
  return cursor.at > from ? true : fail(cursor, 'a JSON value');
};

const isDigit = (byte: number | undefined): boolean => {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
};

const skipString = (cursor: Cursor): true | null => {
  const { bytes } = cursor;
  if (bytes[cursor.at] !== QUOTE) return fail(cursor, 'a string');
  cursor.at += 1;
  for (;;) {
    const byte = bytes[cursor.at];
    if (byte === undefined || byte < 0x20) return fail(cursor, 'the end of a string');
    cursor.at += 1;
    if (byte === QUOTE) return true;
    if (byte === BACKSLASH && skipEscape(cursor) === null) return null;
  }
};

const skipEscape = (cursor: Cursor): true | null => {
  const letter = String.fromCharCode(cursor.bytes[cursor.at] ?? 0);
  if (!'bfnrt\\/"u'.includes(letter)) return fail(cursor, 'an escape');
  cursor.at += 1;
  if (letter !== 'u') return true;
  for (let i = 0; i < 4; i += 1) {
    if (hexDigit(cursor.bytes[cursor.at]) < 0) return fail(cursor, 'a hexadecimal digit');
    cursor.at += 1;
  }
  return true;
};
