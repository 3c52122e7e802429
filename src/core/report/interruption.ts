/** How an interrupted run ends: at a safe point, with the signal's exit status. */
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
