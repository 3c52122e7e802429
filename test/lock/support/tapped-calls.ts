/** The system calls of the lock library with a tap on each, to count calls, make them fail, or stop at one. */
import { type SystemCalls, systemCalls } from '../../../src/io/disk/system-calls.ts';

export type CallName = keyof SystemCalls;

export interface Tap {
  /** Before call number `index` (from 0). If it throws, the call fails; if it returns an answer, the call is not made. */
  readonly before?: (
    name: CallName,
    index: number,
    args: readonly unknown[],
  ) => { answer: unknown } | undefined;
  /** After a call that succeeded. */
  readonly after?: (name: CallName, index: number) => void;
}

/** Makes every call of `calls` go through the tap. */
export const tapped = (tap: Tap, calls: SystemCalls = systemCalls): SystemCalls => {
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
};

/** flock(1) always succeeds and the kernel confirms it: for tests without any contender. */
export const alone: SystemCalls = {
  ...systemCalls,
  isExecutable: () => true,
  runWith: () => ({ kind: 'exited', code: 0 }),
  descriptorInfo: () => 'lock:\t1: FLOCK  ADVISORY  WRITE 1 00:00:0 0 EOF\n',
};

/** As on a file system without hard links, where link(2) fails with one of several errors. */
export const withoutLinks = (code: string): SystemCalls => ({
  ...alone,
  link: () => {
    throw Object.assign(new Error(`${code}: injected at link`), { code });
  },
});

/** The calls that a run makes, including those that fail. */
export const listCalls = async (
  run: (calls: SystemCalls) => Promise<unknown>,
  calls: SystemCalls = alone,
): Promise<readonly CallName[]> => {
  const names: CallName[] = [];
  const note = (name: CallName): undefined => void names.push(name);
  await run(tapped({ before: note }, calls)).catch(() => undefined);
  // Otherwise a test of every call would test none.
  if (names.length <= 5) throw new Error(`only ${names.length} calls: ${names.join(', ')}`);
  return names;
};

export const FAULTS = ['EIO', 'ENOSPC', 'EACCES', 'EROFS', 'EMFILE', 'short'] as const;
export type Fault = (typeof FAULTS)[number];

/** Call number `at` fails; a short write writes half of its bytes and returns that number. */
export const failing = (at: number, fault: Fault, calls: SystemCalls = alone): SystemCalls => {
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
};

const writeHalf = ([descriptor, bytes]: readonly unknown[]): number => {
  const all = bytes as Uint8Array;
  return systemCalls.write(descriptor as number, all.subarray(0, all.length >> 1));
};

/** The process is dead from here on: no further call has any effect. */
class Crash extends Error {}

/** Dies right after call number `at`; its open descriptors are closed, as the kernel would do. */
export const crashing = (at: number): SystemCalls => {
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
};
