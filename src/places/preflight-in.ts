/** Preflight's answer for one worker of a town that was looked at as a whole. */
import { join } from 'node:path';
import { answerPreflight } from '../core/preflight/with-locks.ts';
import type { Snapshot } from '../core/types/evidence.ts';
import type { PreflightResult } from '../core/types/report.ts';
import { followMoves, type LookOptions, movedFrom } from '../look.ts';

/**
 * The answer, by what is said of where its worktree was moved.
 *
 * @param options null where nothing more can be looked at: on another machine, or of saved evidence
 */
export const preflightIn = async (
  snapshot: Snapshot,
  worker: string,
  options: LookOptions | null,
): Promise<PreflightResult | null> => {
  const [result = null] = answerPreflight({ ...snapshot, asked: [worker] });
  if (result === null || options === null) return result;
  const trees = movedFrom([join(snapshot.town.root, worker)], snapshot.town.movedTrees);
  return followMoves(result, trees, (there) => answerPreflight(there), options);
};
