/** The inside of JSON strings as Go's encoding/json reads it: escapes, surrogates, bytes that are not UTF-8. */

const BACKSLASH = 0x5c;
const REPLACEMENT = 0xfffd;

/**
 * Text of a JSON string that stands, quotes included, between `start` and `end` (exclusive) and was found well-formed;
 * unescaped as Go does: what is not UTF-8 becomes U+FFFD, byte by byte.
 */
export const stringAt = (bytes: Uint8Array, start: number, end: number): string => {
  const last = end - 1;
  let at = start + 1;
  while (at < last && isPlain(bytes[at] ?? 0)) at += 1;
  const plain = rawText(bytes, start + 1, at);
  return at === last ? plain : plain + unescapeFrom(bytes, at, last);
};

/** True for a byte that needs no decoding. A record that was not tampered with has no others. */
const isPlain = (byte: number): boolean => byte < 0x80 && byte !== BACKSLASH;

const unescapeFrom = (bytes: Uint8Array, from: number, last: number): string => {
  const parts: number[] = [];
  let text = '';
  let at = from;
  while (at < last) {
    const byte = bytes[at] ?? 0;
    if (byte === BACKSLASH) {
      at = readEscape(bytes, at, parts);
    } else if (byte < 0x80) {
      parts.push(byte);
      at += 1;
    } else {
      const [code, size] = decodeRune(bytes, at, last);
      pushCode(parts, code);
      at += size;
    }
    if (parts.length > 4096) text += String.fromCharCode(...parts.splice(0));
  }
  return text + String.fromCharCode(...parts);
};

/** Arguments of one call: more than any value of a record has, fewer than a stack can take. */
const AT_ONCE = 1024;

/** The bytes of a value as they stand, for values that are plain ASCII when they are right (numbers, times). */
export const rawText = (bytes: Uint8Array, start: number, end: number): string => {
  let text = '';
  for (let at = start; at < end; at += AT_ONCE)
    // Four times as fast as spread arguments, and makes few strings: `+=` for each byte would make one a byte.
    text += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(end, at + AT_ONCE)) as never);
  return text;
};

/** Value of a hexadecimal digit, or -1. */
export const hexDigit = (byte: number | undefined): number => {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
};

const SHORT_ESCAPES: Readonly<Record<string, number>> = { b: 8, f: 12, n: 10, r: 13, t: 9 };

/** Appends what the escape at `at` means and answers where it ends. Lone surrogates become U+FFFD, as in Go. */
const readEscape = (bytes: Uint8Array, at: number, parts: number[]): number => {
  const letter = bytes[at + 1] ?? 0;
  if (letter !== 0x75) {
    parts.push(SHORT_ESCAPES[String.fromCharCode(letter)] ?? letter);
    return at + 2;
  }
  const high = hexFour(bytes, at + 2);
  if (high < 0xd800 || high > 0xdfff) {
    parts.push(high);
    return at + 6;
  }
  const low = bytes[at + 6] === BACKSLASH && bytes[at + 7] === 0x75 ? hexFour(bytes, at + 8) : -1;
  if (high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) {
    parts.push(high, low);
    return at + 12;
  }
  parts.push(REPLACEMENT);
  return at + 6;
};

const hexFour = (bytes: Uint8Array, at: number): number => {
  let code = 0;
  for (let i = 0; i < 4; i += 1) code = code * 16 + hexDigit(bytes[at + i]);
  return code;
};

/** One rune and its size in bytes; one U+FFFD for each byte that starts no valid sequence (TextDecoder would merge some). */
const decodeRune = (bytes: Uint8Array, at: number, end: number): readonly [code: number, size: number] => {
  const lead = bytes[at] ?? 0;
  const size =
    lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 0;
  if (size === 0 || at + size > end) return [REPLACEMENT, 1];
  let code = lead & (0xff >> (size + 1));
  for (let i = 1; i < size; i += 1) {
    const next = bytes[at + i] ?? 0;
    if ((next & 0xc0) !== 0x80) return [REPLACEMENT, 1];
    code = (code << 6) | (next & 0x3f);
  }
  const shortest = size === 4 ? 0x10000 : size === 3 ? 0x800 : 0x80;
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  return code < shortest || code > 0x10ffff || isSurrogate ? [REPLACEMENT, 1] : [code, size];
};

const pushCode = (parts: number[], code: number): void => {
  if (code < 0x10000) {
    parts.push(code);
    return;
  }
  parts.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
};
