// Which tests may run beside others: those that start no process and no tmux server, because doctors in other tests would see
// them. Decided by what a test imports from test/: tests that use the toolkit for processes run alone. A test
// whose first comment says `Runs beside others:` knows better, and says why: it asks nobody who runs, and what it starts is no agent,
// no tmux server and nowhere in a town.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const TESTS = `${resolve(import.meta.dirname, '../../test')}/`;

const STARTS_PROCESSES = /from '(?:node:)?(?:child_process|worker_threads)'/;
const SAYS_SO = /^\/\*\*(?:(?!\*\/)[\s\S])*\bRuns beside others:/;
const IMPORT = /from '(\.{1,2}\/[^']+\.ts)'/g;

const known = new Map();

/** True where a test says of itself that it may run beside others. */
export const saysItRunsBesideOthers = (file) => SAYS_SO.test(readFileSync(file, 'utf8'));

/** True for a file of test/ that says so, or reaches nothing, through files of test/, that starts processes. */
export const runsBesideOthers = (file) => {
  if (!known.has(file)) {
    known.set(file, true); // of a circle, the others decide
    const text = readFileSync(file, 'utf8');
    const imported = [...text.matchAll(IMPORT)].map(([, path]) => resolve(dirname(file), path));
    // Some tests have sources of their own as text, whose imports lead nowhere.
    const reached = imported.filter((path) => path.startsWith(TESTS) && existsSync(path));
    known.set(file, SAYS_SO.test(text) || (!STARTS_PROCESSES.test(text) && reached.every(runsBesideOthers)));
  }
  return known.get(file);
};
