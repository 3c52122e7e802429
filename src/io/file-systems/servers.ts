/** File systems behind a server that may not answer: a look at them then waits for ever, and nothing ends that. */
import { readFileSync } from 'node:fs';
import { spawnAndWait } from '../programs/spawn-sync.ts';
import { tryOr } from '../try-or.ts';
import { hasServed, isServed } from './file-systems.ts';
import { isAround, shownPlaces, typesOfDevices } from './mounts.ts';

/**
 * Where servers' file systems are mounted that lie neither in nor around these trees, under whatever name.
 *
 * @param theirs the list in question, `/proc/<pid>/mountinfo`
 * @param ours the list by which the trees are named
 */
export const serversApart = (theirs: string, ours: string, trees: readonly string[]): readonly string[] => {
  if (!hasServed(theirs)) return [];
  const types = typesOfDevices(theirs);
  const isNear = (at: string) => trees.some((tree) => isAround(at, tree) || isAround(tree, at));
  const near = new Set(shownPlaces(ours).flatMap(({ device, at }) => (isNear(at) ? [device] : [])));
  return shownPlaces(theirs).flatMap(({ device, at }) =>
    isServed(types.get(device) ?? '') && !near.has(device) ? [at] : [],
  );
};

/** The same of this process; none on another system than Linux. */
export const ourServersApart = (trees: readonly string[]): readonly string[] => {
  const ours = tryOr(() => readFileSync('/proc/self/mountinfo', 'utf8'), '');
  return serversApart(ours, ours, trees);
};

/** Milliseconds. A server that is there answers within a few, over a slow line within some hundred. */
const PATIENCE_MS = 2000;

/** Milliseconds until a server is asked again: each time that it is silent, a program of ours stays behind and waits for it. */
const PAUSE_MS = 30_000;

const asked = new Map<string, { readonly atMs: number; readonly isThere: boolean }>();

/**
 * Whether the server of what is mounted there answers within two seconds. Another program asks, for whoever waits for a server may not
 * even be killed; we wait for its parent, which may. Never throws.
 */
export const answers = (at: string): boolean => {
  const before = asked.get(at);
  if (before !== undefined && Date.now() - before.atMs < PAUSE_MS) return before.isThere;
  const { timedOut } = spawnAndWait('/bin/sh', ['-c', 'stat -f -- "$0" & wait', at], {
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 0,
    // A directory of `PATH` may itself be on that file system.
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'ignore', 'ignore'],
    input: undefined,
    cwd: '/',
  });
  asked.set(at, { atMs: Date.now(), isThere: !timedOut });
  return !timedOut;
};

/** Where a server's file system is mounted around one of our paths, if it does not answer; null where nobody has to wait. */
export const silentServerAround = (path: string): string | null =>
  ourServersApart([]).find((at) => isAround(at, path) && !answers(at)) ?? null;
