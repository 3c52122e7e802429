/** The process table of macOS: one `ps`; working directories by `lsof`, which macOS ships. */
import type { Observed } from '../../core/types/evidence.ts';
import { complaintOf, runCommand } from '../../io/command.ts';
import type { ProcessDetails, ProcessRow, ProcessTable } from './table.ts';

/** `ps` answers in 30 ms; on a machine so loaded that this is not enough, processes count as unseen. */
const PS_TIMEOUT_MS = 5000;

/** Each column apart: in `-o pid=,ppid=` BSD's ps takes all behind the first `=` for a heading. */
const COLUMNS = ['pid=', 'ppid=', 'pgid=', 'uid=', 'stat=', 'tty=', 'lstart=', 'args='].flatMap((column) => [
  '-o',
  column,
]);

/** A row of ps: start as `lstart` prints it, arguments split at white space (ps joins them with spaces). */
export interface PsRow extends ProcessRow {
  readonly uid: number;
  readonly argv: readonly string[];
}

const LINE =
  /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})(?:\s+(.*))?$/;

/** Lists all processes. Never throws: what failed is in `listing`. Start times are whole seconds. */
export const readPsTable = async (): Promise<ProcessTable> => {
  const env = { PATH: process.env.PATH, LC_ALL: 'C' };
  const result = await runCommand('ps', ['-A', '-ww', ...COLUMNS], { timeoutMs: PS_TIMEOUT_MS, env });
  const rows = result.status === 'ok' ? parsePs(result.stdout.toString('utf8')) : new Map<number, PsRow>();
  const listing: ProcessTable['listing'] =
    result.status !== 'ok'
      ? { seen: false, why: `ps ${complaintOf(result)}` }
      : rows.has(process.pid)
        ? { seen: true, value: 'all' }
        : { seen: false, why: 'ps does not show our own process' };
  return { listing, rows, details: psDetails(rows), again: readPsTable };
};

/** Parses the answer; lines of another form (arguments with line breaks go on in the next one) are left out. */
export const parsePs = (text: string): ReadonlyMap<number, PsRow> => {
  const rows = new Map<number, PsRow>();
  for (const line of text.split('\n')) {
    const fields = LINE.exec(line);
    if (fields === null) continue;
    const [, pid = '', ppid = '', pgid = '', uid = '', stat = '', tty = '', lstart = '', args = ''] = fields;
    const argv = args.split(/\s+/);
    const startedAtMs = Date.parse(lstart);
    rows.set(Number(pid), {
      pid: Number(pid),
      ppid: Number(ppid),
      uid: Number(uid),
      comm: (argv[0] ?? '').replace(/^.*\//, '').replace(/^-/, ''),
      dead: stat.startsWith('Z'),
      isKernelThread: false,
      inForeground: stat.includes('+'),
      // `s` marks the leader of a session. What init did not adopt has somebody who waits for it.
      ...(ppid === '1' ? { leader: Number(stat.includes('s') ? pid : pgid) } : {}),
      hasTerminal: !/^\?+$/.test(tty),
      startToken: lstart,
      startedAtMs: Number.isNaN(startedAtMs) ? null : startedAtMs,
      argv,
    });
  }
  return rows;
};

const psDetails = (rows: ReadonlyMap<number, PsRow>): ProcessDetails => ({
  row: (pid) => rows.get(pid) ?? null,
  isListed: (pid) => rows.has(pid),
  isThread: () => false,
  argv: (pid) => rows.get(pid)?.argv ?? [],
  uid: (pid) => rows.get(pid)?.uid ?? null,
  // `ps -E` mixes the environment with the arguments: what it says of anybody could be forged by an argument.
  environment: () => null,
  // One lsof for all costs half a second.
  lookingIsCheap: false,
  workingDirectories: readWorkingDirectories,
  doorToCwd: () => null,
  doorToRoot: () => null,
  numbers: (pid) => [pid],
  pidNamespace: () => null,
  containerNames: () => ({ hostname: null, id: null }),
  mountedDevices: () => [],
  sharesOurPaths: () => true,
  listeningSockets: () => [],
});

const readWorkingDirectories = async (
  pids: readonly number[],
): Promise<ReadonlyMap<number, Observed<string>>> => {
  if (pids.length === 0) return new Map();
  const args = ['-a', '-d', 'cwd', '-F', 'pn', '-p', pids.join(',')];
  const env = { PATH: process.env.PATH, LC_ALL: 'C' };
  const result = await runCommand('lsof', args, { timeoutMs: PS_TIMEOUT_MS, env });
  // lsof ends with 1 as soon as one of the processes is gone, and still answers for the others.
  const answered = result.status === 'ok' || result.status === 'failed';
  const seen = answered ? parseLsof(result.stdout.toString('utf8')) : new Map<number, string>();
  const why = answered ? 'lsof shows none' : `lsof ${complaintOf(result)}`;
  return new Map(
    pids.map((pid): [number, Observed<string>] => {
      const value = seen.get(pid);
      return [pid, value === undefined ? { seen: false, why } : { seen: true, value }];
    }),
  );
};

/** Parses `lsof -F pn`: `p<pid>`, then `fcwd` and `n<path>`. A path that lsof could not read is left out. */
export const parseLsof = (text: string): ReadonlyMap<number, string> => {
  const paths = new Map<number, string>();
  let pid = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith('p')) pid = Number(line.slice(1));
    if (line.startsWith('n/') && !/ \((readlink|stat|lstat): .*\)$/.test(line)) paths.set(pid, line.slice(1));
  }
  return paths;
};
