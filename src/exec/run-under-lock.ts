/** `doctor exec`: one command at a time per worker, guaranteed by a lock in the command's own name. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../core/failure.ts';
import { explain, finish, isMovedAside, mayBeMistyped } from '../core/preflight/clear-to-start.ts';
import { answerPreflight, answerVerdict } from '../core/preflight/with-locks.ts';
import { claimsWorker } from '../core/town/lock-rules.ts';
import type { Snapshot } from '../core/types/evidence.ts';
import { type Answer, EXIT, type PreflightResult } from '../core/types/report.ts';
import { isMarked } from '../evidence/town/marker.ts';
import { outsideTown, refuseMistake, refuseTaken } from '../evidence/town/new-worker.ts';
import type { TownRoot } from '../evidence/town/root.ts';
import { absoluteOf, resolveWorker } from '../evidence/town/worker-path.ts';
import { leadsToDirectory } from '../io/disk/entry-exists.ts';
import type { Environment } from '../io/programs/find-program.ts';
import type { AcquireRequest } from '../lock/acquire.ts';
import { Lock } from '../lock/agent-lock.ts';
import { doctorsJudge } from '../lock/ask-the-judge.ts';
import { LockError, LockedError } from '../lock/errors.ts';
import { agentsLockFiles, makeNonce } from '../lock/files/names.ts';
import { startTokenOf } from '../lock/identity.ts';
import {
  followMoves,
  type LookOptions,
  lookToStart,
  movedFrom,
  placeWorker,
  refuseEmptyContainer,
  townOf,
} from '../look.ts';
import type { TakenOver } from '../repair/note-take-over.ts';
import { quoteCommand } from '../reporters/screen/shell-quote.ts';
import { endHold } from './end-hold.ts';
import { environmentUnderLock } from './environment.ts';
import { findObstacle, standsElsewhere, startGate } from './gate.ts';
import { passSignals } from './pass-signals.ts';
import { watchWorker } from './wait-for-change.ts';

/** The lock that is about to be taken. */
export interface HoldToBe {
  /** Of the town. */
  readonly root: string;
  readonly worker: string;
  readonly sessionId: string;
  /** The nonce of its record. */
  readonly nonce: string;
}

/** Something that is held besides the lock, taken before it and given back after it: a lease that the whole fleet sees. */
export interface Besides {
  /** Takes it; returns the command's environment, or why it may not run. */
  readonly take: (hold: HoldToBe) => Promise<{ readonly environment: Environment } | PreflightResult>;
  /** After a refusal: resolves once asking again makes sense, or at the deadline (`performance.now()`). */
  readonly untilFree: (worker: string, deadlineMs: number) => Promise<void>;
  /** Called with the command once it runs, and with the variables that the command gets. */
  readonly onStarted: (command: Pick<ChildProcess, 'kill' | 'pid'>, environment: Environment) => void;
  /** Gives it back. Returns a sentence if something went wrong, with an exit code that replaces the command's, or null. */
  readonly end: () => Promise<{ readonly notice: string; readonly exitCode: number | null } | null>;
}

export interface ExecRequest extends LookOptions {
  /** `--town`; default as everywhere. */
  readonly town?: string | undefined;
  /** As typed. */
  readonly worker: string;
  readonly command: readonly string[];
  /** What the lock names as its session; default `$TMUX_PANE`. */
  readonly session?: string | undefined;
  /** How long to wait for a worker that is held. */
  readonly waitMs: number;
  /** Whose PID the lock shows to other tools; default: that of a helper that has ended in a Gas Town, else the command's. */
  readonly record?: 'process' | 'helper' | undefined;
  /** The command stays in the caller's directory; default: it runs in the worker's. */
  readonly stay?: boolean | undefined;
  /** Called when the lock of a dead holder was taken over, before the command runs. Must not reject. */
  readonly onTakenOver?: ((taken: TakenOver) => Promise<void>) | undefined;
  /** Called when the lock is held, before the command runs; with what preflight says of git's locks there, if there are any. */
  readonly onHeld?: ((worker: string, root: string, noted: PreflightResult | null) => void) | undefined;
  /** Gives what is held besides the lock; called once the town's configuration was read. */
  readonly besides?: (() => Promise<Besides | undefined>) | undefined;
}

