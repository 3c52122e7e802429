/** Taking a lock: free, ours already, or proven stale; everything else is refused. */
import { hostname } from 'node:os';
import { leftoverKind } from '../core/record/lock-names.ts';
import { formatLockRecord } from '../core/record/lock-record.ts';
import type { LockRecord, Stamp, TrueHolder } from '../core/types/evidence.ts';
import type { Verdict } from '../core/types/judgement.ts';
import type { OpenDirectory } from '../io/disk/open-directory.ts';
import type { SystemCalls } from '../io/disk/system-calls.ts';
import { quietly } from '../io/try-or.ts';
import { explainRefusal, isAbout } from './ask-the-judge.ts';
import { LockedError } from './errors.ts';
import { putBack } from './files/aside.ts';
import { readCompanion, removeCompanion, writeCompanion } from './files/companion.ts';
import { asidePath, type LockFiles, makeNonce } from './files/names.ts';
import { type RecordReading, readRecord } from './files/read-record.ts';
import { publish, removeQuietly, replaceFile, type Staged, stage } from './files/staging.ts';
import { tidyUp } from './files/tidy-up.ts';
import type { Guard } from './guard/guard.ts';
import {
  type HolderProcess,
  isProvenDead,
  lifeNow,
  mayLive,
  startTokenOf,
  trueHolderOf,
} from './identity.ts';
import { isOurs, type LockContext, notOurs, recordOf, take, tornGuard } from './lock-context.ts';

export interface AcquireRequest {
  /** What the record names as its session: a tmux pane id `%N`, a session name, `rig/name`; default: none. */
  readonly sessionId?: string;
  /** The process in whose name the lock is taken; default: this one. */
  readonly holder?: HolderProcess;
  /** PID to write as `pid`, the field that every reader knows; default: the holder's. */
  readonly recordedPid?: number;
  /** Names this acquisition, 16 hex digits; default: made anew. */
  readonly nonce?: string;
  /** Keep the true holder in a second record too, in case another tool overwrites the lock. */
  readonly companion?: boolean;
  /** Refuse (NoGuardError) where there is no guard, instead of taking a free lock without one. */
  readonly needsGuard?: boolean;
}

/** A lock that is held now. */
export interface Acquired {
  readonly how: 'taken' | 'taken-over' | 'refreshed';
  readonly record: LockRecord;
  readonly stamp: Stamp;
  /** False where this machine has no guard: then the lock can be held, but this program cannot give it back. */
  readonly guarded: boolean;
  /** With `taken-over`: what the dead holder's lock said. */
  readonly replaced?: LockRecord;
}

/** How often a lock that keeps changing is looked at again before it counts as held. */
const ATTEMPTS = 3;

/** Takes the lock under its guard. Throws LockedError, InvalidLockError, NoGuardError, or what the system throws. */
export const acquireGuarded = async (
  guard: Guard,
  request: AcquireRequest,
  context: LockContext,
): Promise<Acquired> => {
  const { calls, files, workerDir } = context;
  const text = await compose(request, context);
  const { kept } = tidyUp(guard, { nowMs: context.now(), clearReleasedAfterMs: null });
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const seen = readRecord(calls, files.lock);
    if (isOurs(context, seen)) return refreshGuarded(guard, request, context);
    if (seen.kind === 'absent') {
      refuseUnfinished(context, kept);
      refuseLiveCompanion(context);
    } else {
      const verdict = await judged(context, seen);
      if (verdict === null) continue;
      if (!mayTakeOver(verdict, guard)) throw refusal(context, seen, verdict);
    }
    if (!guard.stands()) throw tornGuard(workerDir);
    // Before anything is moved, so that a full disk fails here.
    const staged = stage(calls, files, text.record);
    try {
      const put = putInPlace(guard, request, context, { ...text, staged, seen });
      if (put !== null) return put;
    } finally {
      // Not reused: a writer that overwrites the lock in place also overwrites this second name of the same file.
      dropStaged(calls, files, staged);
    }
  }
  throw new LockedError(workerDir, `The lock of ${workerDir} changes faster than it can be judged.`, {
    state: 'unknown',
  });
};

/** Puts a staged record at the lock's name, in place of the stale lock that was seen there; null where somebody else was faster. */
const putInPlace = (
  guard: Guard,
  request: AcquireRequest,
  context: LockContext,
  { staged, seen, holder }: Composed & { readonly staged: Staged; readonly seen: RecordReading },
): Acquired | null => {
  const { calls, files } = context;
  const old =
    seen.kind === 'absent' ? null : take(context, guard, recordOf(context, seen).stamp, staged.nonce);
  if (typeof old === 'string') return null;
  try {
    const published = publish(guard.directory, files, guard, staged);
    if (published !== 'taken') {
      const how = old === null ? 'taken' : 'taken-over';
      const over = old === null ? {} : { replaced: recordOf(context, seen).record };
      const acquired = { how, ...recordOf(context, published), guarded: true, ...over } as const;
      finish(guard, request, context, holder, acquired);
      if (old !== null) removeQuietly(calls, old.aside);
      return acquired;
    }
  } catch (error) {
    if (old !== null) putBack(calls, files, old.aside); // if this fails too, the next run does it
    throw error;
  }
  if (old !== null) removeQuietly(calls, old.aside);
  return null;
};

/** The staged name goes last: together with the lock it tells the next run that an `.old` of its name was replaced. */
const dropStaged = (calls: SystemCalls, files: LockFiles, { nonce, path }: Staged): void =>
  quietly(() => {
    // At worst a leftover, which the next run removes.
    if (calls.lstat(asidePath(files, nonce)) === undefined) calls.unlink(path);
  });

