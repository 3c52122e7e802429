// Runs the tests: the lanes of lanes.mjs at the same time, of which `one-at-a-time` runs in a private view of the machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canHavePidNamespace, IN_PID_NAMESPACE } from './lanes.mjs';
import { inPrivateView } from './private-view.mjs';
import { ENVIRONMENT, JEST } from './start-jest.mjs';
import { run } from './steps.mjs';

/** Runs jest's tests with these arguments, prints how many passed and failed, and returns an exit code. */
export const runTests = async (args) => {
  const folder = mkdtempSync(join(tmpdir(), 'lock-doctor-tests-'));
  const resultOf = (lane) => join(folder, `${lane}.json`);
  const argsFor = (lane) => [
    ...JEST,
    '--maxWorkers=1',
    '--passWithNoTests',
    `--filter=${import.meta.dirname}/in-lane.cjs`,
    '--json',
    `--outputFile=${resultOf(lane)}`,
    ...args,
  ];
  const environmentOf = (lane) => ({ ...ENVIRONMENT, TEST_LANE: lane });
  const parallel = [
    ['beside-others', []],
    ...(canHavePidNamespace() ? [['pid-namespace', IN_PID_NAMESPACE]] : []),
  ];
  const view = inPrivateView(argsFor('one-at-a-time'));
  if (view.why !== null)
    console.log(`skip  hiding the agents and tmux servers of this machine from the tests: ${view.why}`);
  try {
    const running = parallel.map(([lane, prefix]) =>
      run([...prefix, process.execPath, ...argsFor(lane)], environmentOf(lane)),
    );
    const alone = spawn(view.file, view.args, {
      env: environmentOf('one-at-a-time'),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = await once(alone, 'close');
    const results = await Promise.all(running);
    for (const { output } of results) process.stderr.write(output);
    console.log(countsOf([...parallel.map(([lane]) => lane), 'one-at-a-time'].map(resultOf)));
    return [code, ...results.map((each) => each.code)].every((each) => each === 0) ? 0 : 1;
  } finally {
    view.remove();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** A run without a result counts as a failure. */
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
