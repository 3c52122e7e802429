/**
 * Preflight's answer for one worker: may an agent start here? Advice only; `doctor exec` is the guarantee. Most workers that are
 * asked about have no lock: what judges locks is in `with-locks.ts`, so that such a preflight does not load it.
 */
import { groupBy } from '../group-by.ts';
import { findCollisions } from '../judge/occupants/collision.ts';
import { type OccupantFinding, type OccupantReader, occupantReader } from '../judge/occupants/occupants.ts';
import { canBeTaught } from '../programs/by-name.ts';
import { workerArgument } from '../report/name-worker.ts';
import { homeOf } from '../town/belonging.ts';
import { describeAside, isLockMovedAside } from '../town/moved-aside.ts';
import { ownerOf, relativeTo } from '../town/roles.ts';
import { indexSnapshot } from '../town/town-index.ts';
import type { TownIndex } from '../town/views.ts';
import type { Gap, Snapshot } from '../types/evidence.ts';
import type { Stranger, Verdict } from '../types/judgement.ts';
import { type Answer, EXIT, type PreflightResult } from '../types/report.ts';

/** The worst of several answers wins, in this order: not knowing is worse than a worker that is taken. */
const WORST_FIRST: readonly Answer[] = ['unsure', 'held', 'repair', 'free'];

const ANSWER_CODES: Readonly<Record<Answer, number>> = {
  free: EXIT.ok,
  held: EXIT.held,
  repair: EXIT.repair,
  unsure: EXIT.unsure,
};

/** Exit code for several answers. */
export const preflightCode = (answers: readonly Answer[]): number =>
  ANSWER_CODES[WORST_FIRST.find((answer) => answers.includes(answer)) ?? 'free'];

export type Draft = Pick<PreflightResult, 'answer' | 'message'> & Partial<PreflightResult>;

export const finish = (worker: string, verdict: Verdict | null, draft: Draft): PreflightResult => ({
  worker,
  state: verdict?.state ?? null,
  reasons: verdict?.reasons ?? [],
  notes: verdict?.notes ?? [],
  evidence: verdict?.facts ?? [],
  retryInSeconds: null,
  next: [],
  ...draft,
});

export const explain = (worker: string, root: string): readonly (readonly string[])[] => [
  ['doctor', 'explain', workerArgument(worker, root), '--town', root],
];

/** How to end the doubt: look at the unknown programs, and name them in the configuration. */
export const teach = (strangers: readonly Stranger[], root: string): readonly (readonly string[])[] => {
  if (strangers.length === 0) return [];
  const pids = strangers.flatMap(({ pid }) => (pid === null ? [] : [String(pid)]));
  const look = ['ps', '-o', 'pid,ppid,user,lstart,command', '-p', pids.join(',')];
  const settings = ['vi', `${root === '/' ? '' : root}/lock-doctor.json`];
  const isTaught = strangers.some(({ program }) => canBeTaught(program));
  return [...(pids.length > 0 ? [look] : []), ...(isTaught ? [settings] : [])];
};

/** A worker's directory, absolute. */
export const placeOf = (worker: string, root: string): string =>
  worker === '.' ? root : `${root === '/' ? '' : root}/${worker}`;

/** A place that we cannot read may hold a lock: seeing none there proves nothing. */
export const gapAt = (worker: string, { gaps, town: { root } }: Snapshot): Gap | undefined => {
  const place = `directory:${placeOf(worker, root)}`;
  // Where git's own locks cannot be looked for, an agent's can.
  return gaps.find(({ what, git }) => git === undefined && (what === place || what.startsWith(`${place}/`)));
};

/** No lock was seen where a `.git` leads to anything else. */
const HIDING: readonly NonNullable<Gap['git']>[] = ['closed', 'unseen', 'symlink'];

/** The same for the lock of a worktree, which forbids a start, too: it may lie where the `.git` of the worker leads. */
export const gitGapAt = (worker: string, { gaps, town: { root } }: Snapshot): Gap | undefined => {
  const entry = `directory:${placeOf(worker, root)}/.git`;
  return gaps.find(({ what, git }) => git !== undefined && HIDING.includes(git) && what === entry);
};

/** The path that could not be looked at. */
export const placeOfGap = ({ what }: Gap): string => what.slice(what.indexOf(':') + 1);

/** `--fix` does something about this answer: releases a dead lock, or restores one that a killed run had moved aside. */
export const isForFix = ({ next }: PreflightResult): boolean =>
  next.some((command) => command.includes('--fix'));

/** There is no lock, but a killed run may have moved one aside: it answers for itself once it is restored. */
export const isMovedAside = (result: PreflightResult): boolean =>
  result.answer === 'unsure' && isForFix(result);

export const byFix = (worker: string, root: string): readonly string[] => [
  'doctor',
  'preflight',
  '--fix',
  workerArgument(worker, root),
];

/**
 * True where a missing directory may be a mistyped name: nobody is known to be there, though agents may be running unseen. In a
 * directory that was deleted somebody may still run, and nobody runs in one that never was.
 */
export const mayBeMistyped = (
  { worker, answer, state, reasons }: PreflightResult,
  { machine, town: { root } }: Snapshot,
): boolean => {
  if (answer !== 'unsure') return answer === 'free';
  const place = placeOf(worker, root);
  return (
    state === null &&
    reasons.includes('occupants-unknown') &&
    !machine.processes.list.some(({ cwd }) => cwd?.seen === true && relativeTo(place, cwd.value) !== null)
  );
};

