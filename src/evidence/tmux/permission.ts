/**
 * Which tmux servers may be asked, and as whom. A tmux client does what its server says (`save-buffer` writes files), so
 * nobody's server is ever asked with permissions that its owner lacks.
 */
import { lstatSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeErrno } from '../../io/errno.ts';
import { callerUid, distrust } from '../../io/trust.ts';
import { tryOr } from '../../io/try-or.ts';
import type { ProcessTable } from '../processes/row.ts';

export type Permission =
  /** The user as whom to ask: the owner of the socket. */
  | { readonly as: number }
  /** Why it is not asked; `owner` where another user owns it. */
  | { readonly as: null; readonly why: string; readonly owner: number | null };

/**
 * Looks at a socket (absolute path, symlinks resolved). The caller's own may be asked. Root may also ask those of `uids`, the
 * owners of the town and its locks, where only the owner and root can put another socket in its place.
 */
export const permissionToAsk = (socket: string, uids: readonly number[]): Permission => {
  const caller = callerUid();
  let owner: number;
  try {
    owner = lstatSync(socket).uid;
  } catch (error) {
    return { as: null, why: describeErrno(error), owner: null };
  }
  if (owner !== caller && (caller !== 0 || !uids.includes(owner)))
    return { as: null, why: belongsTo(owner), owner };
  const fault = distrust([dirname(socket), socket], owner);
  return fault === null ? { as: owner } : { as: null, why: `${fault}: not asked`, owner: null };
};

/** Why a server of that user is not asked; null stands for an unknown user. */
export const belongsTo = (owner: number | null): string => {
  const whose = callerUid() === 0 && owner !== null ? ', who owns neither the town nor a lock in it' : '';
  return `belongs to ${owner === null ? 'an unknown user' : `user ${owner}`}${whose}: not asked`;
};

/**
 * Why a running server is not asked although its owner's may be: it is in a container or sandbox with fewer rights than ours,
 * and a client of ours could do for it what it may not do itself. Null where it has all the rights that we have.
 */
export const confinementOf = (pid: number): string | null => {
  const [theirs, ours] = [rightsOf(pid), rightsOf('self')];
  if (theirs === null || ours === null) return 'it was not asked, because it is unknown what confines it';
  const isFree =
    theirs.userNamespace === ours.userNamespace &&
    (theirs.capabilities & ours.capabilities) === ours.capabilities &&
    theirs.seccomp <= ours.seccomp;
  return isFree ? null : 'is confined (container or sandbox) and we are not: not asked';
};

interface Rights {
  readonly userNamespace: string;
  /** The bounding set: what it could ever have. */
  readonly capabilities: bigint;
  /** Mode of its system call filter: 0 for none. */
  readonly seccomp: number;
}

const rightsOf = (pid: number | 'self'): Rights | null => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const [, bounding] = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status) ?? [];
    const [, seccomp = '0'] = /^Seccomp:\s*(\d)$/m.exec(status) ?? [];
    if (bounding === undefined) return null;
    return {
      userNamespace: readlinkSync(`/proc/${pid}/ns/user`),
      capabilities: BigInt(`0x${bounding}`),
      seccomp: Number(seccomp),
    };
  } catch {
    return null;
  }
};

/**
 * The program that a running server was started from, as a path that can be executed even where it was replaced or
 * removed since; null where it is `program` itself, is not known, or may not be run by this user.
 */
export const programOfServer = (
  pid: number,
  as: number,
  program: string | null,
  { details }: ProcessTable,
): string | null => {
  const link = `/proc/${pid}/exe`;
  if (details.uid(pid) !== as || !details.sharesOurPaths(pid)) return null;
  return tryOr(
    () => (program !== null && readlinkSync(link) === realpathSync.native(program) ? null : link),
    null,
  );
};
