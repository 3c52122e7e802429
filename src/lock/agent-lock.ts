/** The lock of one worker: taken, refreshed and given back without ever losing a live one. */
import type { Stamp } from '../core/types/evidence.ts';
import { makeDirectory } from '../io/disk/make-files.ts';
import { type OpenDirectory, openOwned } from '../io/disk/open-directory.ts';
import { realOrSame } from '../io/disk/real-path.ts';
import { systemCalls } from '../io/disk/system-calls.ts';
import { isAbsence } from '../io/errno.ts';
import {
  type Acquired,
  type AcquireRequest,
  acquireGuarded,
  acquireUnguarded,
  refreshGuarded,
} from './acquire.ts';
import { doctorsJudge, type Judge } from './ask-the-judge.ts';
import { GuardBusyError, InvalidLockError, LockedError, NoGuardError, NotLockedError } from './errors.ts';
import { agentsLockFiles } from './files/names.ts';
import { ignoreDirectory } from './files/staging.ts';
import { tidyUp } from './files/tidy-up.ts';
import type { Guard, GuardOptions } from './guard/guard.ts';
import { takeGuard } from './guard/take-guard.ts';
import { handOverGuarded } from './hand-over.ts';
import type { HolderProcess } from './identity.ts';
import { asLockError, type LockContext, recordOf, type Seen } from './lock-context.ts';
import { forceReleaseGuarded, giveBackGuarded, type Released } from './release.ts';
import { type LockStatus, lookAtLock, statusOf } from './status.ts';

export interface LockOptions extends GuardOptions {
  /** Decides what a lock of somebody else is; default: the doctor's own look at the worker. */
  readonly judge?: Judge;
  /** Milliseconds since the epoch; default: the clock of this machine. */
  readonly now?: () => number;
  /** The worker's path has no symlinks: one that has appeared in it since is refused, not followed. */
  readonly isReal?: boolean;
}

/**
 * The lock of a worker directory (`<worker>/.runtime/agent.lock`). One instance is one holder: two instances exclude
 * each other, even in one process. Questions never write. Every method rejects with LockIoError where the disk refuses.
 */
export class Lock {
  readonly workerDir: string;
  readonly #options: LockOptions;
  /** Nonce of the acquisition that this instance holds. */
  #nonce: string | null = null;
  /** Session that this acquisition names; empty for none. */
  #sessionId = '';

  constructor(workerDir: string, options: LockOptions = {}) {
    this.workerDir = workerDir;
    this.#options = options;
  }

