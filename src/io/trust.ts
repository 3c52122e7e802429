/**
 * The rule by which files and sockets of this machine count (docs/security.md): they and the directory that they lie in
 * belong to one of us or to root, and nobody else can write there.
 */
import { lstatSync, readFileSync, type Stats, statSync } from 'node:fs';
import { describeErrno } from './errno.ts';

const ROOT = 0;
const GROUP_MAY_WRITE = 0o020;
const ALL_MAY_WRITE = 0o002;
/** In such a directory (`/tmp`) nobody can rename or remove what belongs to others. */
const STICKY = 0o1000;

/** Larger account files are not searched: the group then counts as shared. */
const MAX_ACCOUNTS_BYTES = 1024 * 1024;

/** The user as whom this process acts. */
export const callerUid = (): number => process.geteuid?.() ?? ROOT;

/** The user who called sudo: root may look at what is his for him, and never runs it. Null without sudo. */
export const sudoUid = (): number | null => {
  const { SUDO_UID = '' } = process.env;
  return callerUid() === ROOT && /^\d+$/.test(SUDO_UID) ? Number(SUDO_UID) : null;
};

/** What belongs to this owner says nothing to somebody who acts for `uid`. */
export const isStranger = (owner: number, uid: number = callerUid()): boolean =>
  owner !== uid && owner !== ROOT;

/**
 * Why these entries (a directory, then what lies in it) may not be relied on, as a sentence fragment; null where they
 * may. `uid` and root may own and write them, nobody else. A symlink counts as well as what it leads to.
 */
export const distrust = (entries: readonly string[], uid: number = callerUid()): string | null => {
  for (const path of entries) {
    const why = faultOf(path, uid);
    if (why !== null) return why;
  }
  return null;
};

const faultOf = (path: string, uid: number): string | null => {
  try {
    const entry = lstatSync(path);
    // The mode of a symlink says nothing.
    if (entry.isSymbolicLink())
      return ownershipFault(path, entry, uid) ?? seenFault(path, statSync(path), uid);
    return seenFault(path, entry, uid);
  } catch (error) {
    return `${path}: ${describeErrno(error)}`;
  }
};

const seenFault = (path: string, stats: Stats, uid: number): string | null =>
  ownershipFault(path, stats, uid) ?? writersFault(path, stats, uid);

const ownershipFault = (path: string, stats: Stats, uid: number): string | null =>
  isStranger(stats.uid, uid) ? `${path} belongs to user ${stats.uid}` : null;

const writersFault = (path: string, stats: Stats, uid: number): string | null => {
  // Who may write to a socket may connect to it, and no more.
  if (stats.isSocket() || (stats.isDirectory() && (stats.mode & STICKY) !== 0)) return null;
  if ((stats.mode & ALL_MAY_WRITE) !== 0) return `everybody can write to ${path}`;
  if ((stats.mode & GROUP_MAY_WRITE) === 0 || isPrivateGroup(stats.gid, [uid, ROOT])) return null;
  return `group ${stats.gid} can write to ${path}`;
};

/**
 * Many systems give each user a group of his own and a umask of 002. The group is private only where the account files
 * show that one of these users has it as his own, and nobody else is in it.
 */
const isPrivateGroup = (gid: number, uids: readonly number[]): boolean => {
  const accounts = fieldsOf('/etc/passwd').map(([name = '', , uid, group]) => ({ name, uid, group }));
  const holders = accounts.filter(({ group }) => group === String(gid));
  const ours = accounts.filter(({ uid }) => uids.map(String).includes(uid ?? ''));
  const members = fieldsOf('/etc/group')
    .filter(([, , number]) => number === String(gid))
    .flatMap(([, , , names = '']) => names.split(',').filter((name) => name !== ''));
  const isOurs = (name: string): boolean => ours.some((account) => account.name === name);
  return holders.length > 0 && [...holders.map(({ name }) => name), ...members].every(isOurs);
};

/** The lines of an account file (passwd(5), group(5)), split at colons; none where it cannot be read. */
const fieldsOf = (path: string): readonly (readonly string[])[] => {
  try {
    if (statSync(path).size > MAX_ACCOUNTS_BYTES) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
};