export type ExecOutcome =
  /** The lock could not be taken; the command did not run. */
  | {
      readonly kind: 'refused';
      readonly exitCode: number;
      readonly town: TownRoot;
      readonly result: PreflightResult;
    }
  /** There is no such command, or it cannot be executed. */
  | { readonly kind: 'not-started'; readonly exitCode: number; readonly why: string }
  | { readonly kind: 'ended'; readonly exitCode: number; readonly notice: string | null };

interface Target {
  readonly town: TownRoot;
  readonly worker: string;
  readonly directory: string;
  /** As typed, absolute: a symlink may lead from there to the directory. */
  readonly named: string;
  /** Somebody said that the root is a town. */
  readonly isTown: boolean;
}

/**
 * Takes the worker's lock in the name of the command, runs it in the caller's terminal, passes signals on and gives the
 * lock back, or hands it over to what the command left running. Of two at once on one worker, one runs and the other is refused
 * (or waits).
 *
 * @throws Failure E_USAGE for a worker that does not exist and in which nobody runs, and for a directory that only holds workers
 */
export const runUnderLock = async (request: ExecRequest): Promise<ExecOutcome> => {
  const { env = process.env, cwd = process.cwd(), command } = request;
  const target = findTarget(request, cwd);
  if (!leadsToDirectory(target.directory)) return refuseMissing(target, request);
  const place = request.stay ? cwd : target.directory;
  const obstacle = findObstacle(command[0] ?? '', env, place);
  if (obstacle !== null) return { kind: 'not-started', ...obstacle };
  const deadlineMs = performance.now() + request.waitMs;
  const change = watchWorker(target.directory, deadlineMs);
  for (;;) {
    let waitForChange = change;
    const { refusal, noted } = await answerNow(target, request);
    const onHeld: ExecRequest['onHeld'] = (worker, root) => request.onHeld?.(worker, root, noted);
    const outcome =
      refusal ??
      (await tryToRun(target, { ...request, onHeld }, env, place, (besides) => {
        // Cheaper than looking at everything again while a lease is held elsewhere.
        waitForChange = () => besides.untilFree(target.worker, deadlineMs);
      }));
    if ('kind' in outcome) return outcome;
    if (performance.now() >= deadlineMs)
      return { kind: 'refused', exitCode: codeOf(outcome.answer), town: target.town, result: outcome };
    await waitForChange();
  }
};

const findTarget = ({ town, worker, ...options }: ExecRequest, cwd: string): Target => {
  const place = townOf(town, options);
  const found = resolveWorker(worker, place.root, cwd);
  if (found.kind === 'outside') throw outsideTown(worker, place.root, 'Name it by its absolute path.');
  const inside =
    found.kind === 'inside' ? { town: place, worker: found.worker } : placeWorker(found.path, undefined);
  const directory = join(inside.town.root, inside.worker);
  const isTown = found.kind === 'inside' || inside.town.source !== 'cwd';
  return { ...inside, directory, named: absoluteOf(worker, place.root, cwd), isTown };
};

/** In a worktree that was deleted or moved an agent may still run: then the answer is preflight's. */
const refuseMissing = async (target: Target, request: ExecRequest): Promise<ExecOutcome> => {
  const { directory, worker, town, isTown } = target;
  const { refusal, isMeant } = await answerNow(target, request);
  if (refusal !== null && isMeant)
    return { kind: 'refused', exitCode: codeOf(refusal.answer), town, result: refusal };
  refuseTaken(directory, town.root);
  const orElse = `Try: ${quoteCommand(['mkdir', '-p', directory])}`;
  refuseMistake(worker, town.root, orElse, isTown);
  throw new Failure('E_USAGE', `the directory ${directory} does not exist yet`, orElse);
};

