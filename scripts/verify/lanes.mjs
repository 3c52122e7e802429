// Decides which tests run at the same time. There are three lanes; each runs its files one after the other:
//
// - `beside-others`: tests that start no process, which depends on their imports from test/.
// - `pid-namespace`: in a PID namespace of their own, where they see no other processes, made to look like a machine's
//   (`numbersAreOurs` in src/evidence/restarts.ts). Tests outside see the processes that they start.
// - `one-at-a-time`: all others, because doctors see the agents and tmux servers of other tests.
//
// A test whose first comment contains `Runs beside others:` or `Runs in a PID namespace:` and the reason belongs to that lane: it
// starts no agent and no tmux server and never looks at processes, or does not depend on a missing PID as proof.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { AS_CALLER, MAY_MOUNT } from './namespaces.mjs';

const TESTS = `${resolve(import.meta.dirname, '../../test')}/`;

const STARTS_PROCESSES = /from '(?:node:)?(?:child_process|worker_threads)'/;
const saying = (words) => new RegExp(`^/\\*\\*(?:(?!\\*/)[\\s\\S])*\\b${words}:`);
const SAYS = [
  [saying('Runs beside others'), 'beside-others'],
  [saying('Runs in a PID namespace'), 'pid-namespace'],
];
const IMPORT = /from '(\.{1,2}\/[^']+\.ts)'/g;

// Process 1 bears the name of an init, and the host's name is its own, as in a container that boots like a machine: in a mere sandbox
// the doctor is unsure of everything. An empty directory covers each one with tmux sockets, which would be found without their
// processes.
const SCRIPT = `
printf init >/proc/1/comm || exit
for each in /tmp/tmux-*; do
  if [ -d "$each" ]; then mount -t tmpfs -o mode=755 none "$each" || exit; fi
done
"$@"
exit $?`;

/** Put before a command, runs it in a new PID namespace. Process 1 is a shell, which reaps orphans; everything ends with it. */
export const IN_PID_NAMESPACE = [
  ...['unshare', ...MAY_MOUNT, '--uts', '--pid', '--fork', '--kill-child', '--mount-proc'],
  ...['sh', '-c', SCRIPT, 'sh', ...AS_CALLER],
];

let hasNamespaces = null;

/** True if such a namespace can be created: on Linux, by root, or where ordinary users may create user namespaces. */
export const canHavePidNamespace = () => {
  const [file, ...args] = IN_PID_NAMESPACE;
  hasNamespaces ??= spawnSync(file, [...args, 'true'], { stdio: 'ignore' }).status === 0;
  return hasNamespaces;
};

/** The lane that a test's first comment names; null if it names none. */
export const namedLane = (file) => {
  const text = readFileSync(file, 'utf8');
  return SAYS.find(([says]) => says.test(text))?.[1] ?? null;
};

const known = new Map();

/** True for a file of test/ that imports nothing, directly or through files of test/, that starts processes. */
const startsNone = (file) => {
  if (!known.has(file)) {
    known.set(file, true); // in an import cycle, the other files decide
    const text = readFileSync(file, 'utf8');
    const imported = [...text.matchAll(IMPORT)].map(([, path]) => resolve(dirname(file), path));
    // Some tests contain sources as text, whose imports do not exist.
    const reached = imported.filter((path) => path.startsWith(TESTS) && existsSync(path));
    known.set(file, !STARTS_PROCESSES.test(text) && reached.every(startsNone));
  }
  return known.get(file);
};

/** The lane of a test on this machine: without PID namespaces, tests that require one run one at a time. */
export const laneOf = (file) => {
  const lane = namedLane(file) ?? (startsNone(file) ? 'beside-others' : 'one-at-a-time');
  return lane === 'pid-namespace' && !canHavePidNamespace() ? 'one-at-a-time' : lane;
};
