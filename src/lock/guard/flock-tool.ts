/**
 * flock(2) without a native addon: a small program locks the descriptor that it inherits from us as number 3. The lock
 * belongs to the open file description, so it stays with our descriptor when the program has exited, and the kernel
 * drops it when our process dies.
 */
import type { SystemCalls, ToolAnswer } from '../../io/disk/system-calls.ts';
import { SYSTEM_DIRECTORIES } from '../../io/programs/find-program.ts';

export interface FlockTool {
  readonly program: string;
  readonly args: readonly string[];
  /** How it locks several descriptors, from 3 to `last`; left out where it cannot. */
  readonly several?: Several;
}

type Several = (last: number) => { readonly program: string; readonly args: readonly string[] };

/** `locked`, `busy` (somebody else has it) or `none` (no program could do it; `hint` says what helps). */
export type FlockAnswer =
  | { readonly kind: 'locked' | 'busy' }
  | { readonly kind: 'none'; readonly why: string; readonly hint: string };

/** Exit 0 is locked, exit 1 busy; EAGAIN is 11 on Linux and 35 on macOS. */
const PERL =
  'open(my $f, "+<&=", 3) or exit 2; exit(flock($f, LOCK_EX | LOCK_NB) ? 0 : $! == 11 || $! == 35 ? 1 : 3)';

/** Inherited descriptors follow the standard streams. */
const FIRST_INHERITED = 3;

/** Tries each one; afterwards the kernel is asked which of them are locked. */
const PERL_SEVERAL =
  'for my $n (3 .. $ARGV[0]) { open(my $f, "+<&=", $n) or next; push @kept, $f; flock($f, LOCK_EX | LOCK_NB) }';

const SHELL_SEVERAL = 'n=3; last=$1; shift; while [ "$n" -le "$last" ]; do "$@" "$n"; n=$((n + 1)); done';

const inShell =
  (...args: readonly string[]) =>
  (program: string): Several =>
  (last) => ({ program: '/bin/sh', args: ['-c', SHELL_SEVERAL, 'sh', String(last), program, ...args] });

interface Candidate {
  readonly name: string;
  readonly args: readonly string[];
  readonly several: (program: string) => Several;
}

/** In order of speed: 1.5 ms, 1.5 ms, 8 ms. */
const CANDIDATES: readonly Candidate[] = [
  { name: 'flock', args: ['-x', '-n', '3'], several: inShell('-x', '-n') },
  { name: 'busybox', args: ['flock', '-x', '-n', '3'], several: inShell('flock', '-x', '-n') },
  {
    name: 'perl',
    args: ['-MFcntl=:flock', '-e', PERL],
    several: (program) => (last) => ({
      program,
      args: ['-MFcntl=:flock', '-e', PERL_SEVERAL, String(last)],
    }),
  },
];

const INSTALL_HINT =
  'Install flock (Debian, Ubuntu, Fedora: util-linux; Alpine: util-linux or busybox) or perl.';

/** Hints for errors other than a missing program. */
const HINTS: Readonly<Record<string, string>> = {
  EMFILE: 'Allow this process more open files (ulimit -n 1024).',
  ENFILE: 'The whole machine has no open file left: close some, or raise fs.file-max.',
  EAGAIN: 'Allow this user more processes (ulimit -u), or end some.',
  ENOMEM: 'The machine has no memory left for another process.',
};

/** Milliseconds. The program never waits for the lock, so one that has not answered by then hangs. */
const TOOL_TIMEOUT_MS = 2000;

/** The programs on this machine that can flock, the fastest first. */
export const findFlockTools = (calls: SystemCalls, path: string): readonly FlockTool[] => {
  // The system's directories come before PATH, which is short in cron and may name anything elsewhere.
  const directories = [...SYSTEM_DIRECTORIES, ...path.split(':').filter((entry) => entry.startsWith('/'))];
  return CANDIDATES.flatMap(({ name, args, several }) => {
    const directory = directories.find((entry) => calls.isExecutable(`${entry}/${name}`));
    const program = `${directory}/${name}`;
    return directory === undefined ? [] : [{ program, args, several: several(program) }];
  });
};

/** Tries to lock the descriptor with the first tool that answers. Does not wait for the lock. Never throws. */
export const flockDescriptor = (
  calls: SystemCalls,
  descriptor: number,
  tools: readonly FlockTool[],
): FlockAnswer => {
  let failure = { why: 'neither flock (util-linux or busybox) nor perl is installed', hint: INSTALL_HINT };
  for (const { program, args } of tools) {
    const answer = calls.runWith([descriptor], program, args, TOOL_TIMEOUT_MS);
    if (answer.kind === 'exited' && answer.code === 0) return { kind: 'locked' };
    if (answer.kind === 'exited' && answer.code === 1) return { kind: 'busy' };
    failure = explain(calls, program, answer);
  }
  return { kind: 'none', ...failure };
};

/**
 * Tries to lock the descriptors with one program for all of them, and returns those that the kernel shows as locked: none where
 * it shows none, or no program can do it. Does not wait for the locks. Never throws.
 */
export const flockDescriptors = (
  calls: SystemCalls,
  descriptors: readonly number[],
  tools: readonly FlockTool[],
): ReadonlySet<number> => {
  // In reverse order: perl is slowest to start, but needs no process for each descriptor (10 ms for 256 instead of 400).
  for (const { several } of [...tools].reverse()) {
    if (several === undefined) continue;
    const { program, args } = several(descriptors.length + FIRST_INHERITED - 1);
    const { kind } = calls.runWith(descriptors, program, args, TOOL_TIMEOUT_MS);
    // A program that timed out may have locked some of them.
    const locked = descriptors.filter((descriptor) => isFlockShown(calls, descriptor));
    if (kind === 'exited' || locked.length > 0) return new Set(locked);
  }
  return new Set();
};

const explain = (
  calls: SystemCalls,
  program: string,
  answer: ToolAnswer,
): { readonly why: string; readonly hint: string } => {
  if (answer.kind === 'failed') {
    // The program itself exists, so what is missing is /dev/null for its standard streams.
    if (answer.errno === 'ENOENT' && calls.isExecutable(program) && calls.lstat('/dev/null') === undefined)
      return { why: '/dev/null is missing', hint: 'Make it: mknod -m 666 /dev/null c 1 3.' };
    return { why: `${program} ${answer.why}`, hint: HINTS[answer.errno ?? ''] ?? INSTALL_HINT };
  }
  // A shell's exit status for a missing command, and busybox's for an applet that was left out.
  const isWithoutApplet = answer.code === 127 && program.endsWith('/busybox');
  const why = isWithoutApplet ? 'was built without flock' : `ended with code ${answer.code}`;
  return { why: `${program} ${why}`, hint: INSTALL_HINT };
};

/** True where the kernel shows a flock on this descriptor. */
export const isFlockShown = (calls: SystemCalls, descriptor: number): boolean =>
  /^lock:.*\bFLOCK\b.*\bWRITE\b/m.test(calls.descriptorInfo(descriptor) ?? '');