const codeOf = (answer: Answer): number => (answer === 'held' ? EXIT.held : EXIT.unsure);

/** How often exec looks while a lock lies moved aside: a live run that gives its lock back leaves it there for a moment. */
const MAX_LOOKS = 4;

interface AnswerNow {
  /** Preflight's answer where it is a refusal: an agent may be at work without a lock. A stale lock is taken over instead. */
  readonly refusal: PreflightResult | null;
  /** What it says of git's locks where it is none; null where there are none. */
  readonly noted: PreflightResult | null;
  /** The directory is no mistyped name, even where it is missing: somebody is, or was, there. */
  readonly isMeant: boolean;
}

const answerNow = async (target: Target, request: ExecRequest): Promise<AnswerNow> => {
  let { snapshot, result } = await lookNow(target, request);
  for (let looks = 1; looks < MAX_LOOKS && result !== undefined && isMovedAside(result); looks += 1) {
    if (!(await isTidiedUp(target))) break;
    ({ snapshot, result } = await lookNow(target, request));
  }
  if (result === undefined) return { refusal: null, noted: null, isMeant: false };
  const trees = movedFrom([target.named, target.directory], snapshot.town.movedTrees);
  const told = await followMoves(result, trees, (there) => answerPreflight(there), request);
  const isMeant = told !== result || !mayBeMistyped(result, snapshot);
  const isFree = told.answer === 'free' || (told.answer === 'repair' && told.state === 'stale');
  if (told === result && leadsToDirectory(target.directory))
    refuseEmptyContainer(isFree ? { ...told, answer: 'free' } : told, snapshot);
  if (isFree) {
    // An agent's own stale lock is taken over: nothing is left to say of it.
    const { locks } = snapshot;
    const isNoted = locks.some(({ kind }) => kind === 'git-lock') && !locks.some(claimsWorker);
    return { refusal: null, noted: isNoted ? told : null, isMeant };
  }
  return { refusal: told.answer === 'repair' ? { ...told, answer: 'unsure' } : told, noted: null, isMeant };
};

const lookNow = async (
  { town, worker, named }: Target,
  request: ExecRequest,
): Promise<{ readonly snapshot: Snapshot; readonly result: PreflightResult | undefined }> => {
  const snapshot = await lookToStart(town, [worker], { ...request, named: [named] });
  const [result] = answerPreflight(snapshot);
  return { snapshot, result };
};

/** False where that fails: then the answer stands. */
const isTidiedUp = async ({ directory }: Target): Promise<boolean> => {
  try {
    await new Lock(directory, { isReal: true }).tidyUp();
    return true;
  } catch (error) {
    if (!(error instanceof LockError)) throw error;
    return false;
  }
};

/** Takes `besides`, then the lock, and gives both back in reverse order. */
const tryToRun = async (
  target: Target,
  request: ExecRequest,
  env: Environment,
  place: string,
  onRefused: (besides: Besides) => void,
): Promise<ExecOutcome | PreflightResult> => {
  const besides = await request.besides?.();
  const nonce = makeNonce();
  if (besides === undefined) return runHolding(target, request, env, place, nonce);
  const { town, worker } = target;
  const taken = await besides.take({ root: town.root, worker, sessionId: sessionOf(request, env), nonce });
  if ('answer' in taken) {
    onRefused(besides);
    return taken;
  }
  let outcome: ExecOutcome | PreflightResult | null = null;
  try {
    const environment = { ...env, ...taken.environment };
    outcome = await runHolding(target, request, environment, place, nonce, besides);
  } finally {
    const ended = await besides.end();
    if (ended !== null && outcome !== null && 'kind' in outcome && outcome.kind === 'ended')
      outcome = {
        ...outcome,
        exitCode: ended.exitCode ?? outcome.exitCode,
        notice: outcome.notice === null ? ended.notice : `${outcome.notice}; ${ended.notice}`,
      };
  }
  return outcome;
};

