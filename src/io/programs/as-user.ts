/**
 * Starts a program with another user's permissions and nothing of ours (root only). Node drops all supplementary groups
 * where a user is named; everything else is done here.
 */
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { remembering } from '../../core/remembering.ts';
import { tryOr } from '../try-or.ts';
import { findSystemProgram } from './find-program.ts';

/** Options of Node's `spawn` and `spawnSync`. */
export interface OtherUser {
  readonly uid: number;
  readonly gid: number;
  /** A session of its own: no terminal of ours to type into. */
  readonly detached: true;
  /** Our own directory may be closed to that user. */
  readonly cwd: '/';
  /** What the descriptors from 3 on are. */
  readonly extraDescriptors: readonly ('ignore' | number)[];
}

/** The group of a user who has no account: it owns nothing. */
const NOBODYS_GROUP = 65_534;

const ID_TIMEOUT_MS = 2000;

/** O_CLOEXEC among the octal flags of `/proc/self/fdinfo`. */
const CLOSED_ON_EXEC = 0o2000000;

const anotherUser = remembering((uid: number): OtherUser => {
  const gid = primaryGroupOf(uid);
  return { uid, gid, detached: true, cwd: '/', extraDescriptors: coveredDescriptors() };
});

/** The options for that user; null where it is our own. Asks `id` for the user's group, once. Never throws. */
export const otherUser = (uid: number): OtherUser | null =>
  uid === process.geteuid?.() ? null : anotherUser(uid);

const primaryGroupOf = (uid: number): number => {
  const program = findSystemProgram('id', {});
  if (program === null) return NOBODYS_GROUP;
  // Loaded here, because most runs need no program.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status, stdout } = spawnSync(program, ['-g', String(uid)], {
    encoding: 'utf8',
    env: {},
    timeout: ID_TIMEOUT_MS,
  });
  return status === 0 && /^\d+\n$/.test(stdout) ? Number(stdout) : NOBODYS_GROUP;
};

/**
 * Covers inherited descriptors with `/dev/null`: Node closes its own descriptors in a child, but not all that it inherited itself
 * (a shell's `exec 200>lock`).
 */
const coveredDescriptors = (): readonly ('ignore' | number)[] => {
  const inherited = inheritedDescriptors();
  if (inherited.length === 0) return [];
  const nothing = openSync('/dev/null', 'r');
  return Array.from({ length: Math.max(...inherited) - 2 }, (_, index) =>
    inherited.includes(index + 3) ? nothing : 'ignore',
  );
};

/** Open descriptors above 2 that a child would inherit; known on Linux only. */
const inheritedDescriptors = (): readonly number[] =>
  tryOr(
    () =>
      readdirSync('/proc/self/fd')
        .map(Number)
        .filter((descriptor) => descriptor > 2 && !isClosedOnExec(descriptor)),
    [],
  );

const isClosedOnExec = (descriptor: number): boolean => {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'))?.[1];
    return flags === undefined || (Number.parseInt(flags, 8) & CLOSED_ON_EXEC) !== 0;
  } catch {
    return true; // the descriptor of the listing itself, closed by now
  }
};
