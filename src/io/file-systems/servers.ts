/** File systems behind a server that may not answer: a look at them then waits for ever, and nothing ends that. */
import {
  existsSync as exists,
  lstatSync as lstat,
  openSync as open,
  readdirSync as readdir,
  readFileSync,
  readlinkSync,
  realpathSync as realpath,
  statSync as stat,
} from 'node:fs';
import type { DiskPath } from '../disk/disk-path.ts';
import { SilentServer } from '../errno.ts';
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
export const ourServersApart = (trees: readonly string[]): readonly string[] =>
  ourServers().mounts.length === 0 ? [] : ourMountsApart(trees);

const ourMountsApart = (trees: readonly string[]): readonly string[] => {
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

interface OurServers {
  readonly atMs: number;
  /** Where their file systems are mounted. */
  readonly mounts: readonly string[];
  /** Paths that were found to be no symlinks. */
  readonly plain: Set<string>;
}

let known: OurServers | null = null;

/** Read once in a while: on nearly all machines there are none, and no path costs a system call. */
const ourServers = (): OurServers => {
  const now = Date.now();
  if (known === null || now - known.atMs > PAUSE_MS)
    known = { atMs: now, mounts: ourMountsApart([]), plain: new Set() };
  return known;
};

/** Where a server's file system is mounted in a directory, if it does not answer; null where nobody has to wait. */
export const silentServerIn = (directory: string): string | null =>
  ourServers().mounts.find((at) => isAround(directory, at) && !answers(at)) ?? null;

/**
 * The same around an absolute path of ours that has no symlink in it, by what a walk knew when it resolved its root: to look at the
 * clock for each of its paths takes 4 % of the time in which it finds and reads ten thousand locks.
 */
export const silentServerAround = (path: DiskPath): string | null => {
  const { mounts } = known ?? ourServers();
  if (mounts.length === 0) return null;
  const text = String(path);
  return mounts.find((at) => isAround(at, text) && !answers(at)) ?? null;
};

/** As many symlinks as Linux follows on the way to one file. */
const MAX_LINKS = 40;

/**
 * The same for a path with symlinks: each is followed once the server of what contains it is known to answer.
 * @param followsLast what the path itself names is followed, too
 */
export const silentServerBehind = (path: DiskPath, followsLast = true): string | null => {
  const { mounts, plain } = ourServers();
  // The links of /proc lead to places of other processes, not to paths of this one.
  if (mounts.length === 0 || String(path).startsWith('/proc/')) return null;
  const names = String(path).split('/');
  let at = '';
  for (let links = 0; links <= MAX_LINKS; ) {
    const name = names.shift();
    if (name === undefined) return null;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
      continue;
    }
    const next = `${at}/${name}`;
    if (mounts.includes(next) && !answers(next)) return next;
    if (names.length === 0 && !followsLast) return null;
    const target = plain.has(next) ? null : tryOr(() => readlinkSync(next), null);
    if (target === null) {
      plain.add(next);
      at = next;
      continue;
    }
    links += 1;
    if (target.startsWith('/')) at = '';
    names.unshift(...target.split('/'));
  }
  return null;
};

/** The same call of `node:fs`, of up to three arguments; throws `SilentServer` where that names one for its path: it would wait for ever. */
export const unlessSilent = <Call extends (path: never, ...rest: never[]) => unknown>(
  look: Call,
  silentServer: (path: DiskPath) => string | null = silentServerBehind,
): Call =>
  ((path: never, options: never, mode: never) => {
    const at = silentServer(path);
    if (at !== null) throw new SilentServer(at);
    return look(path, options, mode);
  }) as Call;

const behindParent = (path: DiskPath): string | null => silentServerBehind(path, false);

// By these we look at paths.
export const lstatSync = unlessSilent(lstat, behindParent);
/** For files that are opened with O_NOFOLLOW. */
export const openSync = unlessSilent(open, behindParent);
export const readdirSync = unlessSilent(readdir);
export const statSync = unlessSilent(stat);
export const realpathSync = { native: unlessSilent(realpath.native) };
const existsUnlessSilent = unlessSilent(exists);
export const existsSync = (path: string): boolean => tryOr(() => existsUnlessSilent(path), false);