/** Starts the command behind its gate, takes the lock in its name, opens the gate. */
const runHolding = async (
  target: Target,
  request: ExecRequest,
  env: Environment,
  place: string,
  nonce: string,
  besides?: Besides,
): Promise<ExecOutcome | PreflightResult> => {
  const environment = environmentUnderLock(env, nonce, request.stay ? null : place);
  const gate = await startGate(request.command, environment, place, constants.signals);
  const stopPassing = passSignals(gate.process);
  try {
    const judge = doctorsJudge({ ...request, town: target.town.root });
    const lock = new Lock(target.directory, { judge, isReal: true });
    const holder = { pid: gate.pid, startToken: await startTokenOf(gate.pid) };
    const refusal =
      !request.stay && standsElsewhere(gate.pid, place)
        ? toRefusal(replaced(target), target)
        : await take(lock, { holder, nonce }, target, request, env);
    if (refusal !== null) {
      gate.shut();
      await gate.ended;
      return refusal;
    }
    request.onHeld?.(target.worker, target.town.root, null);
    besides?.onStarted(gate.process, environment);
    gate.open();
    const exitCode = await gate.ended;
    return {
      kind: 'ended',
      exitCode,
      notice: await endHold(lock, { ...target, holder, nonce, sessionId: sessionOf(request, env) }),
    };
  } finally {
    stopPassing();
  }
};

/** A user who can write above the worker may put a link at its name: the command must not run where that leads. */
const replaced = ({ directory }: Target): LockedError =>
  new LockedError(directory, `${directory} was replaced by something else meanwhile.`, { state: 'unknown' });

const sessionOf = ({ session }: ExecRequest, env: Environment): string => session ?? env.TMUX_PANE ?? '';

const take = async (
  lock: Lock,
  inTheNameOf: Pick<AcquireRequest, 'holder' | 'nonce'>,
  target: Target,
  request: ExecRequest,
  env: Environment,
): Promise<PreflightResult | null> => {
  const inGasTown = isMarked(target.town.root);
  const asHelper = (request.record ?? (inGasTown ? 'helper' : 'process')) === 'helper';
  const sessionId = sessionOf(request, env);
  try {
    const { replaced } = await lock.acquire({
      sessionId,
      ...inTheNameOf,
      needsGuard: true,
      ...(asHelper ? { recordedPid: endedPid(), companion: true } : {}),
    });
    if (replaced !== undefined)
      await request.onTakenOver?.({
        townRoot: target.town.root,
        worker: target.worker,
        lock: agentsLockFiles(target.directory).lock,
        replaced,
      });
    return null;
  } catch (error) {
    if (!(error instanceof LockError)) throw error;
    return toRefusal(error, target);
  }
};

/** The PID of a process that has just ended: Gas Town's own hook takes such a lock over instead of refusing. */
const endedPid = (): number => spawnSync('/bin/sh', ['-c', ':'], { stdio: 'ignore' }).pid;

const toRefusal = (error: LockError, { town, worker }: Target): PreflightResult => {
  const verdict = error instanceof LockedError ? error.verdict : null;
  const next = explain(worker, town.root);
  const bare = finish(worker, null, {
    answer: error instanceof LockedError && error.state === 'held' ? 'held' : 'unsure',
    state: error instanceof LockedError ? error.state : null,
    reasons: [error.code],
    message: error.message,
    retryInSeconds: error instanceof LockedError ? error.retryInSeconds : null,
    next,
  });
  const told = verdict === null ? bare : answerVerdict(verdict, town.root);
  // Where preflight would repair or allow a start, the lock itself was the reason for the refusal.
  return told.answer === 'repair' || told.answer === 'free'
    ? { ...told, answer: 'unsure', message: error.message, next }
    : told;
};