const clearWithoutLock = (
  worker: string,
  index: TownIndex,
  around: OccupantFinding,
  noLock: string,
): PreflightResult => {
  const { root } = index.snapshot.town;
  const [first] = around.occupants;
  const seen = { reasons: first === undefined ? [] : ['occupied'], evidence: around.facts };
  if (first !== undefined)
    return finish(worker, null, {
      ...seen,
      answer: 'held',
      message: `${noLock}, but ${first.text}`,
      next: explain(worker, root),
    });
  const { leftovers, locks } = index.snapshot;
  const aside = leftovers.find((each) => each.worker === worker && isLockMovedAside(each, locks));
  if (aside !== undefined)
    return finish(worker, null, {
      evidence: [{ source: 'lock', text: describeAside(aside) }, ...around.facts],
      answer: 'unsure',
      message: `${noLock}, but ${describeAside(aside)}`,
      next: [[...byFix(worker, root), '--town', root]],
    });
  const gap = gapAt(worker, index.snapshot) ?? gitGapAt(worker, index.snapshot);
  if (gap !== undefined)
    return finish(worker, null, {
      evidence: [{ source: 'lock', text: `${gap.what} could not be looked at: ${gap.why}` }, ...around.facts],
      answer: 'unsure',
      reasons: ['unreadable'],
      message: `${noLock} was seen, but ${placeOfGap(gap)} could not be checked: ${gap.why}`,
      next: explain(worker, root),
    });
  if (around.known)
    return finish(worker, null, { ...seen, answer: 'free', message: `${noLock}, no agent running` });
  const why = around.doubts[0] ?? 'not everything could be looked at';
  return finish(worker, null, {
    evidence: around.facts,
    answer: 'unsure',
    reasons: ['occupants-unknown'],
    message: `${noLock}, but ${why}`,
    next: [...explain(worker, root), ...teach(around.strangers, root)],
  });
};

/** What locks and second records say; `with-locks.ts` finds it out. */
export interface SaidByLocks {
  /** Of the locks that claim a worker, the newest layout first. */
  readonly verdicts: readonly Verdict[];
  /** The answer of these verdicts on one worker; undefined where there are none. */
  readonly clear: (worker: string, verdicts: readonly Verdict[]) => PreflightResult | undefined;
  /** The answer of the locks of a place on its parts; undefined where they allow a start there. */
  readonly clearAround: (place: string) => PreflightResult | undefined;
  /** Who works at a worker without a lock. */
  readonly around: (worker: string) => OccupantFinding;
  /** How to say that a worker has no agent's lock: other locks may stand there. */
  readonly noLock: (worker: string) => string;
}

/** The working tree, or the agent's place, that a worker without a lock is a part of, which may be it itself: agents of one place collide. */
export const placeAround = (worker: string, index: TownIndex): string => {
  const { marked, trees = [] } = index.snapshot.town;
  if (!marked) return homeOf(worker, index) ?? worker;
  let place = worker;
  while (!trees.includes(place) && ownerOf(place)?.canonical === false)
    place = place.slice(0, place.lastIndexOf('/'));
  return ownerOf(place) === null ? worker : place;
};

/** Answers for every worker the snapshot was taken for, in that order. */
export const answersFor = (
  index: TownIndex,
  readOccupants: OccupantReader,
  { verdicts, clear, clearAround, around, noLock }: SaidByLocks,
): readonly PreflightResult[] => {
  const byWorker = groupBy(verdicts, ({ lock }) => lock.worker);
  const crowds = new Map(
    findCollisions(index, verdicts, readOccupants)
      .filter(({ kind }) => kind === 'agents')
      .map(({ workers, facts }) => [workers[0] ?? '', facts]),
  );
  const { asked, town } = index.snapshot;
  const withoutLock = (worker: string): PreflightResult => {
    const place = placeAround(worker, index);
    const there = place === worker ? undefined : clearAround(place);
    const result = there ?? clearWithoutLock(worker, index, around(place), noLock(worker));
    return place === worker || result.answer === 'free'
      ? result
      : { ...result, worker, message: `part of ${place === '.' ? town.root : place}: ${result.message}` };
  };
  return asked.map((worker) => {
    const own = byWorker.get(worker) ?? [];
    const crowd = crowds.get(worker);
    const [verdict = null] = own;
    if (crowd === undefined) return clear(worker, own) ?? withoutLock(worker);
    return finish(worker, verdict, {
      answer: 'held',
      ...(verdict === null ? { reasons: ['occupied'], evidence: crowd } : {}),
      message: `${crowd.length} agents are running there: ${crowd.map(({ text }) => text).join('; ')}`,
      next: explain(worker, town.root),
    });
  });
};

/** True where locks have a say in the answers, so that `answerWithoutLocks` must not be asked. */
export const hasLocks = ({ locks, companions = [] }: Snapshot): boolean =>
  locks.length + companions.length > 0;

/** The answers of `answerPreflight` for a snapshot that has no locks, without the code that judges locks. */
export const answerWithoutLocks = (snapshot: Snapshot): readonly PreflightResult[] => {
  const index = indexSnapshot(snapshot);
  const readOccupants = occupantReader(index);
  return answersFor(index, readOccupants, {
    verdicts: [],
    clear: () => undefined,
    clearAround: () => undefined,
    around: (worker) => readOccupants(index.viewOf(worker), null, null),
    noLock: () => 'no lock',
  });
};
