/** Who has a lock's file open, and which git is at work on its repository: two witnesses of locks that name nobody. Pure. */
import { describeAge } from '../../report/amounts.ts';
import { isWithin, relativeTo } from '../../town/roles.ts';
import { whyUnlisted } from '../../town/unreached.ts';
import type { TownIndex } from '../../town/views.ts';
import type { MtimeClaim } from '../../types/claim.ts';
import type { GitUse, LockFile } from '../../types/evidence.ts';
import type { Fact, ProcessState, Reason, ReasonFor } from '../../types/judgement.ts';

/** What one witness says. */
export interface WitnessFinding {
  readonly state: Extract<ProcessState, 'alive' | 'gone' | 'unknown'>;
  readonly reason: Reason;
  readonly fact: Fact;
}

/** The compiler accepts only an `Undecided` reason for `unknown`. */
export const witness = <S extends WitnessFinding['state']>(
  state: S,
  reason: ReasonFor<S>,
  text: string,
  source: Fact['source'] = 'processes',
): WitnessFinding => ({ state, reason, fact: { source, text } });

/** Does a process have the file open? */
export const judgeOpeners = ({ path }: LockFile, { machine }: TownIndex): WitnessFinding => {
  const evidence = machine.seen.files?.open;
  const opener = evidence?.uses.find((use) => use.path === path);
  if (opener !== undefined)
    return witness('alive', 'file-open', `process ${opener.pid} (${opener.command}) has it open`);
  const why =
    evidence === undefined
      ? 'was not asked'
      : (evidence.hidden ?? whyUnlisted(machine.seen.processes.listing));
  return why === null
    ? witness('gone', 'file-not-open', 'no process has it open')
    : witness('unknown', 'file-unknown', `it is unknown who has it open: ${why}`);
};

/** Does a process hold the file's flock(2)? One that has the file open may, where the kernel does not tell who does. */
export const judgeFlock = ({ path }: LockFile, { machine }: TownIndex): WitnessFinding => {
  const holder = machine.seen.files?.flocks?.uses.find((use) => use.path === path);
  if (holder === undefined) return witness('unknown', 'flock-unknown', 'its holder could not be determined');
  const who = `process ${holder.pid} (${holder.command})`;
  return holder.mayHold === true
    ? witness('unknown', 'flock-unknown', `${who} has it open, and may hold it (flock)`)
    : witness('alive', 'flock-held', `${who} holds it (flock)`);
};

/** Was the file refreshed within the time in which its holder refreshes it? If not, that proves nothing: a machine may have slept. */
export const judgeRefreshing = (
  { mtimeMs }: LockFile,
  { refreshedWithinMs }: MtimeClaim,
  { snapshot }: TownIndex,
): WitnessFinding => {
  const ageMs = mtimeMs === null ? null : snapshot.takenAtMs - mtimeMs;
  const isFresh = ageMs !== null && Math.abs(ageMs) <= refreshedWithinMs;
  const text = ageMs === null ? 'its age is not known' : `last refreshed ${describeAge(ageMs / 1000)} ago`;
  return isFresh
    ? witness('alive', 'refreshed', text, 'clock')
    : witness('unknown', 'not-refreshed', text, 'clock');
};

/** Then its settings are not read, and places are compared as text only. */
const NOT_TEXT = 'the path of this lock is not UTF-8';

/**
 * Is a git at work on the repository? One that runs a hook and has no file open counts as well: its working directory lies in
 * the working tree, or it names it. One that works on another tree of the repository counts only where the lock is for all.
 */
export const judgeGit = (lock: LockFile, index: TownIndex): WitnessFinding => {
  const evidence = index.machine.seen.files?.git;
  const user = evidence?.uses.find((use) => worksOn(use, lock, index));
  if (user !== undefined)
    return witness(
      'alive',
      'git-running',
      `process ${user.pid} (${user.command}) is running in this repository`,
    );
  const hidden = evidence?.hidden ?? whyUnlisted(index.machine.seen.processes.listing);
  const why =
    evidence === undefined ? 'was not asked' : (hidden ?? (lock.pathBytes === null ? null : NOT_TEXT));
  return why === null
    ? witness('gone', 'git-not-running', 'no git is running in this repository')
    : witness('unknown', 'git-unknown', `it is unknown whether git is running there: ${why}`);
};

/** Where a git directory keeps the git directories of other working trees and of submodules. */
const OTHERS = ['worktrees', 'modules'] as const;

const worksOn = ({ places }: GitUse, lock: LockFile, index: TownIndex): boolean => {
  const { gitDir } = lock;
  if (gitDir === undefined) {
    const { root } = index.snapshot.town;
    return places.some((place) => isWithin(relativeTo(root, place) ?? '..', lock.worker));
  }
  const { path, main, tree } = gitDir;
  return places.some((place) => {
    // A place in the working tree itself: its git directory is not known.
    if (tree !== null && isIn(place, tree) && !/\/\.git(?:\/|$)/.test(place)) return true;
    if (!isOfOneTree(lock)) return isIn(place, main);
    if (isIn(place, main) && isSubmoduleOf(path, place)) return true;
    return isIn(place, path) && !OTHERS.some((others) => isIn(place, `${path}/${others}`));
  });
};

const isIn = (path: string, directory: string): boolean => relativeTo(directory, path) !== null;

/** A submodule's git directory: a git of the repository or linked working tree around it writes there as well. */
const isSubmoduleOf = (path: string, around: string): boolean => isIn(path, `${around}/modules`);

/** True for locks that only a git of that working tree takes. All others (refs, settings, HEADs) any tree's git may take. */
const isOfOneTree = ({ path }: LockFile): boolean => /\/(?:index|config\.worktree)\.lock$/.test(path);
