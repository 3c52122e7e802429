/** Paths as the system has them and as people see them: not every path is valid text. */
import { Buffer, isUtf8 } from 'node:buffer';
import { flat } from '../../core/record/flat.ts';
import { bytesAsText } from './bytes-as-text.ts';

/** A path as the system calls take it: text where its bytes are UTF-8, else the bytes themselves. */
export type DiskPath = string | Buffer;

/** The path for people: bytes that are not UTF-8 appear as `\xNN`. */
export const displayPath = (path: DiskPath): string => (typeof path === 'string' ? path : bytesAsText(path));

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

/** The last name of a path; all of it where it has no slash. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** `name` inside `directory`. */
export const joinPath = (directory: DiskPath, name: string): DiskPath => {
  if (typeof directory === 'string') return flat(directory === '/' ? `/${name}` : `${directory}/${name}`);
  return Buffer.concat([directory, Buffer.from(`/${name}`, 'utf8')]);
};

/** `path` relative to `root`, for people; `.` for the root itself. Expects `path` to lie inside. */
export const displayRelative = (root: string, path: DiskPath): string => {
  const above = root === '/' ? '' : root;
  if (typeof path === 'string') return path.slice(above.length + 1) || '.';
  return bytesAsText(path.subarray(Buffer.byteLength(above) + 1)) || '.';
};
