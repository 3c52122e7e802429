/** Reads what identifies this machine, and who asks. */
import type { Asker, HostFacts } from '../core/types/evidence.ts';
import { realOrSame } from '../io/disk/real-path.ts';
import { readNamespace, readProc, readProcText } from './processes/linux/proc-files.ts';
import { parseProcStat } from './processes/linux/proc-stat.ts';
import { bootSession } from './processes/macos/boot-session.ts';
import type { ProcessTable } from './processes/row.ts';

/** The PID namespace that a Linux kernel starts with always has this number (PROC_PID_INIT_INO in its sources). */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';

/** Reads what identifies this machine, this boot and this PID namespace. Never throws: what cannot be read is null. */
export const readHost = (): HostFacts => {
  const pidNamespace = readNamespace('/proc/self/ns/pid');
  return {
    hostname: hostName(),
    platform: process.platform,
    uid: process.getuid?.() ?? 0,
    bootId:
      process.platform === 'darwin'
        ? bootSession()
        : readProcText('/proc/sys/kernel/random/boot_id').trim() || null,
    pidNamespace,
    initialPidNamespace: isInitial(pidNamespace),
  };
};

/** The host's name as gethostname(2) gives it. The kernel's file has the same name, and Node's `os` takes 0.2 ms to load. */
export const hostName = (): string => {
  const line = process.platform === 'linux' ? readProcText('/proc/sys/kernel/hostname') : '';
  return line.length > 1 && line.endsWith('\n')
    ? line.slice(0, -1)
    : process.getBuiltinModule('node:os').hostname();
};

/** macOS has no PID namespaces; where a Linux system hides its namespace, the answer is not known. */
const isInitial = (pidNamespace: string | null): boolean | null => {
  if (process.platform === 'darwin') return true;
  return pidNamespace === null ? null : pidNamespace === INITIAL_PID_NAMESPACE;
};

/**
 * Who asks: this process and its ancestors, and the pane that `TMUX` and `TMUX_PANE` name. On Linux the
 * ancestors are read here; elsewhere they come from `table`, and without one only our process and its parent are known.
 */
export const readAsker = (
  env: Readonly<Record<string, string | undefined>>,
  table: Pick<ProcessTable, 'rows'> | null = null,
): Asker => {
  const pids: number[] = [];
  let pid: number | null = process.pid;
  while (pid !== null && pid > 0 && !pids.includes(pid)) {
    pids.push(pid);
    pid = pid === process.pid ? process.ppid : (table?.rows.get(pid)?.ppid ?? parentOf(pid));
  }
  return { pids, ...(pid === null ? { isCutOff: true } : {}), pane: askerPane(env) };
};

const parentOf = (pid: number): number | null => {
  const read = readProc(`/proc/${pid}/stat`);
  return 'error' in read ? null : (parseProcStat(read.bytes.toString('latin1'))?.ppid ?? null);
};

/** `TMUX` is `<socket>,<server pid>,<session>`; the socket's path may itself contain commas. */
const askerPane = ({ TMUX, TMUX_PANE }: Readonly<Record<string, string | undefined>>): Asker['pane'] => {
  const socket = socketInTmuxVariable(TMUX);
  const serverPid = Number(/,(\d+),\d*$/.exec(TMUX ?? '')?.[1]);
  return socket === null || !/^%\d+$/.test(TMUX_PANE ?? '')
    ? null
    : { socket, serverPid, id: TMUX_PANE ?? '' };
};

/** The socket that a `TMUX` variable names, symlinks resolved where it exists; null where it names none. */
export const socketInTmuxVariable = (value: string | undefined): string | null => {
  const path = /^(\/.*),\d+,\d*$/s.exec(value ?? '')?.[1];
  return path === undefined ? null : realOrSame(path);
};
