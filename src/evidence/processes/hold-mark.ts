/**
 * The mark that `exec` gives its command: a variable with the nonce of the lock, which everything below the command
 * inherits. A process that still carries it after the command has ended was left running by the command.
 */
import type { Observed } from '../../core/types/evidence.ts';
import { readProc } from './linux/proc-files.ts';

/** Name of the variable. */
export const HOLD_MARK = 'LOCK_DOCTOR_HOLD';

const ASSIGNMENT = new RegExp(`(?:^|\\0)${HOLD_MARK}=([0-9a-f]{16})(?:\\0|$)`);
const ASSIGNMENT_IN_PS = new RegExp(`(?:^|\\s)${HOLD_MARK}=([0-9a-f]{16})(?:\\s|$)`);

/**
 * Reads the mark out of `/proc/<pid>/environ`; null where there is none. An empty environment counts as not seen: a
 * process that is just starting another program shows one as well, and so does one that was started with `env -i`.
 */
export const readHoldMark = (path: string): Observed<string | null> => {
  const read = readProc(path);
  if ('error' in read) return { seen: false, why: read.error };
  if (read.bytes.length === 0) return { seen: false, why: 'its environment is empty' };
  return { seen: true, value: ASSIGNMENT.exec(read.bytes.toString('latin1'))?.[1] ?? null };
};

/**
 * Parses `ps -E -o pid= -o command=` of macOS, which prints the environment behind the arguments. A line without a number
 * continues the process of the line before, because values may contain line breaks. Apple's own programs in protected places
 * (`/bin`, `/usr/bin`) show no environment there.
 */
export const parseHoldMarks = (text: string): ReadonlyMap<number, string> => {
  const marks = new Map<number, string>();
  let pid = 0;
  for (const line of text.split('\n')) {
    pid = Number(/^\s*(\d+)\s/.exec(line)?.[1] ?? pid);
    const nonce = ASSIGNMENT_IN_PS.exec(line)?.[1];
    if (nonce !== undefined) marks.set(pid, nonce);
  }
  return marks;
};
