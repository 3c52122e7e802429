/** What is known of the processes of a machine, whichever system listed them. */
import { isStartInUtc } from '../../core/record/start-token.ts';
import type { GasTownEnvironment, Observed } from '../../core/types/evidence.ts';

/** One process as the listing shows it. */
export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly comm: string;
  /** A zombie without other threads: nothing runs behind this number. */
  readonly dead: boolean;
  readonly isKernelThread: boolean;
  /** Its first thread has ended and others run (Linux): it is no zombie, although it looks like one. */
  readonly firstThreadEnded?: true;
  /** In the foreground of its terminal; absent where the system was not asked. */
  readonly inForeground?: boolean;
  /**
   * The leader of its session. On macOS `ps` does not number sessions: there, for processes that init adopted, the leader of
   * the process group. Absent where that could not be told.
   */
  readonly leader?: number;
  readonly hasTerminal?: boolean;
  /** The same during the whole life of a process, and different for the next one with that number. */
  readonly startToken: string;
  readonly startedAtMs: number | null;
}

/** Further looks at single processes. None of them throws when the process has vanished. */
export interface ProcessDetails {
  /** The current row: null where the process is gone, `hidden` where permission is denied. */
  readonly row: (pid: number) => ProcessRow | 'hidden' | null;
  /** True where the system's list of processes has this number, or may hide it. */
  readonly isListed: (pid: number) => boolean;
  /**
   * Its directory below /proc; of a process whose first thread has ended that of another thread, because the first one no longer
   * shows files, variables and namespaces.
   */
  readonly directory: (pid: number) => string;
  /** Its start token as records of ours note it; a row has the part that one listing needs to compare. */
  readonly recordedStart: (row: ProcessRow) => string;
  /** True where a process that notes its own start, as agents do in their tools' registries, notes this text. */
  readonly notesItsStartAs: (row: ProcessRow, start: string) => boolean;
  /** True for the number of a thread of another process. */
  readonly isThread: (pid: number) => boolean;
  /** Read once for each table, since several questions need it. */
  readonly argv: (pid: number) => readonly string[];
  /** The file that runs; null where permission is denied, or where the system does not tell. */
  readonly executable: (pid: number) => string | null;
  /** Its standard input is a terminal; null where that cannot be told. */
  readonly readsTerminal: (pid: number) => boolean | null;
  /** It ignores the signals that shells with a prompt ignore; false where that cannot be told. */
  readonly hasPrompt: (pid: number) => boolean;
  /** Its program was not started anew since the other process, its parent, made it by a fork; false where that cannot be told. */
  readonly isForkOf: (pid: number, parent: number) => boolean;
  /** Real user id. */
  readonly uid: (pid: number) => number | null;
  /** Gas Town's variables in the environment that it was started with. */
  readonly environment: (pid: number) => GasTownEnvironment | null;
  /** The values of these variables in the environment that it was started with; null where it cannot be read whole. */
  readonly variables: (pid: number, names: readonly string[]) => readonly string[] | null;
  /** What `exec` wrote into the environments that these were started with (`LOCK_DOCTOR_HOLD`); null: nothing. */
  readonly holdMarks: (pids: readonly number[]) => Promise<ReadonlyMap<number, Observed<string | null>>>;
  /** A look at a working directory is one system call: look at all. */
  readonly lookingIsCheap: boolean;
  readonly workingDirectories: (pids: readonly number[]) => Promise<ReadonlyMap<number, Observed<string>>>;
  /** A path that leads to its working directory from here, even out of another mount namespace; null: only its name does. */
  readonly doorToCwd: (pid: number) => string | null;
  /** A path that leads to its root directory from here; null where there is none. */
  readonly doorToRoot: (pid: number) => string | null;
  /** Its numbers, from ours to the one in its own PID namespace: one where it lives in ours. Empty where that cannot be told. */
  readonly numbers: (pid: number) => readonly number[];
  /** Its PID namespace as Linux names it, `pid:[4026532777]`; null where permission is denied or the system has none. */
  readonly pidNamespace: (pid: number) => string | null;
  /** The machine's name by its root directory, and the id of its container; null where there is none. */
  readonly containerNames: (pid: number) => { readonly hostname: string | null; readonly id: string | null };
  /** Its mount namespace as Linux names it, `mnt:[4026531832]`; null where permission is denied or the system has none. */
  readonly mountNamespace: (pid: number) => string | null;
  /** What it has mounted, in the form of proc_pid_mountinfo(5); empty where that cannot be told. */
  readonly mountInfo: (pid: number) => string;
  /** True where it is in our mount namespace, so that its paths are valid here. */
  readonly sharesOurPaths: (pid: number) => boolean;
  /** Absolute paths of the Unix sockets on which it listens; empty where that cannot be told. */
  readonly listeningSockets: (pid: number) => readonly string[];
}

export interface ProcessTable {
  /** `own`: other users' processes are hidden (hidepid). */
  readonly listing: Observed<'all' | 'own'>;
  readonly rows: ReadonlyMap<number, ProcessRow>;
  readonly details: ProcessDetails;
  /** Processes of our own that the system does not list (hidepid), by the listed process that started each. Left out where there is none. */
  readonly unlisted?: readonly { readonly pid: number; readonly ppid: number }[];
  /** Lists again, for processes that are younger than this table. */
  readonly again: () => Promise<ProcessTable>;
}

/** Where this cannot be seen, of any process. */
export const UNSEEN = {
  directory: (pid) => `/proc/${pid}`,
  recordedStart: ({ startToken }) => startToken,
  notesItsStartAs: ({ startToken, startedAtMs }, start) =>
    start === startToken || isStartInUtc(start, startedAtMs),
  isThread: () => false,
  executable: () => null,
  readsTerminal: () => null,
  hasPrompt: () => false,
  isForkOf: () => false,
  environment: () => null,
  variables: () => null,
  doorToCwd: () => null,
  doorToRoot: () => null,
  pidNamespace: () => null,
  containerNames: () => ({ hostname: null, id: null }),
  mountNamespace: () => null,
  mountInfo: () => '',
  listeningSockets: () => [],
} as const satisfies Partial<ProcessDetails>;
