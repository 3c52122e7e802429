/**
 * A scan with a helper thread finds what one without it finds.
 * Runs beside others: its scanners walk their own trees, and nothing here lists processes.
 */
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { scanTown } from '../../../src/evidence/scan/scan.ts';
import { cleanUp, onCleanUp } from '../../support/index.ts';
import { growTree } from './random-tree.ts';
import { bundleScanner, runScanner } from './scanner-process.ts';

afterEach(cleanUp);

/** A path where a script can leave a mark. */
const newMark = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'helper-'));
  onCleanUp(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'mark');
};

/** A tree wide enough to be shared, and large enough for a helper to start in time. */
let root = '';
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'forest-')));
  for (let seed = 1; seed <= 8; seed++) growTree(join(root, `tree${seed}`), seed);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A helper that takes `taken` subtrees, runs `body`, and exits without handing anything over. */
const dyingHelper = (taken: number, body = ''): string => `
  import { workerData } from 'node:worker_threads';
  import { writeFileSync } from 'node:fs';
  const cells = new Int32Array(workerData.shared);
  Atomics.compareExchange(cells, 1, 0, 1);
  for (let count = 0; count < ${taken}; count++) Atomics.store(cells, 3 + Atomics.add(cells, 0, 1), 1);
  ${body}
  process.exit();
`;

test('two threads find what one finds, every time', () => {
  const script = bundleScanner();
  const alone = runScanner(script, [root, 'deep', '1']);
  expect(alone.paths.length).toBeGreaterThan(200);
  for (let run = 0; run < 5; run++) expect(runScanner(script, [root, 'deep', '2'])).toEqual(alone);
  expect(runScanner(script, [root, 'default', '2'])).toEqual(runScanner(script, [root, 'default', '1']));
});

test('no lock is missed if a helper exits with its part half done', () => {
  const died = newMark();
  const script = bundleScanner(dyingHelper(40, `writeFileSync(${JSON.stringify(died)}, '');`));
  const alone = runScanner(script, [root, 'deep', '1']);
  // On a busy machine the helper may start when everything is done; then it has not been tried yet.
  for (let attempt = 0; attempt < 20 && !existsSync(died); attempt++)
    expect(runScanner(script, [root, 'deep', '2']).paths).toEqual(alone.paths);
  expect(existsSync(died)).toBe(true);
});

test.each([
  ['does not start', 'this is no script'],
  ['throws at once', 'throw new Error("no")'],
  ['exits without taking any work', ''],
])('a scan is complete even if its helper %s', (_name, helper) => {
  const script = bundleScanner(helper);
  expect(runScanner(script, [root, 'deep', '2'])).toEqual(runScanner(script, [root, 'deep', '1']));
});

test('a scan is complete even if the script of its helper is missing', async () => {
  const alone = await scanTown({ root, mode: 'deep', threads: 1 });
  const { locks, directories } = await scanTown({ root, mode: 'deep', threads: 2 });
  expect(locks).toHaveLength(alone.locks.length);
  expect(directories).toBe(alone.directories);
});

test('a small town is scanned without a helper', () => {
  const started = newMark();
  const script = bundleScanner(dyingHelper(0, `writeFileSync(${JSON.stringify(started)}, '');`));
  runScanner(script, [root, 'deep', 'auto']);
  expect(existsSync(started)).toBe(false);
});
