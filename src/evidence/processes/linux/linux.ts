/** The process table of Linux: /proc, by synchronous reads (one pass over 600 processes takes 8 ms). */
import { readdirSync, readlinkSync } from 'node:fs';
import { startsWithDigit } from '../../../core/digits.ts';
import type { Observed } from '../../../core/types/evidence.ts';
import { bytesAsText } from '../../../io/disk/bytes-as-text.ts';
import { entryExists } from '../../../io/disk/entry-exists.ts';
import { describeErrno } from '../../../io/errno.ts';
import { tryOr } from '../../../io/try-or.ts';
import { gasTownVariablesIn } from '../../tmux/gas-town-variables.ts';
import { readHoldMark } from '../hold-mark.ts';
import { type ProcessDetails, type ProcessRow, type ProcessTable, UNSEEN } from '../row.ts';
import { signalProcess } from '../signal.ts';
import { type ProcessClock, readProcessClock } from './clock.ts';
import { namespaceDetails } from './namespaces.ts';
import { readProc, readProcLink, readProcText, withoutStackTraces } from './proc-files.ts';
import { hasEndedByState, isDeadStat, parseProcStat } from './proc-stat.ts';
import { readsItsStartAs, recordedStart } from './recorded-start.ts';
import { socketReader } from './unix-sockets.ts';
import { unlistedChildren } from './unlisted.ts';

/** SIGTERM, SIGTSTP, SIGTTIN and SIGTTOU, in the set of signals that a process ignores. */
const IGNORED_AT_PROMPTS = 0x384000;

/** In a process's personality: the kernel draws no addresses for it (personality(2)). */
const ADDR_NO_RANDOMIZE = 0x0040000;

/** Reads a directory that is mounted like /proc. Never throws: what failed is in `listing`. */
export const readProcTable = (proc: string): ProcessTable => {
  const clock = readProcessClock(proc);
  const { rows, listing } = withoutStackTraces(() => listProc(proc, clock));
  const unlisted =
    listing.seen && listing.value === 'own' ? withoutStackTraces(() => unlistedChildren(proc, rows)) : [];
  const details = listing.seen ? procDetails(proc, clock, rows) : closedDetails(listing.why);
  return {
    ...{ listing, rows, details, again: async () => readProcTable(proc) },
    ...(unlisted.length > 0 ? { unlisted } : {}),
  };
};

const listProc = (proc: string, clock: ProcessClock): Pick<ProcessTable, 'rows' | 'listing'> => {
  const unlisted = (why: string) => ({ rows: new Map(), listing: { seen: false as const, why } });
  let names: string[];
  try {
    names = readdirSync(proc);
    if (readlinkSync(`${proc}/self`) !== String(process.pid))
      return unlisted(`${proc} shows another PID namespace`);
  } catch (error) {
    return unlisted(`${proc} cannot be read (${describeErrno(error)})`);
  }
  const rows = new Map<number, ProcessRow>();
  let hidden = !names.includes('1') && signalProcess(1).answer !== 'absent';
  for (const name of names) {
    if (!startsWithDigit(name)) continue;
    const row = readRow(proc, name, clock);
    if (row === 'hidden') hidden = true;
    else if (typeof row === 'string') return unlisted(`${proc}/${name}/stat ${row}`);
    else if (row !== null) rows.set(row.pid, row);
  }
  return { rows, listing: { seen: true, value: hidden ? 'own' : 'all' } };
};

type RowReading = ProcessRow | 'hidden' | 'is not understood' | `cannot be read (${string})` | null;

const readRow = (proc: string, pid: number | string, clock: ProcessClock): RowReading => {
  const read = readProc(`${proc}/${pid}/stat`);
  if ('error' in read) {
    if (read.error === 'ENOENT' || read.error === 'ESRCH') return null;
    return read.error === 'EACCES' || read.error === 'EPERM' ? 'hidden' : `cannot be read (${read.error})`;
  }
  // A process that vanishes between open and read shows an empty file.
  if (read.bytes.length === 0) return null;
  const stat = parseProcStat(bytesAsText(read.bytes));
  if (stat === null) return 'is not understood';
  return {
    pid: stat.pid,
    ppid: stat.ppid,
    comm: stat.comm,
    dead: isDeadStat(stat),
    inForeground: stat.inForeground,
    leader: stat.session,
    hasTerminal: stat.hasTerminal,
    isKernelThread: stat.isKernelThread,
    startToken: stat.startTicks,
    startedAtMs: clock(stat.startTicks),
    ...(hasEndedByState(stat) && !isDeadStat(stat) ? { firstThreadEnded: true } : {}),
  };
};

/** The directory of a thread that has not ended; that of the process where there is none. */
const runningThread = (directory: string): string => {
  for (const thread of tryOr(() => readdirSync(`${directory}/task`), [])) {
    const read = readProc(`${directory}/task/${thread}/stat`);
    const stat = 'error' in read ? null : parseProcStat(bytesAsText(read.bytes));
    if (stat !== null && !hasEndedByState(stat)) return `${directory}/task/${thread}`;
  }
  return directory;
};

