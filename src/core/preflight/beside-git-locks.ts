/**
 * What git's own locks on a working tree add to preflight's answer. The one of a worktree names its agent: while that one may
 * live, nobody else starts. A dead one, or a person's, only keeps git from removing the worktree; one such as `index.lock` makes
 * the agent's git commands fail. Pure.
 */
import { doubtOf } from '../report/doubt.ts';
import { releaseCommand } from '../report/git-commands.ts';
import { describeLife, ofKind, summary } from '../report/holder-words.ts';
import { refusalOf } from '../report/refusals.ts';
import { isHarmless } from '../town/lock-rules.ts';
import type { Snapshot } from '../types/evidence.ts';
import type { Verdict } from '../types/judgement.ts';
import type { Answer, PreflightResult } from '../types/report.ts';
import { explain, placeOf } from './clear-to-start.ts';

/**
 * Those of these places in whose own git directory a lock lies: that of its working tree, and those whose `.git` leads there, as after a move
 * that git was not told. None for the lock of a submodule or of all worktrees.
 */
export const workersOf = (
  { lock: { path, worker, tree, gitDir } }: Verdict,
  places: readonly string[],
  root: string,
): readonly string[] => {
  if (gitDir === undefined || path.slice(0, path.lastIndexOf('/')) !== gitDir.path) return [];
  const isOwn = tree !== undefined || gitDir.tree === placeOf(worker, root);
  return places.filter(
    (each) => (isOwn && each === worker) || gitDir.leadsFrom?.includes(placeOf(each, root)) === true,
  );
};

/** What one of these locks says, and the answer that it demands. */
type Said = Pick<PreflightResult, 'answer' | 'message' | 'next'> & { readonly verdict: Verdict };

/** The answer that forbids a start most plainly wins. */
export const FORBIDDING_FIRST: readonly Answer[] = ['held', 'unsure', 'repair', 'free'];

/** The answer of one worker, with what the locks on its working tree say. */
export const besideGitLocks = (
  result: PreflightResult,
  verdicts: readonly Verdict[],
  snapshot: Snapshot,
): PreflightResult => {
  const said = verdicts
    .filter((verdict) => !isHarmless(verdict.lock))
    .map((verdict) => saidBy(verdict, snapshot));
  if (said.length === 0) return result;
  const evidence = [...result.evidence, ...said.flatMap(({ verdict }) => verdict.facts)];
  const answer = FORBIDDING_FIRST.find(
    (word) => result.answer === word || said.some((each) => each.answer === word),
  );
  const [first, ...others] = said.filter((each) => each.answer === answer);
  if (first === undefined) return { ...result, evidence };
  const messages = [first, ...others].map(({ message }) => message);
  // Without an agent's lock, this one says whose the agent is that works there.
  if (answer === 'held' && result.state === null && first.verdict.occupants.length === 1)
    return { ...result, evidence, message: messages.join('; ') };
  if (answer === result.answer && answer !== 'free') return { ...result, evidence };
  const next = [...first.next, ...others.flatMap((each) => each.next)];
  if (answer === 'free')
    return { ...result, evidence, message: [result.message, ...messages].join('; '), next };
  const { state, reasons, notes } = first.verdict;
  return {
    ...result,
    answer: first.answer,
    state,
    reasons,
    notes,
    evidence,
    message: messages.join('; '),
    next,
  };
};

const saidBy = (verdict: Verdict, snapshot: Snapshot): Said =>
  verdict.lock.kind === 'git-worktree' ? byWorktreeLock(verdict, snapshot) : byGitLock(verdict);

const byWorktreeLock = (verdict: Verdict, { machine, town: { root } }: Snapshot): Said => {
  const { lock, state, reasons, notes, facts } = verdict;
  const said = (answer: Answer, message: string): Said => ({
    verdict,
    answer,
    message,
    next: answer === 'free' ? [] : explain(lock.worker, root),
  });
  const free = (message: string): Said =>
    said('free', `${message} (it only keeps git from removing the worktree)`);
  if (notes.includes('by-hand')) return free(summary(verdict));
  const { content } = lock;
  const pid = content.kind === 'claim' && content.claim.by === 'number' ? content.claim.pid : null;
  switch (state) {
    case 'stale':
      return { ...free(`stale ${summary(verdict)}`), next: releaseCommands(verdict) };
    case 'unknown':
      // Who asks before a start, and what it runs in, never counts. Every container has a process 1.
      return pid !== null && pid > 1 && reasons.includes('process-shared') && machine.asker.pids.includes(pid)
        ? free(`${ofKind(verdict)}taken by process ${pid}, which asks`)
        : said('unsure', `cannot tell: ${ofKind(verdict)}${doubtOf(verdict)}`);
    case 'held':
      return said('held', `held: ${ofKind(verdict)}${describeLife(verdict)}`);
    default:
      return said('unsure', `${state}: ${ofKind(verdict)}${facts[0]?.text ?? lock.path}`);
  }
};

/** It says nothing of agents: one may start, and where the lock was left behind, its git commands fail. */
const byGitLock = (verdict: Verdict): Said => {
  const { state, facts } = verdict;
  const next = state === 'stale' ? releaseCommands(verdict) : [];
  if (next.length > 0) return { verdict, answer: 'repair', message: `stale ${summary(verdict)}`, next };
  const keeps = facts.find(({ source }) => source === 'lock')?.text ?? summary(verdict);
  const why =
    state === 'held' ? describeLife(verdict) : state === 'unknown' ? doubtOf(verdict) : refusalOf(verdict);
  return { verdict, answer: 'free', message: `${keeps} (${state}: ${why})`, next };
};

const releaseCommands = ({ lock: { path, gitDir }, release }: Verdict): PreflightResult['next'] =>
  gitDir !== undefined && (release.allowed || release.why === 'outside')
    ? [releaseCommand({ path, gitDir })]
    : [];
