/** May a lock be released? The one decision: of the judge, of a plan, at the moment of acting, and under `--force`. */
import type { TownIndex } from '../town/views.ts';
import type { LockFile } from '../types/evidence.ts';
import type { Refusal, Release, State, Verdict } from '../types/judgement.ts';
import { isFresh, secondsLeft } from './ages.ts';
import type { OccupantFinding } from './occupants/occupants.ts';

/** Shared: there may be ten thousand verdicts. */
const ALLOWED: Release = { allowed: true };

const refuse = (why: Refusal['why'], retryInSeconds: number | null = null): Release => ({
  allowed: false,
  why,
  retryInSeconds,
});

/** Why the file cannot be moved, whatever is asked for; null for a file that a repair can move. */
export const immovable = ({
  isRegularFile,
  stamp,
  pathBytes,
}: LockFile): 'not-a-file' | 'not-utf8' | null => {
  if (!isRegularFile || stamp === null) return 'not-a-file';
  return pathBytes === null ? null : 'not-utf8';
};

/** True where git is known to track it. */
export const isTracked = ({ git }: LockFile): boolean => git?.tracked.seen === true && git.tracked.value;

/** What not even force releases. */
const forbidden = (lock: LockFile): Refusal['why'] | null => {
  if (isTracked(lock)) return 'tracked';
  if (liesOutside(lock)) return 'outside';
  if (lock.rules?.isNeverLetGo === true) return 'never';
  const { content, tree } = lock;
  // A damaged agent's lock says nothing about its holder either, but for those the agents in the directory are looked for.
  if (lock.rules !== undefined && content.kind === 'invalid') return immovable(lock) ?? 'no-owner';
  if (content.kind === 'claim' && content.claim.by !== 'number' && content.claim.by !== 'open-file')
    return content.claim.by === 'person'
      ? tree?.isUnfinished === true
        ? movable(lock)
        : 'by-hand'
      : 'never';
  return movable(lock);
};

/** In a working tree or git directory outside of the root: a repair writes nowhere but in its root. */
const liesOutside = ({ worker, rules, gitDir }: LockFile): boolean =>
  gitDir?.isOutside === true || (rules === undefined && worker.startsWith('../'));

const movable = (lock: LockFile): Refusal['why'] | null => {
  return immovable(lock) ?? (lock.git?.tracked.seen === true ? null : 'tracked-unknown');
};

/** May a lock of this state be released without force? `own`: a start token of ours proved its holder dead. */
export const mayRelease = (
  lock: LockFile,
  state: State,
  own: boolean,
  around: OccupantFinding,
  index: TownIndex,
): Release => {
  const never = forbidden(lock);
  if (never === 'by-hand') return refuse(never);
  if (never !== 'tracked' && state !== 'stale' && state !== 'invalid') return refuse('state');
  if (never === 'no-owner' && isFresh(lock, index)) return refuse('young', secondsLeft(lock, index));
  if (never !== null) return refuse(never);
  if (state === 'stale')
    return !own && isFresh(lock, index) ? refuse('fresh', secondsLeft(lock, index)) : ALLOWED;
  if (around.occupants.length > 0) return refuse('occupied');
  if (!around.known) return refuse('occupants-unknown');
  return isFresh(lock, index) ? refuse('young', secondsLeft(lock, index)) : ALLOWED;
};

/** May this lock be released; `force`: because a person named its worker, whatever its state. */
export const releaseOf = ({ lock, release }: Verdict, force: boolean): Release => {
  if (!force) return release;
  const never = forbidden(lock);
  return never === null ? ALLOWED : refuse(never);
};