/**
 * Takes a free lock where no program on this machine can flock: link(2) alone is exclusive. Nothing is ever removed.
 * `directory` is the lock's, and the context's calls go through it.
 */
export const acquireUnguarded = async (
  directory: OpenDirectory,
  request: AcquireRequest,
  context: LockContext,
): Promise<Acquired> => {
  const { calls, files } = context;
  const text = await compose(request, context);
  const seen = readRecord(calls, files.lock);
  if (seen.kind === 'absent') {
    refuseUnfinished(
      context,
      calls.list(files.directory).filter((name) => leftoverKind(name) === 'old'),
    );
    refuseLiveCompanion(context);
    const staged = stage(calls, files, text.record);
    try {
      const published = publish(directory, files, null, staged);
      if (published !== 'taken') return { how: 'taken', ...recordOf(context, published), guarded: false };
    } finally {
      removeQuietly(calls, staged.path);
    }
  }
  throw notOurs(context, readRecord(calls, files.lock));
};

/** Writes our own lock again, over itself. Throws NotLockedError, LockedError, or what the system throws. */
export const refreshGuarded = async (
  guard: Guard,
  request: AcquireRequest,
  context: LockContext,
): Promise<Acquired> => {
  const { calls, files, workerDir } = context;
  const before = readRecord(calls, files.lock);
  if (!isOurs(context, before)) throw notOurs(context, before);
  const { record } = recordOf(context, before);
  const text = await compose(
    {
      sessionId: request.sessionId ?? record.sessionId,
      holder: request.holder ?? record.holder ?? { pid: process.pid, startToken: null },
      recordedPid: request.recordedPid ?? (request.holder === undefined ? record.pid : request.holder.pid),
    },
    context,
  );
  if (!isOurs(context, readRecord(calls, files.lock))) throw notOurs(context, readRecord(calls, files.lock));
  if (!guard.stands()) throw tornGuard(workerDir);
  replaceFile(calls, files, files.lock, text.record);
  if (request.companion || readCompanion(calls, files)?.nonce === context.nonce) {
    writeCompanion(calls, files, text.holder);
  }
  return { how: 'refreshed', ...recordOf(context, readRecord(calls, files.lock)), guarded: true };
};

interface Composed {
  readonly record: string;
  readonly holder: TrueHolder;
}

const compose = async (request: AcquireRequest, { nonce, now }: LockContext): Promise<Composed> => {
  const process_ = request.holder ?? { pid: process.pid, startToken: await startTokenOf(process.pid) };
  const holder = trueHolderOf(process_, nonce ?? request.nonce ?? makeNonce());
  const record = formatLockRecord({
    pid: request.recordedPid ?? holder.pid,
    acquiredAtNs: BigInt(Math.trunc(now())) * 1_000_000n,
    sessionId: request.sessionId ?? '',
    hostname: hostname(),
    holder,
  });
  return { record, holder };
};

/** Writes the second record where one is wanted; a previous holder's must not stay beside the new lock. */
const finish = (
  guard: Guard,
  { companion }: AcquireRequest,
  context: LockContext,
  holder: TrueHolder,
  acquired: Acquired,
): void => {
  const { calls, files } = context;
  try {
    if (companion) writeCompanion(calls, files, holder);
    else removeCompanion(calls, files);
  } catch (error) {
    const taken = take(context, guard, acquired.stamp);
    if (typeof taken !== 'string') removeQuietly(calls, taken.aside);
    throw error;
  }
};

/** A lock that a dead run moved aside may be live: while it cannot be restored, no new one is taken in its place. */
const refuseUnfinished = ({ workerDir }: LockContext, unfinished: readonly string[]): void => {
  const [first] = unfinished;
  if (first === undefined) return;
  throw new LockedError(
    workerDir,
    `A lock of ${workerDir} was moved aside to ${first} and could not be restored.`,
    {
      state: 'unknown',
    },
  );
};

/** Refuses where the lock of a live agent was removed and its second record still names that agent. */
const refuseLiveCompanion = ({ calls, files, workerDir, nonce }: LockContext): void => {
  const holder = readCompanion(calls, files);
  if (holder === null || holder.nonce === nonce || !mayLive(holder)) return;
  const isCertain = lifeNow(holder) === 'alive';
  const verb = isCertain ? 'is' : 'may be';
  const message = `${workerDir} ${verb} held by process ${holder.pid}, although somebody removed its lock.`;
  throw new LockedError(workerDir, message, { state: isCertain ? 'held' : 'unknown' });
};

const judged = async (context: LockContext, seen: RecordReading): Promise<Verdict | null> => {
  recordOf(context, seen); // a file that is not a record or cannot be read is refused without a judge
  const { workerDir, files } = context;
  const verdict = await context.judge({ workerDir, path: files.lock });
  return verdict !== null && isAbout(verdict, seen) ? verdict : null;
};

/** True where the holder is proven gone and the guard holds for everybody who could take or break this lock. */
const mayTakeOver = ({ state, release, lock }: Verdict, { network }: Guard): boolean =>
  state === 'stale' && release.allowed && (network === null || isProvenDead(lock.content));

const refusal = (context: LockContext, seen: RecordReading, verdict: Verdict): LockedError => {
  const { record, stamp } = recordOf(context, seen);
  const message = explainRefusal(context.workerDir, verdict);
  return new LockedError(context.workerDir, message, { state: verdict.state, record, stamp, verdict });
};
