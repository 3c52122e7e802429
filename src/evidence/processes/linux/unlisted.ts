/**
 * Our own processes that /proc does not list. With hidepid it lists only processes that we may trace: of our own not those that
 * protect their memory, as Codex does. Whoever started one is usually listed, and tells its number.
 */
import { entryExists } from '../../../io/disk/entry-exists.ts';
import type { ProcessRow } from '../row.ts';
import { signalProcess } from '../signal.ts';
import { readProc } from './proc-files.ts';

/** Finds them below the processes of a listing that is not complete. Reads one file for each of these. */
export const unlistedChildren = (
  proc: string,
  rows: ReadonlyMap<number, ProcessRow>,
): readonly { readonly pid: number; readonly ppid: number }[] =>
  [...rows.keys()].flatMap((ppid) => {
    const read = readProc(`${proc}/${ppid}/task/${ppid}/children`);
    if ('error' in read) return [];
    return read.bytes
      .toString('latin1')
      .split(' ')
      .map(Number)
      .filter((pid) => pid > 0 && !rows.has(pid) && isUnlisted(proc, pid))
      .map((pid) => ({ pid, ppid }));
  });

/** A process that is younger than the listing is not hidden. */
const isUnlisted = (proc: string, pid: number): boolean =>
  !entryExists(`${proc}/${pid}`) && signalProcess(pid).answer === 'signalable';
