/** Preflight's answer for one worker: may an agent start here? Advice only; `doctor exec` is the guarantee. */

import { groupBy } from './group-by.ts';
import { judgeAll } from './judge/judge.ts';
import { newestLayoutFirst } from './judge/layouts.ts';
import { findCollisions } from './judge/occupants/collision.ts';
import { type OccupantReader, occupantReader } from './judge/occupants/occupants.ts';
import { occupantsWithoutLock } from './judge/without-record.ts';
import { doubtOf } from './report/doubt.ts';
import { asAsked, workerArgument } from './report/name-worker.ts';
import { describeRefusal } from './report/refusals.ts';
import { type ClosedHome, closedHomesOf } from './town/closed-homes.ts';
import { claimsWorker } from './town/lock-rules.ts';
import { describeAside, isLockMovedAside } from './town/moved-aside.ts';
import { indexSnapshot } from './town/town-index.ts';
import type { TownIndex } from './town/views.ts';
import type { Gap, Snapshot } from './types/evidence.ts';
import type { Stranger, Verdict } from './types/judgement.ts';
import { type Answer, EXIT, type PreflightResult } from './types/report.ts';

/** The worst of several answers wins, in this order: not knowing is worse than a worker that is taken. */
const WORST_FIRST: readonly Answer[] = ['unsure', 'held', 'repair', 'free'];

const ANSWER_CODES: Readonly<Record<Answer, number>> = {
  free: EXIT.ok,
  held: EXIT.held,
  repair: EXIT.repair,
  unsure: EXIT.unsure,
};

/** Exit code for several answers. */
export const clearanceCode = (answers: readonly Answer[]): number =>
  ANSWER_CODES[WORST_FIRST.find((answer) => answers.includes(answer)) ?? 'free'];

type Draft = Pick<PreflightResult, 'answer' | 'message'> & Partial<PreflightResult>;

const finish = (worker: string, verdict: Verdict | null, draft: Draft): PreflightResult => ({
  worker,
  state: verdict?.state ?? null,
  reasons: verdict?.reasons ?? [],
  notes: verdict?.notes ?? [],
  evidence: verdict?.facts ?? [],
  retryInSeconds: null,
  next: [],
  ...draft,
});

const explain = (worker: string, root: string): readonly (readonly string[])[] => [
  ['doctor', 'explain', workerArgument(worker, root), '--town', root],
];

/** How to end the doubt: look at the unknown programs, and name them in the configuration. */
const teach = (strangers: readonly Stranger[], root: string): readonly (readonly string[])[] => {
  if (strangers.length === 0) return [];
  const pids = strangers.flatMap(({ pid }) => (pid === null ? [] : [String(pid)]));
  const look = ['ps', '-o', 'pid,ppid,user,lstart,command', '-p', pids.join(',')];
  return [...(pids.length > 0 ? [look] : []), ['vi', `${root === '/' ? '' : root}/lock-doctor.json`]];
};

/** A place that we cannot read may hold a lock: seeing none there proves nothing. */
export const gapAt = (worker: string, { gaps, town: { root } }: Snapshot): Gap | undefined => {
  const place = `directory:${worker === '.' ? root : `${root === '/' ? '' : root}/${worker}`}`;
  // Where git's own locks cannot be looked for, an agent's can.
  return gaps.find(({ what, git }) => git === undefined && (what === place || what.startsWith(`${place}/`)));
};

/** `--fix` does something about this answer: releases a dead lock, or puts one back that a killed run had moved aside. */
export const isForFix = ({ next }: PreflightResult): boolean =>
  next.some((command) => command.includes('--fix'));

/** There is no lock, but a killed run may have moved one aside: it answers for itself once it is put back. */
export const isMovedAside = (result: PreflightResult): boolean =>
  result.answer === 'unsure' && isForFix(result);

const byFix = (worker: string, root: string): readonly string[] => [
  'doctor',
  'preflight',
  '--fix',
  workerArgument(worker, root),
];

