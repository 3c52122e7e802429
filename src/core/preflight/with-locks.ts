/** Preflight's answer for workers that have locks. */
import { groupBy } from '../group-by.ts';
import { judgeAll } from '../judge/judge.ts';
import { occupantReader } from '../judge/occupants/occupants.ts';
import { occupantsWithoutLock } from '../judge/without-record.ts';
import { doubtOf } from '../report/doubt.ts';
import { describeLife } from '../report/holder-words.ts';
import { asAsked } from '../report/name-worker.ts';
import { describeRefusal } from '../report/refusals.ts';
import { type ClosedHome, closedHomesOf } from '../town/closed-homes.ts';
import { claimsWorker, newestLayoutFirst } from '../town/lock-rules.ts';
import { indexSnapshot } from '../town/town-index.ts';
import type { TownIndex } from '../town/views.ts';
import type { Snapshot } from '../types/evidence.ts';
import type { Verdict } from '../types/judgement.ts';
import type { Answer, PreflightResult } from '../types/report.ts';
import { besideGitLocks, FORBIDDING_FIRST, workersOf } from './beside-git-locks.ts';
import {
  answersFor,
  byFix,
  type Draft,
  explain,
  finish,
  gitGapAt,
  placeAround,
  placeOfGap,
  teach,
} from './clear-to-start.ts';

const clearReleasable = (verdict: Verdict, root: string): Draft => {
  const { release, lock, state } = verdict;
  const repairCommand = [...byFix(lock.worker, root), ...asAsked(verdict), ...['--town', root]];
  if (release.allowed) {
    return {
      answer: 'repair',
      message: `${state} lock: ${verdict.facts[0]?.text ?? state}`,
      next: [repairCommand],
    };
  }
  const [occupant] = verdict.occupants;
  if (occupant !== undefined)
    return {
      answer: 'held',
      message: `${state} lock, and ${occupant.text}`,
      next: explain(lock.worker, root),
    };
  const { retryInSeconds } = release;
  const again = retryInSeconds === null ? '' : `; retry in ${retryInSeconds} s`;
  return {
    answer: 'unsure',
    message: `${state} lock, but ${describeRefusal(verdict, release)}${again}`,
    retryInSeconds,
    next: [...explain(lock.worker, root), ...teach(verdict.strangers, root)],
  };
};

/** The answer that one verdict gives for its worker. */
export const answerVerdict = (verdict: Verdict, root: string): PreflightResult => {
  const { worker } = verdict.lock;
  const answer = (word: Answer, message: string): PreflightResult =>
    finish(worker, verdict, {
      answer: word,
      message,
      next: [...explain(worker, root), ...(word === 'unsure' ? teach(verdict.strangers, root) : [])],
    });
  switch (verdict.state) {
    case 'held':
      return answer(
        'held',
        `held: ${verdict.notes.includes('idle') ? 'idle, its agent has exited: ' : ''}${describeLife(verdict)}`,
      );
    case 'orphaned':
      return answer('held', `orphaned: ${verdict.facts.map(({ text }) => text).join(', ')}`);
    case 'stale':
    case 'invalid':
      return finish(worker, verdict, clearReleasable(verdict, root));
    case 'foreign':
      return answer('unsure', `foreign: ${verdict.facts[0]?.text ?? 'taken on another host'}`);
    case 'unknown':
      return answer('unsure', `cannot tell: ${doubtOf(verdict)}`);
  }
};

/** A worker may have a lock at the old and at the new place. */
const clearAll = (verdicts: readonly Verdict[], root: string): PreflightResult | undefined => {
  const results = verdicts.map((verdict) => answerVerdict(verdict, root));
  return FORBIDDING_FIRST.flatMap((word) => results.filter(({ answer }) => answer === word))[0];
};

/** Releasing the one lock would not make the worker free: another may lie where we cannot look. */
const besideClosed = (
  result: PreflightResult,
  { path, why }: Pick<ClosedHome, 'path' | 'why'>,
  root: string,
): PreflightResult => ({
  ...result,
  answer: 'unsure',
  reasons: [...result.reasons, 'unreadable'],
  evidence: [...result.evidence, { source: 'lock', text: `${path}: ${why}` }],
  message: `${result.message}; but ${path} could not be checked: ${why}`,
  next: explain(result.worker, root),
});

/** True for the lock of the agent that asks: its live holder is a process, or else its session the pane, that the question runs in. */
const isAskers = ({ state, holder }: Verdict, { machine }: TownIndex): boolean => {
  if (holder === null || (state !== 'held' && state !== 'orphaned')) return false;
  const { truePid, process, pane } = holder;
  // Every container has a process 1.
  if (process === 'alive') return truePid > 1 && machine.seen.asker.pids.includes(truePid);
  return machine.panes.some(
    (view) => view.asking && view.pane.id === pane?.id && view.server.socket === pane.socket,
  );
};

/**
 * Answers for every worker the snapshot was taken for, in that order.
 *
 * @param besidesAsker the locks of the agent that asks do not count
 */
export const answerPreflight = (snapshot: Snapshot, besidesAsker = false): readonly PreflightResult[] => {
  const index = indexSnapshot(snapshot);
  const readOccupants = occupantReader(index);
  const { root } = snapshot.town;
  const closed = closedHomesOf(snapshot);
  const all = judgeAll(index, readOccupants);
  const own = new Set(besidesAsker ? all.filter((verdict) => isAskers(verdict, index)) : []);
  const judged = all.filter((verdict) => !own.has(verdict));
  const ownedAt = new Set([...own].map(({ lock }) => lock.worker));
  const places = [...new Set(snapshot.asked.flatMap((worker) => [worker, placeAround(worker, index)]))];
  const ofGit = groupBy(
    judged.flatMap((verdict) => workersOf(verdict, places, root).map((worker) => ({ worker, verdict }))),
    ({ worker }) => worker,
  );
  const claims = newestLayoutFirst(judged.filter(({ lock }) => claimsWorker(lock)));
  const answers = answersFor(index, readOccupants, {
    verdicts: claims,
    clear: (worker, verdicts) => {
      const result = clearAll(verdicts, root);
      if (result?.answer !== 'repair') return result;
      const gap = gitGapAt(worker, snapshot);
      const hiding =
        closed.find((each) => each.worker === worker) ?? (gap && { path: placeOfGap(gap), why: gap.why });
      return hiding === undefined ? result : besideClosed(result, hiding, root);
    },
    clearAround: (place) => {
      const rivals = claims.filter((each) => each.lock.worker === place && !isAskers(each, index));
      const result = clearAll(rivals, root);
      // A dead lock around it is not in the way.
      return result?.answer === 'repair' ? undefined : result;
    },
    around: (worker) => occupantsWithoutLock(worker, index, readOccupants),
    noLock: (worker) =>
      ownedAt.has(worker) ? 'no other lock' : ofGit.has(worker) ? "no agent's lock" : 'no lock',
  });
  return answers.map((result) =>
    besideGitLocks(
      result,
      (ofGit.get(placeAround(result.worker, index)) ?? []).map(({ verdict }) => verdict),
      snapshot,
    ),
  );
};
