/** Whether the kernel knows a PID. Sends no signal. */
import { isPossiblePid } from '../../core/pid.ts';
import { errnoOf } from '../../io/errno.ts';

export type SignalAnswer =
  /** A plain kill(pid, 0) succeeded. */
  | { readonly answer: 'signalable' }
  /** EPERM: the process exists and is not ours. */
  | { readonly answer: 'forbidden' }
  /** ESRCH. */
  | { readonly answer: 'absent' }
  | { readonly answer: 'unknown'; readonly why: string };

/** Asks kill(pid, 0), which sends nothing. Throws for a number that is not a possible PID: that is a bug of the caller. */
export const signalProcess = (pid: number): SignalAnswer => {
  if (!isPossiblePid(pid)) throw new RangeError(`${pid} is not a valid PID`);
  try {
    process.kill(pid, 0);
    return { answer: 'signalable' };
  } catch (error) {
    const code = errnoOf(error) ?? String(error);
    if (code === 'EPERM') return { answer: 'forbidden' };
    return code === 'ESRCH'
      ? { answer: 'absent' }
      : { answer: 'unknown', why: `kill(${pid}, 0) answered ${code}` };
  }
};