/** Also where its first thread has ended since the processes were listed. */
const readWorkingDirectory = (directory: string): Observed<string> => {
  const cwd = readProcLink(`${directory}/cwd`);
  return cwd.seen || cwd.why !== 'ENOENT' ? cwd : readProcLink(`${runningThread(directory)}/cwd`);
};

const procDetails = (
  proc: string,
  clock: ProcessClock,
  rows: ReadonlyMap<number, ProcessRow>,
): ProcessDetails => {
  const directory = (pid: number): string =>
    rows.get(pid)?.firstThreadEnded === true ? runningThread(`${proc}/${pid}`) : `${proc}/${pid}`;
  const statusField = (pid: number, name: 'Tgid' | 'Uid' | 'SigIgn', radix = 10): number | null => {
    const read = readProc(`${proc}/${pid}/status`);
    if ('error' in read) return null;
    const text = read.bytes.toString('latin1');
    const start = `\n${name}:`;
    const at = text.indexOf(start);
    const value = at === -1 ? Number.NaN : Number.parseInt(text.slice(at + start.length), radix);
    return Number.isNaN(value) ? null : value;
  };
  const texts = (path: string): readonly string[] | null => {
    const read = readProc(path);
    if ('error' in read) return null;
    const text = bytesAsText(read.bytes);
    return (text.endsWith('\0') ? text.slice(0, -1) : text).split('\0');
  };
  const commandLines = new Map<number, readonly string[]>();
  /** Addresses that the kernel drew by lot when the program was started; null where it draws none, and where they are hidden. */
  const addresses = (pid: number): string | null => {
    if (!/^[1-9]/.test(readProcText(`${proc}/sys/kernel/randomize_va_space`))) return null;
    const personality = Number.parseInt(readProcText(`${directory(pid)}/personality`), 16);
    if (Number.isNaN(personality) || (personality & ADDR_NO_RANDOMIZE) !== 0) return null;
    const read = readProc(`${directory(pid)}/auxv`);
    return 'error' in read || read.bytes.length === 0 ? null : read.bytes.toString('latin1');
  };
  return {
    row: (pid) => {
      // Another program may run there by now.
      commandLines.delete(pid);
      const row = readRow(proc, pid, clock);
      return typeof row === 'string' ? 'hidden' : row;
    },
    directory,
    recordedStart: ({ pid, startToken }) => recordedStart(directory(pid), startToken),
    notesItsStartAs: (row, start) =>
      UNSEEN.notesItsStartAs(row, start) || readsItsStartAs(directory(row.pid), row.startToken, start),
    isListed: (pid) => entryExists(`${proc}/${pid}`),
    isThread: (pid) => {
      const leader = statusField(pid, 'Tgid');
      return leader !== null && leader !== pid;
    },
    argv: (pid) => {
      const before = commandLines.get(pid);
      if (before !== undefined) return before;
      const argv = texts(`${directory(pid)}/cmdline`) ?? [];
      // It is empty while another program is being started, and is read again then.
      if (argv.join('') !== '') commandLines.set(pid, argv);
      return argv;
    },
    executable: (pid) => {
      const link = readProcLink(`${directory(pid)}/exe`);
      return link.seen ? link.value : null;
    },
    readsTerminal: (pid) => {
      const input = readProcLink(`${directory(pid)}/fd/0`);
      return input.seen ? input.value.startsWith('/dev/') && input.value !== '/dev/null' : null;
    },
    hasPrompt: (pid) => ((statusField(pid, 'SigIgn', 16) ?? 0) & IGNORED_AT_PROMPTS) === IGNORED_AT_PROMPTS,
    isForkOf: (pid, parent) => {
      const own = addresses(pid);
      return own !== null && own === addresses(parent);
    },
    uid: (pid) => statusField(pid, 'Uid'),
    environment: (pid) => {
      const variables = texts(`${directory(pid)}/environ`);
      return variables === null ? null : gasTownVariablesIn(variables);
    },
    variables: (pid, names) => {
      const variables = texts(`${directory(pid)}/environ`);
      if (variables === null) return null;
      return names.flatMap((name) =>
        variables
          .filter((variable) => variable.startsWith(`${name}=`))
          .map((variable) => variable.slice(name.length + 1)),
      );
    },
    holdMarks: async (pids) =>
      withoutStackTraces(() => new Map(pids.map((pid) => [pid, readHoldMark(`${directory(pid)}/environ`)]))),
    lookingIsCheap: true,
    workingDirectories: async (pids) =>
      withoutStackTraces(() => new Map(pids.map((pid) => [pid, readWorkingDirectory(directory(pid))]))),
    doorToCwd: (pid) => `${directory(pid)}/cwd`,
    ...namespaceDetails(directory),
    listeningSockets: socketReader(directory),
  };
};

const closedDetails = (why: string): ProcessDetails => ({
  ...UNSEEN,
  row: () => null,
  isListed: () => false,
  argv: () => [],
  uid: () => null,
  holdMarks: async (pids) => new Map(pids.map((pid) => [pid, { seen: false, why }])),
  lookingIsCheap: true,
  workingDirectories: async (pids) => new Map(pids.map((pid) => [pid, { seen: false, why }])),
  numbers: () => [],
  sharesOurPaths: () => false,
});
