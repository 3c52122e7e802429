/** File systems behind a server that may not answer: a look at them then waits for ever, and nothing ends that. */
import { readFileSync } from 'node:fs';
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

/** Those that somebody of ours still waits for: whoever looks again and again must not leave one more behind each time. */
const unanswered = new Set<string>();

/**
 * Whether the server of what is mounted there answers; each is asked once. Another program asks, because whoever waits for a server
 * may not even be killed. Never rejects.
 */
export const serverProbe = (): ((at: string) => Promise<boolean>) => {
  const asked = new Map<string, Promise<boolean>>();
  return (at) => {
    const answer = asked.get(at) ?? answers(at);
    asked.set(at, answer);
    return answer;
  };
};

const answers = async (at: string): Promise<boolean> => {
  if (unanswered.has(at)) return false;
  // A directory of `PATH` may itself be on that file system.
  const options = { stdio: 'ignore', cwd: '/', env: { PATH: '/usr/bin:/bin' } } as const;
  const child = process.getBuiltinModule('node:child_process').spawn('stat', ['-f', '--', at], options);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      unanswered.add(at);
      child.kill('SIGKILL');
      child.unref();
      resolve(false);
    }, PATIENCE_MS);
    const end = () => {
      clearTimeout(timer);
      unanswered.delete(at);
      resolve(true);
    };
    // Without that program we look ourselves, as everywhere else.
    child.on('error', end).on('exit', end);
  });
};
