/**
 * The rule by which files and sockets of this machine are trusted (docs/security.md): they and their directory belong to the
 * user or to root, and no one else can write there.
 */
import { readFileSync, type Stats } from 'node:fs';
import { describeErrno } from './errno.ts';
import { lstatSync, statSync } from './file-systems/servers.ts';

const ROOT = 0;
const GROUP_MAY_WRITE = 0o020;
const ALL_MAY_WRITE = 0o002;
/** In such a directory (`/tmp`) users cannot rename or remove the files of others. */
const STICKY = 0o1000;

/** Larger account files are not searched: the group then counts as shared. */
const MAX_ACCOUNTS_BYTES = 1024 * 1024;

/** The user as whom this process acts. */
export const callerUid = (): number => process.geteuid?.() ?? ROOT;

/** The user who called sudo: root may read that user's files, but never runs them. Null without sudo. */
export const sudoUid = (): number | null => {
  const { SUDO_UID = '' } = process.env;
  return callerUid() === ROOT && /^\d+$/.test(SUDO_UID) ? Number(SUDO_UID) : null;
};

/** True for an owner whose files are not trusted by a process that acts for `uid`. */
export const isStranger = (owner: number, uid: number = callerUid()): boolean =>
  owner !== uid && owner !== ROOT;

/**
 * Why these entries (a directory, then what lies in it) may not be relied on, as a sentence fragment; null where they
 * may. Only `uid` and root may own and write them. Both a symlink and its target have to pass.
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
    // The mode of a symlink has no meaning.
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
  // Write permission on a socket only allows connecting to it.
  if (stats.isSocket() || (stats.isDirectory() && (stats.mode & STICKY) !== 0)) return null;
  if ((stats.mode & ALL_MAY_WRITE) !== 0) return `everybody can write to ${path}`;
  if ((stats.mode & GROUP_MAY_WRITE) === 0 || isPrivateGroup(stats.gid, [uid, ROOT])) return null;
  return `group ${stats.gid} can write to ${path}`;
};

/** False where a directory's owner and mode show that this user cannot write there. Access lists are not read. */
export const mayWrite = (directory: string, uid: number): boolean => {
  if (uid === ROOT) return true;
  try {
    const { uid: owner, gid, mode } = statSync(directory);
    if (owner === uid || (mode & ALL_MAY_WRITE) !== 0) return true;
    return (mode & GROUP_MAY_WRITE) !== 0 && !isPrivateGroup(gid, [owner, ROOT]);
  } catch {
    return true;
  }
};

/**
 * Many systems give each user a private group and a umask of 002. A group counts as private only where the account files
 * show that it is the primary group of one of these users and has no other members.
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
