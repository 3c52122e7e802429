/**
 * flock(2) without a native addon: a small program locks the descriptor that it inherits from us as number 3. The lock
 * belongs to the open file description, so it stays with our descriptor when the program has exited, and the kernel
 * drops it when our process dies.
 */
import type { SystemCalls } from '../../io/system-calls.ts';

export interface FlockTool {
  readonly program: string;
  readonly args: readonly string[];
}

/** `locked`, `busy` (somebody else has it) or `none` (no program could say). */
export type FlockAnswer =
  | { readonly kind: 'locked' | 'busy' }
  | { readonly kind: 'none'; readonly why: string };

/** Exit 0 is locked, exit 1 busy; EAGAIN is 11 on Linux and 35 on macOS. */
const PERL =
  'open(my $f, "+<&=", 3) or exit 2; exit(flock($f, LOCK_EX | LOCK_NB) ? 0 : $! == 11 || $! == 35 ? 1 : 3)';

/** In order of speed: 1.5 ms, 1.5 ms, 8 ms. */
const CANDIDATES: readonly { readonly name: string; readonly args: readonly string[] }[] = [
  { name: 'flock', args: ['-x', '-n', '3'] },
  { name: 'busybox', args: ['flock', '-x', '-n', '3'] },
  { name: 'perl', args: ['-MFcntl=:flock', '-e', PERL] },
];

/** Looked at before PATH, which in cron is short and elsewhere is anybody's. */
const SYSTEM_DIRECTORIES = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin', '/sbin'];

/** A locker that has not answered by then hangs: it never waits for the lock itself. */
const TOOL_TIMEOUT_MS = 2000;

/** Every program on this machine that can do it, the fastest first. */
export function findFlockTools(calls: SystemCalls, path: string): readonly FlockTool[] {
  const directories = [...SYSTEM_DIRECTORIES, ...path.split(':').filter((entry) => entry.startsWith('/'))];
  return CANDIDATES.flatMap(({ name, args }) => {
    const directory = directories.find((entry) => calls.isExecutable(`${entry}/${name}`));
    return directory === undefined ? [] : [{ program: `${directory}/${name}`, args }];
  });
}

/** Tries to lock the descriptor with the first tool that answers. Does not wait for the lock. Never throws. */
export function flockDescriptor(
  calls: SystemCalls,
  descriptor: number,
  tools: readonly FlockTool[],
): FlockAnswer {
  let why = 'neither flock (util-linux or busybox) nor perl is installed';
  for (const { program, args } of tools) {
    const answer = calls.runWith(descriptor, program, args, TOOL_TIMEOUT_MS);
    if (answer.kind === 'exited' && answer.code === 0) return { kind: 'locked' };
    if (answer.kind === 'exited' && answer.code === 1) return { kind: 'busy' };
    why = `${program} ${answer.kind === 'exited' ? `ended with code ${answer.code}` : answer.why}`;
  }
  return { kind: 'none', why };
}

/** The kernel itself says that a flock rests on this descriptor; false where it does not say so. */
export const isFlockShown = (calls: SystemCalls, descriptor: number): boolean =>
  /^lock:.*\bFLOCK\b.*\bWRITE\b/m.test(calls.descriptorInfo(descriptor) ?? '');
