/** What identifies a file beyond its name: device, inode, time, size and content. */
import type { BigIntStats } from 'node:fs';
import type { Stamp } from '../../core/types/evidence.ts';
import { sha256Hex } from './digest.ts';

/**
 * The stamp of a file from its fstat and the bytes read through the same descriptor; the digest of a large file covers only
 * its beginning.
 */
export const stampOf = ({
  stat,
  bytes,
  isCut,
}: {
  readonly stat: BigIntStats;
  readonly bytes: Uint8Array;
  readonly isCut?: true;
}): Stamp => ({
  dev: deviceText(stat.dev),
  ino: String(stat.ino),
  mtimeNs: String(stat.mtimeNs),
  size: isCut === true ? Number(stat.size) : bytes.length,
  sha256: sha256Hex(bytes),
});

/** Nearly all locks of a town are on one device, whose number they share. */
let lastDevice = { dev: -1n, text: '' };

const deviceText = (dev: bigint): string => {
  if (dev !== lastDevice.dev) lastDevice = { dev, text: String(dev) };
  return lastDevice.text;
};

/** The same file with the same bytes: device, inode, mtime, size and hash, because inode numbers are reused at once. */
export const isSameStamp = (one: Stamp, other: Stamp): boolean =>
  one.dev === other.dev &&
  one.ino === other.ino &&
  one.mtimeNs === other.mtimeNs &&
  one.size === other.size &&
  one.sha256 === other.sha256;

/** True where both are the same file. */
export const isSameFile = (one: BigIntStats, other: BigIntStats): boolean =>
  one.dev === other.dev && one.ino === other.ino;
