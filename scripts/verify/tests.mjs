// Runs the tests: the lanes of lanes.mjs at the same time, of which `one-at-a-time` runs in a private view of the machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { canHavePidNamespace, IN_PID_NAMESPACE } from './lanes.mjs';
import { inPrivateView, serversOfOthers } from './private-view.mjs';
import { inOwnTmpdir, JEST } from './start-jest.mjs';
import { run } from './steps.mjs';

/** Runs jest's tests with these arguments, prints how many passed and failed, and returns an exit code. */
export const runTests = (args) => inOwnTmpdir((env) => runLanes(args, env));

const runLanes = async (args, env) => {
  const resultOf = (lane) => join(env.TMPDIR, `${lane}.json`);
  const inLane = [...JEST, '--passWithNoTests', `--filter=${import.meta.dirname}/in-lane.cjs`, ...args];
  const argsFor = (lane) => [...inLane, '--maxWorkers=1', '--json', `--outputFile=${resultOf(lane)}`];
  const environmentOf = (lane) => ({ ...env, TEST_LANE: lane });
  const parallel = [
    ['beside-others', []],
    ...(canHavePidNamespace() ? [['pid-namespace', IN_PID_NAMESPACE]] : []),
  ];
  const view = inPrivateView(argsFor('one-at-a-time'));
  const strangers = view.why === null ? [] : serversOfOthers();
  if (view.why !== null)
    console.log(`skip  hiding the agents and tmux servers of this machine from the tests: ${view.why}`);
  if (strangers.length > 0) {
    const { output } = await run(
      [process.execPath, ...inLane, '--listTests'],
      environmentOf('one-at-a-time'),
    );
    const count = output.match(/\.test\.ts$/gm)?.length ?? 0;
    console.log(
      `skip  ${count} test files: tmux servers of other users disturb them (${strangers.join(', ')})`,
    );
  }
  const running = parallel.map(([lane, prefix]) =>
    run([...prefix, process.execPath, ...argsFor(lane)], environmentOf(lane)),
  );
  const isAloneRun = strangers.length === 0;
  const codes = isAloneRun ? [await runVisibly(view, environmentOf('one-at-a-time'))] : [];
  const results = await Promise.all(running);
  view.remove();
  for (const { output } of results) process.stderr.write(output);
  const lanes = [...parallel.map(([lane]) => lane), ...(isAloneRun ? ['one-at-a-time'] : [])];
  console.log(summaryOf(lanes.map(resultOf)));
  return [...codes, ...results.map(({ code }) => code)].every((code) => code === 0) ? 0 : 1;
};

/** Runs the tests that take the longest, and shows what jest says meanwhile. */
const runVisibly = async ({ file, args }, env) => {
  const [code] = await once(spawn(file, args, { env, stdio: ['ignore', 'ignore', 'inherit'] }), 'close');
  return code;
};

/** The names of the tests that failed, which the output of the lanes buries, and the counts as the last line. */
const summaryOf = (paths) => {
  let [passed, failed, skipped] = [0, 0, 0];
  const names = [];
  for (const path of paths)
    try {
      const result = JSON.parse(readFileSync(path, 'utf8'));
      passed += result.numPassedTests;
      failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
      skipped += result.numPendingTests;
      for (const file of result.testResults) names.push(...failuresOf(file));
    } catch {
      // A run without a result counts as a failure.
      failed += 1;
      names.push(`failed: ${path} was not written or cannot be read`);
    }
  return [...names, `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`].join(
    '\n',
  );
};

const failuresOf = ({ name, status, assertionResults }) => {
  if (status !== 'failed') return [];
  const file = relative(process.cwd(), name);
  const failed = assertionResults.filter((test) => test.status === 'failed');
  if (failed.length === 0) return [`failed: ${file} could not be run`];
  return failed.map(({ fullName }) => `failed: ${file}: ${fullName}`);
};
