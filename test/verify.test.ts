/** Parts of `npm test` that decide something: how npm's answer is read, and which tests run in parallel. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, firstLine, startProcess } from './support/index.ts';
import { PROJECT, readSources } from './support/source-files.ts';

afterEach(cleanUp);

const module = async (name: string) => (await import(join(PROJECT, 'scripts/verify', name))) as unknown;

describe('npm pack --json', () => {
  const packed = {
    name: 'lock-doctor',
    filename: 'lock-doctor-0.1.0.tgz',
    files: [{ path: 'README.md', size: 1 }],
  };

  test.each([
    ['npm 11 and older', [packed]],
    ['npm 12', { 'lock-doctor': packed }],
  ])('from %s is read', async (_, answer) => {
    const { readPacked } = (await module('pack.mjs')) as { readPacked: (text: string) => unknown };
    expect(readPacked(JSON.stringify(answer))).toEqual({ filename: packed.filename, files: ['README.md'] });
  });
});

/** The lane in which a test runs, and the tests that declare a lane in their first comment. */
const lanes = async () => {
  const { laneOf, namedLane } = (await module('lanes.mjs')) as {
    laneOf: (file: string) => string;
    namedLane: (file: string) => string | null;
  };
  return {
    laneOf: (file: string) => laneOf(join(PROJECT, 'test', file)),
    naming: (lane: string) =>
      readSources('test').filter(({ path }) => namedLane(join(PROJECT, path)) === lane),
  };
};

const AGENT_OR_TMUX =
  /\b(?:fakeAgent|startTmux|sleeperNamed|setStage|doctorInPane|makeStory\w+)\b|(?:spawn|spawnSync|execFileSync)\('tmux'|\btmux -/;

test('tests that declare `Runs beside others:` start no doctor, no agent and no tmux server', async () => {
  const says = (await lanes()).naming('beside-others');
  expect(says.length).toBeGreaterThan(0);
  for (const { path, text, imports } of says) {
    expect([path, text.match(AGENT_OR_TMUX), text.match(/\bdetached\b/)]).toEqual([path, null, null]);
    const doctors = imports.filter((each) =>
      /run-cli|built-cli|situations\/|evidence\/(?:gather|processes|tmux)|src\/(?:diagnose|heal|look|town-locks)/.test(
        each,
      ),
    );
    expect([path, doctors]).toEqual([path, []]);
  }
});

test('tests that declare `Runs in a PID namespace:` start no agent and no tmux server, and skip nothing there', async () => {
  const says = (await lanes()).naming('pid-namespace');
  expect(says.length).toBeGreaterThan(0);
  for (const { path, text, imports } of says) {
    expect([path, text.match(AGENT_OR_TMUX)]).toEqual([path, null]);
    // Its tests of the host's processes would be skipped in a namespace.
    expect([path, imports.filter((each) => each.includes('situations/stage'))]).toEqual([path, []]);
  }
});

test('tests that import a file that starts processes, directly or not, run one at a time unless they declare otherwise', async () => {
  const { laneOf } = await lanes();
  const files = ['core/plan', 'support/support', 'exec/exit-codes', 'cli/loaded', 'lock/guard/guard'];
  expect(files.map((file) => laneOf(`${file}.test.ts`))).toEqual([
    'beside-others',
    'one-at-a-time',
    'one-at-a-time',
    'one-at-a-time',
    'beside-others',
  ]);
  expect(['one-at-a-time', 'pid-namespace']).toContain(laneOf('lease/faults.test.ts'));
});

/** Prints TMPDIR and what os.tmpdir() says, and leaves a file there; `wait` as the argument: ends at Ctrl-C. */
const WORK = `
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
const [script, until] = process.argv.slice(1);
const { inOwnTmpdir } = await import(script);
await inOwnTmpdir(async ({ TMPDIR }) => {
  writeFileSync(TMPDIR + '/left', '');
  console.log(TMPDIR, tmpdir());
  const stay = setInterval(() => {}, 1000);
  if (until === 'wait') await once(process, 'SIGINT');
  clearInterval(stay);
});
`;

test.each(['end', 'wait'])(
  'tests have a temporary directory of their own, with a short name, that is gone at the end (%s)',
  async (until) => {
    const script = join(PROJECT, 'scripts/verify/start-jest.mjs');
    const args = ['--input-type=module', '-e', WORK, script, until];
    const run = await startProcess(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [path = '', seen] = (await firstLine(run)).split(' ');
    expect(seen).toBe(path);
    expect(path.length - tmpdir().length).toBeLessThanOrEqual(10);
    if (until === 'wait') {
      expect(existsSync(`${path}/left`)).toBe(true);
      run.child.kill('SIGINT');
    }
    if (run.child.exitCode === null) await once(run.child, 'exit');
    expect([run.child.exitCode, run.child.signalCode, existsSync(path)]).toEqual([0, null, false]);
  },
);
