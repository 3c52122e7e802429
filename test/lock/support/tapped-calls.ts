/** The system calls of the lock library with a tap on each: to count them, fail them, or stop the world at one. */
import { type SystemCalls, systemCalls } from '../../../src/io/disk/system-calls.ts';

export type CallName = keyof SystemCalls;

export interface Tap {
  /** Before call number `index` (from 0). Throwing fails the call; an answer takes its place. */
  readonly before?: (
    name: CallName,
    index: number,
    args: readonly unknown[],
  ) => { answer: unknown } | undefined;
  /** After the call worked. */
  readonly after?: (name: CallName, index: number) => void;
}

/** Every call of `calls` goes through the tap. */
export function tapped(tap: Tap, calls: SystemCalls = systemCalls): SystemCalls {
  let count = 0;
  const wrap =
    (name: CallName, call: (...args: never[]) => unknown) =>
    (...args: never[]): unknown => {
      const index = count;
      count += 1;
      const instead = tap.before?.(name, index, args);
      if (instead !== undefined) return instead.answer;
      const answer = call(...args);
      tap.after?.(name, index);
      return answer;
    };
  const entries = Object.entries(calls).map(([name, call]) => [name, wrap(name as CallName, call)]);
  return Object.fromEntries(entries) as unknown as SystemCalls;
}

/** flock(1) always says yes and the kernel confirms it: for tests in which nobody else comes along. */
export const alone: SystemCalls = {
  ...systemCalls,
  isExecutable: () => true,
  runWith: () => ({ kind: 'exited', code: 0 }),
  descriptorInfo: () => 'lock:\t1: FLOCK  ADVISORY  WRITE 1 00:00:0 0 EOF\n',
};

/** As on a file system without hard links, which link(2) answers in one of several ways. */
export const withoutLinks = (code: string): SystemCalls => ({
  ...alone,
  link: () => {
    throw Object.assign(new Error(`${code}: injected at link`), { code });
  },
});

/** How many calls, and which, something makes; those that fail as well. */
export async function listCalls(
  run: (calls: SystemCalls) => Promise<unknown>,
  calls: SystemCalls = alone,
): Promise<readonly CallName[]> {
  const names: CallName[] = [];
  const note = (name: CallName): undefined => void names.push(name);
  await run(tapped({ before: note }, calls)).catch(() => undefined);
  return names;
}

export const FAULTS = ['EIO', 'ENOSPC', 'EACCES', 'EROFS', 'EMFILE', 'short'] as const;
export type Fault = (typeof FAULTS)[number];

/** Call number `at` fails; a short write takes half of what it was offered and answers so. */
export function failing(at: number, fault: Fault, calls: SystemCalls = alone): SystemCalls {
  return tapped(
    {
      before: (name, index, args) => {
        if (index !== at) return undefined;
        if (fault === 'short') return name === 'write' ? { answer: writeHalf(args) } : undefined;
        if (name === 'runWith') return { answer: { kind: 'failed', why: fault, errno: fault } };
        if (name === 'isExecutable') return { answer: false };
        if (['descriptorInfo', 'pathOf', 'mountTable'].includes(name)) return { answer: null };
        throw Object.assign(new Error(`${fault}: injected at ${name}`), { code: fault });
      },
    },
    calls,
  );
}

function writeHalf([descriptor, bytes]: readonly unknown[]): number {
  const all = bytes as Uint8Array;
  return systemCalls.write(descriptor as number, all.subarray(0, all.length >> 1));
}

/** The process is dead from here on: nothing that it still tries has any effect. */
export class Crash extends Error {}

/** Dies right after call number `at`; what it had open is closed, as the kernel does. */
export function crashing(at: number): SystemCalls {
  const open = new Set<number>();
  let dead = false;
  const die = (): never => {
    dead = true;
    for (const descriptor of open) systemCalls.close(descriptor);
    open.clear();
    throw new Crash('crashed');
  };
  const watched: SystemCalls = {
    ...alone,
    open: (path, flags, mode) => {
      const descriptor = systemCalls.open(path, flags, mode);
      open.add(descriptor);
      return descriptor;
    },
    close: (descriptor) => {
      open.delete(descriptor);
      systemCalls.close(descriptor);
    },
  };
  return tapped(
    {
      before: () => {
        if (dead) throw new Crash('dead');
        return undefined;
      },
      after: (_name, index) => {
        if (index === at) die();
      },
    },
    watched,
  );
}
