// Which tests run beside which others. Three lanes of tests run at the same time, in each one file after the other:
//
// - `beside-others`: tests that start no process. Decided by what a test imports from test/.
// - `pid-namespace`: in a PID namespace of their own, where they see nobody else. There the doctor trusts no missing PID
//   (`numbersAreOurs` in src/evidence/restarts.ts), and others see what they start.
// - `one-at-a-time`: all others, for doctors see the agents and tmux servers of other tests.
//
// A test whose first comment says `Runs beside others:` or `Runs in a PID namespace:` belongs there, and says why: it starts no
// agent and no tmux server, and asks nobody who runs, or does not mind that a missing PID proves nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const TESTS = `${resolve(import.meta.dirname, '../../test')}/`;

const STARTS_PROCESSES = /from '(?:node:)?(?:child_process|worker_threads)'/;
const saying = (words) => new RegExp(`^/\\*\\*(?:(?!\\*/)[\\s\\S])*\\b${words}:`);
const SAYS = [
  [saying('Runs beside others'), 'beside-others'],
  [saying('Runs in a PID namespace'), 'pid-namespace'],
];
const IMPORT = /from '(\.{1,2}\/[^']+\.ts)'/g;

/**
 * The words in front of a command that runs it in a PID namespace of its own. Its process 1 is a shell, which reaps what
 * nobody else does, and all end with it.
 */
export const IN_PID_NAMESPACE = [
  ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
  ...['sh', '-c', '"$@"; exit $?', 'sh'],
];

let hasNamespaces = null;

/** True where such a namespace can be made: on Linux, by root. */
export const canHavePidNamespace = () => {
  const [file, ...words] = IN_PID_NAMESPACE;
  hasNamespaces ??= spawnSync(file, [...words, 'true'], { stdio: 'ignore' }).status === 0;
  return hasNamespaces;
};

/** The lane that a test names in its first comment; null where it names none. */
export const namedLane = (file) => {
  const text = readFileSync(file, 'utf8');
  return SAYS.find(([says]) => says.test(text))?.[1] ?? null;
};

const known = new Map();

/** True for a file of test/ that reaches nothing, through files of test/, that starts processes. */
const startsNone = (file) => {
  if (!known.has(file)) {
    known.set(file, true); // of a circle, the others decide
    const text = readFileSync(file, 'utf8');
    const imported = [...text.matchAll(IMPORT)].map(([, path]) => resolve(dirname(file), path));
    // Some tests have sources of their own as text, whose imports lead nowhere.
    const reached = imported.filter((path) => path.startsWith(TESTS) && existsSync(path));
    known.set(file, !STARTS_PROCESSES.test(text) && reached.every(startsNone));
  }
  return known.get(file);
};

/** The lane in which a test runs here: without namespaces those that want one run one at a time. */
export const laneOf = (file) => {
  const lane = namedLane(file) ?? (startsNone(file) ? 'beside-others' : 'one-at-a-time');
  return lane === 'pid-namespace' && !canHavePidNamespace() ? 'one-at-a-time' : lane;
};
