/** Gives a lock back: only our own, unless the caller names the exact bytes. */
import { releaseOf } from '../core/judge/may-release.ts';
import type { Stamp } from '../core/types/evidence.ts';
import type { Verdict } from '../core/types/judgement.ts';
import { explainRefusal, isAbout } from './ask-the-judge.ts';
import { LockChangedError, NotLockedError } from './errors.ts';
import { finishAside } from './files/aside.ts';
import { readCompanion, removeCompanion } from './files/companion.ts';
import { makeRunId, releasedPath } from './files/names.ts';
import { readRecord } from './files/read-record.ts';
import type { Guard } from './guard/guard.ts';
import { isOurs, type LockContext, notOurs, take } from './lock-context.ts';

/** The outcome of giving a lock back. */
export type Released =
  | { readonly kind: 'released' }
  /** Another tool had overwritten it, and its holder is not proven gone: it was left alone. */
  | { readonly kind: 'left'; readonly why: string };

/**
 * Removes our own lock and our second record. A lock that another tool wrote over ours is removed where it is proven
 * stale, otherwise left. Throws NotLockedError, LockedError, NoGuardError, or what the system throws.
 */
export const giveBackGuarded = async (guard: Guard, context: LockContext): Promise<Released> => {
  const { calls, files, nonce } = context;
  const isCompanionOurs = nonce !== null && readCompanion(calls, files)?.nonce === nonce;
  const seen = readRecord(calls, files.lock);
  if (seen.kind === 'file' && isOurs(context, seen)) {
    remove(guard, context, seen.stamp);
    if (isCompanionOurs) removeCompanion(calls, files);
    return { kind: 'released' };
  }
  if (!isCompanionOurs) throw notOurs(context, seen);
  removeCompanion(calls, files);
  return seen.kind === 'absent' ? { kind: 'released' } : releaseOverwritten(guard, context);
};

/** Moves the lock with exactly this stamp to a kept copy, whoever holds it. Throws as `giveBackGuarded`. */
export const forceReleaseGuarded = (guard: Guard, context: LockContext, expected: Stamp): string => {
  const { calls, files, now } = context;
  const backup = releasedPath(files, makeRunId(now()));
  const aside = takeOrThrow(guard, context, expected);
  finishAside(calls, files, aside, () => calls.rename(aside, backup));
  removeCompanion(calls, files);
  return backup;
};

const releaseOverwritten = async (guard: Guard, context: LockContext): Promise<Released> => {
  const { workerDir, files, calls } = context;
  const verdict = await context.judge({ workerDir, path: files.lock });
  const seen = readRecord(calls, files.lock);
  if (seen.kind === 'absent') return { kind: 'released' };
  if (verdict === null || seen.kind !== 'file' || !isAbout(verdict, seen)) {
    return { kind: 'left', why: `The lock of ${workerDir} was overwritten and is somebody else's now.` };
  }
  const isFree = (verdict.state === 'stale' && verdict.release.allowed) || isFromOurSession(verdict, context);
  if (!isFree || guard.network !== null) {
    return { kind: 'left', why: explainRefusal(workerDir, verdict) };
  }
  remove(guard, context, seen.stamp);
  return { kind: 'released' };
};

/**
 * True where a hook inside our own session wrote it and has ended: the session that it names is ours, so it proves no other
 * agent alive, and the lock's age does not matter.
 */
const isFromOurSession = (verdict: Verdict, { sessionId }: LockContext): boolean => {
  const { state, holder, occupants, occupantsKnown } = verdict;
  const isDead = holder?.process === 'gone' || holder?.process === 'recycled';
  const isOurs =
    sessionId !== '' && holder?.sessionId === sessionId && (state === 'stale' || state === 'held');
  return isOurs && isDead && releaseOf(verdict, true).allowed && occupants.length === 0 && occupantsKnown;
};

const remove = (guard: Guard, context: LockContext, expected: Stamp): void => {
  const { calls, files } = context;
  const aside = takeOrThrow(guard, context, expected);
  finishAside(calls, files, aside, () => calls.unlink(aside));
};

const takeOrThrow = (guard: Guard, context: LockContext, expected: Stamp): string => {
  const taken = take(context, guard, expected);
  if (taken === 'absent') throw new NotLockedError(context.workerDir);
  if (taken === 'changed') {
    const message = `The lock of ${context.workerDir} is not the one that was seen; it was left as it is.`;
    throw new LockChangedError(context.workerDir, message);
  }
  return taken.aside;
};
