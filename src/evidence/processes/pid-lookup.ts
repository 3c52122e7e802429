/** Is there a process with this number? Answered by two sources, so that neither can be wrong alone. */
import { isPossiblePid } from '../../core/pid.ts';
import type { PidLookup } from '../../core/types/evidence.ts';
import type { ProcessRow, ProcessTable } from './row.ts';
import { signalProcess } from './signal.ts';

/** What became of the question "is there a process with this number?", with its row where there is one. */
export interface PidAnswer extends Omit<PidLookup, 'process'> {
  readonly row: ProcessRow | null;
}

/**
 * Asks the kernel first and the process list second. A process is dead only if both say so: a number that signals do not reach
 * but the list shows is unknown, and one that the list hides but signals reach exists.
 */
export const lookUpPid = (pid: number, table: ProcessTable): PidAnswer => {
  if (!isPossiblePid(pid)) return absent(pid);
  const signal = signalProcess(pid);
  if (signal.answer === 'absent') return answerAbsent(pid, table);
  const plain = { pid, signalable: false, row: null, why: null };
  if (signal.answer === 'unknown') return { ...plain, answer: 'unknown', why: signal.why };
  const reached = { ...plain, signalable: signal.answer === 'signalable' };
  const row = table.details.row(pid);
  if (row === null) {
    // Hidden by hidepid, or it ended between the two questions: then the kernel knows.
    const still = table.details.isListed(pid) || signalProcess(pid).answer !== 'absent';
    return still ? { ...reached, answer: 'exists' } : absent(pid);
  }
  if (row === 'hidden') return { ...reached, answer: 'exists' };
  if (row.dead) return { ...reached, answer: 'zombie', row };
  // A number that the listing shows is a process; only one that it does not show can be a thread's.
  if (!table.rows.has(pid) && table.details.isThread(pid)) return { ...reached, answer: 'thread' };
  return { ...reached, answer: 'exists', row };
};

const absent = (pid: number): PidAnswer => ({
  pid,
  answer: 'absent',
  signalable: false,
  row: null,
  why: null,
});

const answerAbsent = (pid: number, table: ProcessTable): PidAnswer => {
  // The listing is older than the signal: where it does not show the number either, no second look is needed.
  if (table.listing.seen && !table.rows.has(pid)) return absent(pid);
  if (!table.details.isListed(pid)) return absent(pid);
  // It may have been reaped, or born, between the two questions: ask both again before calling it unknown.
  if (signalProcess(pid).answer !== 'absent') return lookUpPid(pid, table);
  return table.details.isListed(pid)
    ? { ...absent(pid), answer: 'unknown', why: 'it is listed, but signals do not reach it' }
    : absent(pid);
};
