/** What a quick look must not leave out: unknown is not no. */
import { afterEach, describe, expect } from '@jest/globals';
import { doctor } from '../cli/run-cli.ts';
import { cleanUp, fakeAgent, makeTown } from '../support/index.ts';
import { gitTest, makeRepository } from './repository.ts';
import { hostTest, lockOf, setStage } from './stage.ts';
import { examine } from './undisturbed.ts';

afterEach(cleanUp);

const QUICK = { scan: 'quick' } as const;

describe('outside a Gas Town, whose layout tells where workers are, a quick look is the ordinary one', () => {
  gitTest(
    'locks in git’s worktrees, in the root and beside it, are found; it says how it looked',
    async () => {
      const { root, env, worktree } = makeRepository();
      const places = [worktree('.claude/worktrees/a'), worktree('../beside')];
      for (const place of places) makeTown({ root: place, marked: false, workers: [], rigs: {} }).lock('.');
      const report = await examine(root, { env, ...QUICK });
      expect(report).toMatchObject({ exitCode: 1, town: { scan: 'default' } });
      for (const name of ['.claude/worktrees/a', '../beside'])
        expect(lockOf(report, name).state).toBe('stale');
      const explained = doctor(['explain', '../beside', '--quick', '--town', root], { env, cwd: root });
      expect(explained).toMatchObject({ status: 0, stdout: expect.stringContaining('stale') });
    },
  );

  hostTest('two agents in two trees beside the repository are no collision', async () => {
    const { root, env, worktree } = makeRepository();
    for (const name of ['../one', '../two']) await fakeAgent('claude', { cwd: worktree(name) });
    expect((await examine(root, { env, ...QUICK })).collisions).toEqual([]);
  });
});

hostTest('a place that somebody asks about is looked at, wherever it lies in a Gas Town', () => {
  const { town, env } = setStage();
  town.lock('odd/place', { hostname: 'elsewhere' });
  const ask = (command: string): string =>
    doctor([command, 'odd/place', '--quick', '--town', town.root], { env }).stdout;
  expect(ask('who')).toMatch(/^unsure odd\/place: nobody was seen, but .* taken on elsewhere/);
  expect(ask('explain')).toContain('# odd/place: foreign\n');
});
