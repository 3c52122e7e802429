// Runs the tests: those that start processes one file at a time, for the doctors of others would see them, and in a private view
// of the machine; the rest beside them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inPrivateView } from './private-view.mjs';
import { ENVIRONMENT, JEST } from './start-jest.mjs';
import { runNode } from './steps.mjs';

/** Runs jest's tests for these words of its command line, prints how many passed and failed, and answers an exit code. */
export const runTests = async (words) => {
  const folder = mkdtempSync(join(tmpdir(), 'lock-doctor-tests-'));
  const lane = (name) => [
    ...JEST,
    '--maxWorkers=1',
    '--passWithNoTests',
    `--filter=${import.meta.dirname}/${name}.cjs`,
    '--json',
    `--outputFile=${folder}/${name}.json`,
    ...words,
  ];
  const view = inPrivateView(lane('one-at-a-time'));
  if (view.why !== null)
    console.log(`skip  hiding the agents and tmux servers of this machine from the tests: ${view.why}`);
  try {
    const beside = runNode(lane('beside-others'), ENVIRONMENT);
    const alone = spawn(view.file, view.words, {
      env: ENVIRONMENT,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = await once(alone, 'close');
    const { code: codeBeside, output } = await beside;
    process.stderr.write(output);
    console.log(countsOf(['beside-others', 'one-at-a-time'].map((name) => `${folder}/${name}.json`)));
    return code === 0 && codeBeside === 0 ? 0 : 1;
  } finally {
    view.remove();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** A run that broke down has failed. */
const countsOf = (paths) => {
  let [passed, failed, skipped] = [0, 0, 0];
  for (const path of paths)
    try {
      const result = JSON.parse(readFileSync(path, 'utf8'));
      passed += result.numPassedTests;
      failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
      skipped += result.numPendingTests;
    } catch {
      failed += 1;
    }
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
};
