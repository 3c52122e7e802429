/**
 * What becomes of preflight's answer for a place that git lists as a worktree, where somebody works in that worktree elsewhere: it was
 * moved or copied without telling git. Pure.
 */
import { repairCommand } from '../report/git-commands.ts';
import type { MovedTree } from '../types/evidence.ts';
import type { PreflightResult } from '../types/report.ts';

export const A_COPY = 'a copy of this worktree, and both have one index and one HEAD';

/** Says where the worktree is now, if another directory has taken its place. */
export const whereItIs = ({ movedTo, isCopy }: Pick<MovedTree, 'movedTo' | 'isCopy'>): string =>
  isCopy === true ? `${movedTo} is ${A_COPY}` : `the worktree that git lists here was moved to ${movedTo}`;

/**
 * The answer for the place, given the one for where the worktree is now. Where no directory is left, that one holds here as well;
 * where one stands, whoever asked may mean it or the worktree, and a copy has one index and one HEAD with it.
 */
export const withMovedTree = (
  result: PreflightResult,
  tree: MovedTree,
  there: PreflightResult,
  isNoDirectory: boolean,
): PreflightResult => {
  const { state, reasons, notes, retryInSeconds } = there;
  const isRefused = there.answer === 'held' || there.answer === 'unsure';
  if (!isRefused || result.answer === 'held' || (result.answer === 'unsure' && !isNoDirectory)) return result;
  const { movedTo, gitDir, isCopy } = tree;
  const says = isNoDirectory
    ? `git still lists it, but it was moved to ${movedTo}`
    : `cannot tell: ${whereItIs(tree)}`;
  return {
    ...result,
    answer: isNoDirectory ? there.answer : 'unsure',
    state,
    reasons,
    notes,
    retryInSeconds,
    message: `${says}; there: ${there.message}`,
    evidence: [...result.evidence, ...there.evidence],
    next: [['doctor', 'who', movedTo], ...(isCopy === true ? [] : [repairCommand(gitDir, movedTo)])],
  };
};
