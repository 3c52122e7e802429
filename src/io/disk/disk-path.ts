/** Paths as the system has them and as people see them: not every path is valid text. */
import { Buffer, isUtf8 } from 'node:buffer';
import { resolve } from 'node:path';
import { flat } from '../../core/record/flat.ts';
import { bytesAsText } from './bytes-as-text.ts';

/** A path as the system calls take it: text where its bytes are UTF-8, else the bytes themselves. */
export type DiskPath = string | Buffer;

/** The path for people: bytes that are not UTF-8 appear as `\xNN`. */
export const displayPath = (path: DiskPath): string => (typeof path === 'string' ? path : bytesAsText(path));

const BYTES = /\\x([89A-F][0-9A-F])/g;

/** True for a path for people in which bytes that are not UTF-8 seem to appear: a name may also contain such characters. */
export const showsBytes = (shown: string): boolean => shown.includes('\\x') && shown.search(BYTES) >= 0;

/** The path whose bytes appear so, the reverse of `displayPath`. */
export const fromDisplay = (shown: string): DiskPath =>
  fromLatin1(toLatin1(shown).replace(BYTES, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))));

/** The exact bytes in base64 where text cannot hold them, else null. */
export const pathBytes = (path: DiskPath): string | null =>
  typeof path === 'string' ? null : path.toString('base64');

/** The path whose bytes are the characters of `latin1`: a walk keeps names that are not UTF-8 in that form. */
export const fromLatin1 = (latin1: string): DiskPath => {
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes;
};

/** One character per byte, the reverse of `fromLatin1`. */
export const toLatin1 = (path: string): string => Buffer.from(path, 'utf8').toString('latin1');

/**
 * Compares paths, or names in them. On disks that ignore case the kernel may spell a directory differently from the path that was
 * given.
 */
export const isSamePath = (one: string, other: string): boolean =>
  one === other || folded(one) === folded(other);
const folded = (path: string): string => path.normalize('NFD').toLowerCase();

/** The last name of a path; all of it where it has no slash. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** `name` inside `directory`. */
export const joinPath = (directory: DiskPath, name: string): DiskPath => {
  if (typeof directory === 'string') return flat(directory === '/' ? `/${name}` : `${directory}/${name}`);
  return Buffer.concat([directory, Buffer.from(`/${name}`, 'utf8')]);
};

const SLASH = 47;

/** A path that is relative to `from` or absolute, as an absolute one; bytes are not simplified. */
export const resolvePath = (from: DiskPath, path: DiskPath): DiskPath => {
  if (typeof from === 'string' && typeof path === 'string') return resolve(from, path);
  const bytes = Buffer.from(path);
  return bytes[0] === SLASH ? bytes : Buffer.concat([Buffer.from(from), Buffer.from('/'), bytes]);
};

/** What follows `start`, which is ASCII; null where the path begins otherwise. */
export const afterStart = (path: DiskPath, start: string): DiskPath | null => {
  if (typeof path === 'string') return path.startsWith(start) ? path.slice(start.length) : null;
  return path.toString('latin1', 0, start.length) === start ? path.subarray(start.length) : null;
};

/** What comes before `end`, which is ASCII; null where the path ends otherwise. */
export const beforeEnd = (path: DiskPath, end: string): DiskPath | null => {
  const length = path.length - end.length;
  if (typeof path === 'string') return path.endsWith(end) ? path.slice(0, length) : null;
  return length >= 0 && path.toString('latin1', length) === end ? path.subarray(0, length) : null;
};

/** `path` relative to `root`, for people; `.` for the root itself. Expects `path` to lie inside. */
export const displayRelative = (root: string, path: DiskPath): string => {
  const above = root === '/' ? '' : root;
  if (typeof path === 'string') return path.slice(above.length + 1) || '.';
  return bytesAsText(path.subarray(Buffer.byteLength(above) + 1)) || '.';
};
