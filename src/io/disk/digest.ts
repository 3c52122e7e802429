/** Hashes and random text. Node's crypto takes 4 ms to load, so it is loaded only when it is needed. */
import { Buffer } from 'node:buffer';
import { sha256 } from '../../core/sha256.ts';

let loaded: typeof import('node:crypto') | null = null;

const crypto = (): typeof import('node:crypto') => {
  loaded ??= process.getBuiltinModule('node:crypto');
  return loaded;
};

/** This many hashes of a few hundred bytes take half a millisecond without Node's crypto. A preflight needs one. */
const FEW = 6;
const FEW_BYTES = 1024;

let hashed = 0;

/** SHA-256 of bytes, or of a text in UTF-8, in hex. */
export const sha256Hex = (content: Uint8Array | string): string => {
  hashed += 1;
  if (hashed > FEW || content.length > FEW_BYTES) return crypto().hash('sha256', content, 'hex');
  return sha256(typeof content === 'string' ? Buffer.from(content) : content);
};

/** Random text in hex, two characters for each byte: for names that must be unique. */
export const randomHex = (bytes: number): string => crypto().randomBytes(bytes).toString('hex');
