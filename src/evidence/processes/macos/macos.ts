/** The process table of macOS: one `ps`; working directories by `lsof`, which macOS ships. */
import { complaintOf, runCommand } from '../../../io/programs/command.ts';
import { readCommandLine } from '../command-line.ts';
import { parseHoldMarks } from '../hold-mark.ts';
import { type ProcessDetails, type ProcessRow, type ProcessTable, UNSEEN } from '../row.ts';
import { askLsof } from './lsof.ts';
import { LSTART, psCommand, startedAt } from './ps.ts';

/**
 * One `-o` for each column: in `-o pid=,ppid=` BSD's ps takes everything after the first `=` as a heading. The kernel's name may
 * contain spaces; the PID is printed again after it to show where it ends.
 */
const COLUMNS = ['pid', 'ppid', 'pgid', 'uid', 'stat', 'tty', 'lstart', 'ucomm', 'pid', 'args'].flatMap(
  (column) => ['-o', `${column}=`],
);

/** A row of ps, with the start as `lstart` prints it. */
export interface PsRow extends ProcessRow {
  readonly uid: number;
  readonly argv: readonly string[];
}

const LINE = new RegExp(
  `^\\s*(\\d+)\\s+(\\d+)\\s+(\\d+)\\s+(\\d+)\\s+(\\S+)\\s+(\\S+)\\s+(${LSTART})\\s+(.*?)\\s+\\1(?:\\s+(.*))?$`,
);

/** Lists all processes. Never throws: what failed is in `listing`. Start times are whole seconds. */
export const readPsTable = async (): Promise<ProcessTable> => {
  const { file, options } = psCommand();
  const result = await runCommand(file, ['-A', '-ww', ...COLUMNS], options);
  const rows = result.status === 'ok' ? parsePs(result.stdout.toString('utf8')) : new Map<number, PsRow>();
  const listing: ProcessTable['listing'] =
    result.status !== 'ok'
      ? { seen: false, why: `ps ${complaintOf(result)}` }
      : rows.has(process.pid)
        ? { seen: true, value: 'all' }
        : { seen: false, why: 'ps does not show our own process' };
  return { listing, rows, details: psDetails(rows), again: readPsTable };
};

/** Parses the answer; lines of another form (arguments with line breaks continue on the next one) are left out. */
export const parsePs = (text: string): ReadonlyMap<number, PsRow> => {
  const rows = new Map<number, PsRow>();
  for (const line of text.split('\n')) {
    const fields = LINE.exec(line);
    if (fields === null) continue;
    const [, pid = '', ppid = '', pgid = '', uid = '', stat = '', tty = '', ...more] = fields;
    const [lstart = '', comm = '', args = ''] = more;
    rows.set(Number(pid), {
      pid: Number(pid),
      ppid: Number(ppid),
      uid: Number(uid),
      comm,
      dead: stat.startsWith('Z'),
      isKernelThread: false,
      inForeground: stat.includes('+'),
      // `s` marks the leader of a session. Needed only for what init adopted: other processes still have their starter.
      ...(ppid === '1' ? { leader: Number(stat.includes('s') ? pid : pgid) } : {}),
      hasTerminal: !/^\?+$/.test(tty),
      startToken: lstart,
      startedAtMs: startedAt(lstart),
      argv: readCommandLine(comm, args),
    });
  }
  return rows;
};

const psDetails = (rows: ReadonlyMap<number, PsRow>): ProcessDetails => ({
  // `ps -E` mixes the environment with the arguments: a variable could be forged by an argument.
  ...UNSEEN,
  row: (pid) => rows.get(pid) ?? null,
  isListed: (pid) => rows.has(pid),
  argv: (pid) => rows.get(pid)?.argv ?? [],
  uid: (pid) => rows.get(pid)?.uid ?? null,
  holdMarks: readHoldMarks,
  // One lsof for all processes takes half a second.
  lookingIsCheap: false,
  workingDirectories: askLsof,
  numbers: (pid) => [pid],
  sharesOurPaths: () => true,
});

/** Every process at once: the mark is random text, so an argument cannot look like it by chance. */
const readHoldMarks: ProcessDetails['holdMarks'] = async (pids) => {
  const { file, options } = psCommand();
  const result = await runCommand(file, ['-A', '-E', '-ww', '-o', 'pid=', '-o', 'command='], options);
  if (result.status !== 'ok')
    return new Map(pids.map((pid) => [pid, { seen: false, why: `ps ${complaintOf(result)}` }]));
  const marks = parseHoldMarks(result.stdout.toString('utf8'));
  return new Map(pids.map((pid) => [pid, { seen: true, value: marks.get(pid) ?? null }]));
};
