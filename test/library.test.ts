/** The exported functions about directories answer as the command line does. */
import { execFileSync } from 'node:child_process';
import { afterEach, expect, test } from '@jest/globals';
import { type PlaceOfWork, preflightRemoval, type WhoReport, who } from '../src/index.ts';
import { cleanUp, fakeAgent, makeTmuxTmpdir, makeTown } from './support/index.ts';

afterEach(cleanUp);

test('who and preflightRemoval report the agent that works in a directory', async () => {
  const { root } = makeTown({ marked: false, workers: [], rigs: {} });
  execFileSync('git', ['init', '-q', root]);
  const { pid } = await fakeAgent('claude', { cwd: root });
  const tmuxTmpdir = makeTmuxTmpdir();
  const env = { PATH: process.env.PATH, HOME: tmuxTmpdir, TMUX_TMPDIR: tmuxTmpdir };
  const { places }: WhoReport = await who(root, [], { env, cwd: root });
  const [place]: readonly PlaceOfWork[] = places;
  expect(place?.people).toMatchObject([{ class: 'agent', pid }]);
  const { results, exitCode } = await preflightRemoval(root, [root], { env, cwd: root });
  expect(results).toMatchObject([{ answer: 'held' }]);
  expect(results[0]?.reasons).toContain('occupied');
  expect(exitCode).toBe(20);
});
