/** Foreign names as text, with bytes that are not UTF-8 kept visible. */
import { Buffer, isAscii } from 'node:buffer';
import { tryOr } from '../try-or.ts';

let decoder: InstanceType<typeof TextDecoder> | null = null;

/** Made for the first name that is not plain ASCII: few runs meet one. */
const strict = (): InstanceType<typeof TextDecoder> => {
  decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return decoder;
};

/**
 * The text of bytes that are meant to be UTF-8 (file names, working directories); bytes that are not appear as
 * `\xNN`, so that two different names never look alike. Never throws.
 */
export const bytesAsText = (bytes: Uint8Array): string =>
  // Nearly every name is plain ASCII and needs no decoder.
  isAscii(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    : (decoded(bytes) ?? escaped(bytes));

const decoded = (bytes: Uint8Array): string | null => tryOr(() => strict().decode(bytes), null);

const escaped = (bytes: Uint8Array): string => {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find(
      (size) => at + size <= bytes.length && decoded(bytes.subarray(at, at + size)) !== null,
    );
    text +=
      length === undefined
        ? `\\x${(bytes[at] ?? 0).toString(16).padStart(2, '0').toUpperCase()}`
        : strict().decode(bytes.subarray(at, at + length));
    at += length ?? 1;
  }
  return text;
};