  /**
   * Takes the lock, or refreshes it where this instance has it already. A lock of somebody else is taken over only
   * where its holder is proven gone. The worker's directory must exist; `.runtime` is made.
   * Rejects with LockedError (held, or not proven free), InvalidLockError (the file is not a lock record), GuardBusyError
   * or NoGuardError; nothing is changed then.
   */
  async acquire(request: string | AcquireRequest = {}): Promise<Acquired> {
    const wanted = typeof request === 'string' ? { sessionId: request } : request;
    const context = this.#context();
    makeHome(context);
    const acquired = await this.#guarded(
      context,
      (guard, inside) => acquireGuarded(guard, wanted, inside),
      wanted.needsGuard === true ? null : (directory, inside) => acquireUnguarded(directory, wanted, inside),
      'takes',
    );
    this.#nonce = acquired.record.holder?.nonce ?? null;
    this.#sessionId = acquired.record.sessionId;
    return acquired;
  }

  /**
   * Writes our lock again with the present time, and with a new session where one is given; the name is never absent
   * meanwhile. Rejects with NotLockedError or LockedError where it is no longer ours.
   */
  async refresh(sessionId?: string): Promise<Acquired> {
    const context = this.#context();
    const request = sessionId === undefined ? {} : { sessionId };
    return this.#guarded(context, (guard, inside) => refreshGuarded(guard, request, inside), null);
  }

  /**
   * Gives our lock back. Where another tool overwrote it (a Gas Town hook does), it is removed if the doctor proves it
   * stale, otherwise left; our second record is removed in either case. Rejects with NotLockedError, or LockedError where the lock
   * is somebody else's.
   */
  async release(): Promise<Released> {
    const context = this.#context();
    const released = await this.#guarded(
      context,
      (guard, inside) => giveBackGuarded(guard, inside),
      null,
      'gives',
    );
    this.#nonce = null;
    return released;
  }

  /**
   * Hands our lock over to another process: unless it is given back before, it becomes stale when that process ends.
   * Rejects with NotLockedError or LockedError where it is no longer ours.
   */
  async handOver(holder: HolderProcess): Promise<void> {
    const context = this.#context();
    await this.#guarded(context, (guard, inside) => handOverGuarded(guard, holder, inside), null, 'gives');
  }

  /**
   * Finishes or undoes what killed runs left beside the lock, as `acquire` does. Rejects with GuardBusyError or
   * NoGuardError; then nothing was changed.
   */
  async tidyUp(): Promise<void> {
    const context = this.#context();
    const options = { nowMs: context.now(), clearReleasedAfterMs: null };
    await this.#guarded(context, (guard) => void tidyUp(guard, options), null);
  }

  /**
   * Moves a lock aside even if its holder lives, but only the exact file and bytes that the caller has seen. Rejects with
   * LockChangedError where it has changed.
   * @returns path of the kept copy
   */
  async forceRelease(expected: Stamp): Promise<string> {
    const context = this.#context();
    return this.#guarded(context, (guard, inside) => forceReleaseGuarded(guard, inside, expected), null);
  }

  /** What the lock says, without judging it. Rejects with NotLockedError, InvalidLockError or LockedError (unreadable). */
  async read(): Promise<Seen> {
    const context = this.#context();
    return recordOf(context, lookAtLock(context));
  }

  /**
   * May an agent start here? `free`: there is no lock; `ours`: this instance has it; `stale`: its holder is proven gone,
   * and `acquire` takes it over or says why not yet. Rejects with LockedError or InvalidLockError for everything else.
   */
  async check(): Promise<'free' | 'ours' | 'stale'> {
    const { state, text, problem, record, stamp, verdict } = await this.status();
    if (state === 'unlocked') return 'free';
    if (state === 'ours' || state === 'stale') return state;
    if (problem !== null) throw new InvalidLockError(this.workerDir, problem.problem, problem.detail);
    throw new LockedError(this.workerDir, text, { state, record, stamp, verdict });
  }

  /** What the lock is and why. Never rejects for what it finds. */
  async status(): Promise<LockStatus> {
    return statusOf(this.#context());
  }

  /**
   * Runs a step under the guard; where this machine has none, `unguarded` runs if it is given. Both get the context with
   * the calls of the directory that was opened.
   */
  async #guarded<T>(
    context: LockContext,
    use: (guard: Guard, inside: LockContext) => T | Promise<T>,
    unguarded: ((directory: OpenDirectory, inside: LockContext) => Promise<T>) | null,
    purpose: 'takes' | 'gives' | 'changes' = 'changes',
  ): Promise<T> {
    // Taking a lock may fail early; giving it back waits longer.
    const taken = await takeGuard(context.files, { urgent: purpose === 'gives', ...this.#options });
    try {
      if (taken.kind === 'held')
        return await use(taken.guard, { ...context, calls: taken.guard.directory.calls });
      if (taken.kind === 'busy') throw new GuardBusyError(this.workerDir, taken.waitedMs);
      if (taken.cause === 'no-tool' && unguarded !== null) return await inDirectory(context, unguarded);
      if (taken.cause !== 'io') throw new NoGuardError(this.workerDir, taken.why, taken.hint);
      // Without its directory there is no lock; only an attempt to take one reports the missing directory.
      throw isAbsence(taken.error) && purpose !== 'takes' ? new NotLockedError(this.workerDir) : taken.error;
    } catch (error) {
      throw asLockError(this.workerDir, error);
    } finally {
      if (taken.kind === 'held') taken.guard.letGo();
    }
  }

  #context(): LockContext {
    const { calls = systemCalls, judge = doctorsJudge(), now = Date.now, isReal = false } = this.#options;
    const { workerDir } = this;
    return {
      workerDir,
      // The caller may use symlinks above the worker's directory; below it none is followed.
      files: agentsLockFiles(isReal ? workerDir : realOrSame(workerDir)),
      calls,
      judge,
      now,
      nonce: this.#nonce,
      sessionId: this.#sessionId,
    };
  }
}

/** Makes `.runtime` in an existing worker's directory. git is told to ignore it only if we made it. */
const makeHome = ({ calls, files, workerDir }: LockContext): void => {
  try {
    if (makeDirectory(calls, files.directory)) ignoreDirectory(calls, files);
  } catch (error) {
    throw asLockError(workerDir, error);
  }
};

const inDirectory = async <T>(
  context: LockContext,
  use: (directory: OpenDirectory, inside: LockContext) => Promise<T>,
): Promise<T> => {
  const directory = openOwned(context.calls, context.files.directory);
  try {
    return await use(directory, { ...context, calls: directory.calls });
  } finally {
    directory.close();
  }
};
