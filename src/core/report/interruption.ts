/** How an interrupted run ends: at a safe point, with the signal's exit status, and saying how far it came. */
import { EXIT } from '../types/report.ts';

/** The part of an AbortSignal that is used; `reason` is an exit status where a signal of the system aborted it. */
export interface Interruptible {
  readonly aborted: boolean;
  readonly reason: unknown;
}

/** The exit status of a run: the interruption's where there was one, else its own. */
export const exitCodeAfter = (signal: Interruptible | null | undefined, own: number): number => {
  if (signal?.aborted !== true) return own;
  return typeof signal.reason === 'number' ? signal.reason : EXIT.interrupted;
};

/** Why a release was not tried. */
export const NOT_BEGUN = 'the run was interrupted before it came to this';

/** `interrupted after 48 releases; 272 more were not begun`: what was done, and how much was left. */
export const describeInterrupted = (done: string, notBegun: number): string =>
  `interrupted after ${done}; ${notBegun === 0 ? 'nothing was left to do' : `${notBegun} more ${notBegun === 1 ? 'was' : 'were'} not begun`}`;