const clearWithoutLock = (
  worker: string,
  index: TownIndex,
  readOccupants: OccupantReader,
): PreflightResult => {
  const { root } = index.snapshot.town;
  const around = occupantsWithoutLock(worker, index, readOccupants);
  const [first] = around.occupants;
  const seen = { reasons: first === undefined ? [] : ['occupied'], evidence: around.facts };
  if (first !== undefined)
    return finish(worker, null, {
      ...seen,
      answer: 'held',
      message: `no lock, but ${first.text}`,
      next: explain(worker, root),
    });
  const { leftovers, locks } = index.snapshot;
  const aside = leftovers.find((each) => each.worker === worker && isLockMovedAside(each, locks));
  if (aside !== undefined)
    return finish(worker, null, {
      evidence: [{ source: 'lock', text: describeAside(aside) }, ...around.facts],
      answer: 'unsure',
      message: `no lock, but ${describeAside(aside)}`,
      next: [[...byFix(worker, root), '--town', root]],
    });
  const gap = gapAt(worker, index.snapshot);
  if (gap !== undefined)
    return finish(worker, null, {
      evidence: [{ source: 'lock', text: `${gap.what} could not be looked at: ${gap.why}` }, ...around.facts],
      answer: 'unsure',
      reasons: ['unreadable'],
      message: `no lock was seen, but ${gap.what.slice(gap.what.indexOf(':') + 1)} is closed to us: ${gap.why}`,
      next: explain(worker, root),
    });
  if (around.known)
    return finish(worker, null, { ...seen, answer: 'free', message: 'no lock, no agent running' });
  const why = around.doubts[0] ?? 'not everything could be looked at';
  return finish(worker, null, {
    evidence: around.facts,
    answer: 'unsure',
    reasons: ['occupants-unknown'],
    message: `no lock, but ${why}`,
    next: [...explain(worker, root), ...teach(around.strangers, root)],
  });
};

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
export const clearVerdict = (verdict: Verdict, root: string): PreflightResult => {
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

const describeLife = ({ occupants, reasons, facts }: Verdict): string => {
  const [first] = occupants;
  if (first !== undefined) return first.text;
  const source = reasons.includes('pane-live') || reasons.includes('session-live') ? 'tmux' : 'processes';
  return facts.find((fact) => fact.source === source)?.text ?? 'a live agent';
};

/** A worker may have a lock at the old and at the new place: the answer that forbids a start most plainly wins. */
const FORBIDDING_FIRST: readonly Answer[] = ['held', 'unsure', 'repair', 'free'];

const clearAll = (verdicts: readonly Verdict[], root: string): PreflightResult | undefined => {
  const results = verdicts.map((verdict) => clearVerdict(verdict, root));
  return FORBIDDING_FIRST.flatMap((word) => results.filter(({ answer }) => answer === word))[0];
};

/** Releasing the one lock would not make the worker free: another may lie where we cannot look. */
const besideClosed = (result: PreflightResult, { path, why }: ClosedHome, root: string): PreflightResult => ({
  ...result,
  answer: 'unsure',
  reasons: [...result.reasons, 'unreadable'],
  evidence: [...result.evidence, { source: 'lock', text: `${path}: ${why}` }],
  message: `${result.message}; but ${path} is closed to us: ${why}`,
  next: explain(result.worker, root),
});

/** Answers for every worker the snapshot was taken for, in that order. */
export const answerPreflight = (snapshot: Snapshot): readonly PreflightResult[] => {
  const index = indexSnapshot(snapshot);
  const readOccupants = occupantReader(index);
  const claims = newestLayoutFirst(judgeAll(index, readOccupants).filter(({ lock }) => claimsWorker(lock)));
  const byWorker = groupBy(claims, ({ lock }) => lock.worker);
  const crowds = new Map(
    findCollisions(index, claims, readOccupants)
      .filter(({ kind }) => kind === 'agents')
      .map(({ workers, facts }) => [workers[0] ?? '', facts]),
  );
  const { root } = snapshot.town;
  const closed = closedHomesOf(snapshot);
  return snapshot.asked.map((worker) => {
    const verdicts = byWorker.get(worker) ?? [];
    const crowd = crowds.get(worker);
    const [verdict = null] = verdicts;
    if (crowd === undefined) {
      const result = clearAll(verdicts, root) ?? clearWithoutLock(worker, index, readOccupants);
      const home = closed.find((each) => each.worker === worker);
      return result.answer === 'repair' && home !== undefined ? besideClosed(result, home, root) : result;
    }
    return finish(worker, verdict, {
      answer: 'held',
      ...(verdict === null ? { reasons: ['occupied'], evidence: crowd } : {}),
      message: `${crowd.length} agents are running there: ${crowd.map(({ text }) => text).join('; ')}`,
      next: explain(worker, root),
    });
  });
};
