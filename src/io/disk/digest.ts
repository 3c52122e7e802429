/** Hashes and random text. Node's crypto takes 3 ms to load, so it is loaded by the first use and not before. */

let loaded: typeof import('node:crypto') | null = null;

const crypto = (): typeof import('node:crypto') => {
  loaded ??= process.getBuiltinModule('node:crypto');
  return loaded;
};

/** SHA-256 of bytes, or of a text in UTF-8, in hex. */
export const sha256Hex = (content: Uint8Array | string): string => crypto().hash('sha256', content, 'hex');

/** Random text in hex, two characters a byte: names that must not meet. */
export const randomHex = (bytes: number): string => crypto().randomBytes(bytes).toString('hex');
