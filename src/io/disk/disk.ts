/** The file system as scans read it, behind a port that tests can replace. */
import type { Buffer } from 'node:buffer';
import { type Dirent, lstatSync, opendirSync, readdirSync, type Stats, statfsSync } from 'node:fs';
import { silentServerAround, unlessSilent } from '../file-systems/servers.ts';

/** One name in a directory, with the type that the directory itself gives. */
export type Entry = Pick<
  Dirent,
  | 'name'
  | 'isFile'
  | 'isDirectory'
  | 'isSymbolicLink'
  | 'isSocket'
  | 'isFIFO'
  | 'isCharacterDevice'
  | 'isBlockDevice'
>;

/** What a scan needs of lstat. */
export type EntryStat = Pick<
  Stats,
  'dev' | 'nlink' | 'mode' | 'uid' | 'size' | 'isDirectory' | 'isSymbolicLink'
>;

/** The system calls of a scan; tests substitute other file systems. All of them throw like `node:fs`. */
export interface Disk {
  /** Names with types. Bytes that are not UTF-8 come as U+FFFD: ask `listRaw` then. */
  readonly list: (path: string) => readonly Entry[];
  /** The first so many, however large the directory is; otherwise as `list` and, for bytes, `listRaw`. */
  readonly listFirst: (path: string | Buffer, most: number) => readonly Entry[];
  /** Names alone, which takes a quarter less; bytes that are not UTF-8 come as in `list`. */
  readonly names: (path: string) => readonly string[];
  /** Names with types, one character per byte. */
  readonly listRaw: (path: Buffer | string) => readonly Entry[];
  /** Undefined where there is nothing. */
  readonly lstat: (path: string | Buffer) => EntryStat | undefined;
  /** `f_type` of statfs(2). */
  readonly fileSystemType: (path: string) => number;
}

const WITH_TYPES = { withFileTypes: true } as const;
const NO_THROW = { throwIfNoEntry: false } as const;

/** A walk follows no symlinks, and to look for those in each of its paths would take too long. */
const inWalk = <Call extends Parameters<typeof unlessSilent>[0]>(call: Call): Call =>
  unlessSilent(call, silentServerAround);
const [list, lookAt] = [inWalk(readdirSync), inWalk(lstatSync)];
/** Node loads what opens directories when it is first asked for, which takes a quarter of a millisecond. */
const open = inWalk<typeof opendirSync>((path, options) => opendirSync(path, options));

/** The disk of this machine. */
export const realDisk: Disk = {
  list: (path) => {
    try {
      return list(path, WITH_TYPES);
    } catch (error) {
      if (isLostType(error)) return list(path).map(untyped);
      throw error;
    }
  },
  listFirst: (path, most) => {
    const directory = open(path as string, {
      bufferSize: 1024,
      ...(typeof path === 'string' ? {} : { encoding: 'latin1' }),
    });
    try {
      const found: Dirent[] = [];
      while (found.length < most) {
        const entry = directory.readSync();
        if (entry === null) break;
        found.push(entry);
      }
      return found;
    } finally {
      directory.closeSync();
    }
  },
  names: (path) => list(path),
  listRaw: (path) => list(path, { encoding: 'buffer' }).map((name) => untyped(name.toString('latin1'))),
  lstat: (path) => lookAt(path, NO_THROW),
  fileSystemType: (path) => statfsSync(path).type,
};

/**
 * True for a failure that does not concern the directory: where the file system gives no types, Node calls lstat for each
 * name, and one name that vanished meanwhile fails the whole listing.
 */
const isLostType = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && error.syscall === 'lstat';

const no = (): boolean => false;

/** An entry of which only the name is known. */
export const untyped = (name: string): Entry => ({
  name,
  isFile: no,
  isDirectory: no,
  isSymbolicLink: no,
  isSocket: no,
  isFIFO: no,
  isCharacterDevice: no,
  isBlockDevice: no,
});

/** True where the directory did not say what the entry is, so that lstat must. */
export const isUntyped = (entry: Entry): boolean =>
  !(
    entry.isFile() ||
    entry.isDirectory() ||
    entry.isSymbolicLink() ||
    entry.isSocket() ||
    entry.isFIFO() ||
    entry.isCharacterDevice() ||
    entry.isBlockDevice()
  );
