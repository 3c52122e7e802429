// Which tests may run beside others: those that start no process and no tmux server, which doctors of others would see. It is
// told by what a test imports out of test/; whoever uses the toolkit that starts processes is one of those that run alone.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const TESTS = `${resolve(import.meta.dirname, '../../test')}/`;

const STARTS_PROCESSES = /from '(?:node:)?(?:child_process|worker_threads)'/;
const IMPORT = /from '(\.{1,2}\/[^']+\.ts)'/g;

const known = new Map();

/** True for a file of test/ that reaches, through files of test/, nothing that starts processes. */
export const runsBesideOthers = (file) => {
  if (!known.has(file)) {
    known.set(file, true); // of a circle, the others decide
    const text = readFileSync(file, 'utf8');
    const imported = [...text.matchAll(IMPORT)].map(([, path]) => resolve(dirname(file), path));
    // Some tests have sources of their own as text, whose imports lead nowhere.
    const reached = imported.filter((path) => path.startsWith(TESTS) && existsSync(path));
    known.set(file, !STARTS_PROCESSES.test(text) && reached.every(runsBesideOthers));
  }
  return known.get(file);
};
