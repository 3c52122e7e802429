/** A cheap look into git's index that can only ever say "not tracked" or "ask git" (gitformat-index(5)). */
import { Buffer } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { PLAIN_FILE } from '../../io/disk/small-file.ts';
import { isAbsence } from '../../io/errno.ts';

export type IndexGlance =
  /** No tracked file has this name, in any directory. */
  | 'not-tracked'
  /** It may be tracked, or the index is of a form in which names cannot be searched for: git knows. */
  | 'ask-git';

const CHUNK_BYTES = 1024 * 1024;

/** For larger files git is as fast as we are. */
const MAX_INDEX_BYTES = 256 * 1024 * 1024;

/**
 * Entries of versions 2 and 3 contain whole path names, so a name whose bytes occur nowhere is not tracked. Version 4
 * shortens names, and the extensions `link` (split index) and `sdir` (sparse index) keep entries elsewhere: there git is
 * asked, as in every other unusual case. A repository without an index tracks nothing.
 */
export const glanceAtIndex = (gitDir: string, name: string): IndexGlance => {
  let descriptor: number;
  try {
    descriptor = openSync(`${gitDir}/index`, constants.O_RDONLY | PLAIN_FILE);
  } catch (error) {
    return isAbsence(error) ? 'not-tracked' : 'ask-git';
  }
  try {
    return search(descriptor, name);
  } catch {
    return 'ask-git';
  } finally {
    closeSync(descriptor);
  }
};

const search = (descriptor: number, name: string): IndexGlance => {
  const stats = fstatSync(descriptor);
  if (!stats.isFile() || stats.size > MAX_INDEX_BYTES) return 'ask-git';
  const doubts = [name, 'link\0\0', 'sdir\0\0\0\0'].map((text) => Buffer.from(text, 'latin1'));
  const overlap = Math.max(...doubts.map(({ length }) => length)) - 1;
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, stats.size + overlap));
  let kept = 0;
  for (let total = 0; ; ) {
    const count = readSync(descriptor, buffer, kept, buffer.length - kept, null);
    // Shorter or longer than it was: it is being replaced.
    if (count === 0) return total === stats.size && total > 0 ? 'not-tracked' : 'ask-git';
    const seen = buffer.subarray(0, kept + count);
    if (total === 0 && !isSearchable(seen)) return 'ask-git';
    if (doubts.some((doubt) => seen.includes(doubt))) return 'ask-git';
    total += count;
    kept = Math.min(overlap, seen.length);
    buffer.copyWithin(0, seen.length - kept, seen.length);
  }
};

/** `DIRC`, then the version as a 32-bit number. */
const isSearchable = (header: Buffer): boolean =>
  header.length >= 12 &&
  header.toString('latin1', 0, 4) === 'DIRC' &&
  [2, 3].includes(header.readUInt32BE(4));
