/** Parses the line of `/proc/<pid>/stat`. Pure. */
import { isDigits } from '../../../core/digits.ts';

/** One line of `/proc/<pid>/stat`, as far as the doctor needs it (proc(5)). */
export interface ProcStat {
  readonly pid: number;
  /** The kernel's command name: at most 15 bytes; may contain spaces, parentheses and newlines. */
  readonly comm: string;
  /** `R`, `S`, `D`, `Z` (zombie), `T` (stopped), `X` (dead) … */
  readonly state: string;
  readonly ppid: number;
  /** Number of its session's leader (field 6); 0 where that is in another PID namespace, or it is just being reaped. */
  readonly session: number;
  readonly hasTerminal: boolean;
  /** Its process group is the foreground one of its terminal (fields 5, 7 and 8). */
  readonly inForeground: boolean;
  readonly isKernelThread: boolean;
  readonly threads: number;
  /** Field 22: clock ticks between boot and start, as text, for it may exceed what a number holds exactly. */
  readonly startTicks: string;
}

/** PF_KTHREAD in the flags (field 9). */
const KERNEL_THREAD = 0x0020_0000;

/**
 * Parses such a line; null for anything else. The command may itself contain `) S 1`, so the fields are counted from
 * the last `)`, after which the kernel writes numbers only.
 */
export const parseProcStat = (text: string): ProcStat | null => {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 1 || close < open) return null;
  // The thirty fields after these are not needed.
  const fields = text.slice(close + 2).split(' ', 20);
  const pid = Number(text.slice(0, open - 1));
  const state = fields[0] ?? '';
  const ppid = numberIn(fields[1]);
  // -1 while a process is being reaped.
  const session = fields[3] === '-1' ? 0 : numberIn(fields[3]);
  const flags = numberIn(fields[6]);
  const threads = numberIn(fields[17]);
  const startTicks = fields[19] ?? '';
  if (!Number.isSafeInteger(pid) || pid < 1 || !isLetter(state)) return null;
  if (ppid === null || session === null || flags === null || threads === null || !isDigits(startTicks))
    return null;
  return {
    pid,
    comm: text.slice(open + 1, close),
    state,
    ppid,
    session,
    hasTerminal: fields[4] !== '0',
    inForeground: fields[4] !== '0' && fields[2] === fields[5],
    isKernelThread: (flags & KERNEL_THREAD) !== 0,
    threads,
    startTicks,
  };
};

const numberIn = (field: string | undefined): number | null =>
  field !== undefined && isDigits(field) ? Number(field) : null;

const isLetter = (state: string): boolean => {
  const lower = state.toLowerCase();
  return state.length === 1 && lower >= 'a' && lower <= 'z';
};

/** True for a thread that has ended, and for a process whose first thread has. */
export const hasEndedByState = ({ state }: ProcStat): boolean =>
  state === 'Z' || state === 'X' || state === 'x';

/** True where nothing runs under the number any more: a zombie whose other threads, if any, have ended too. */
export const isDeadStat = ({ state, threads }: ProcStat): boolean =>
  (state === 'Z' && threads <= 1) || state === 'X' || state === 'x';
