/** Repeated looks of live screens: later looks, which do not walk, still see what the first one saw. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { createLooks } from '../../../src/cli/watch/looks.ts';
import type { Report } from '../../../src/core/types/report.ts';
import { prepare } from '../../../src/diagnose.ts';
import { aged, gitTest, makeRepository } from '../../situations/repository.ts';
import { asOtherUser, canBecomeOthers, cleanUp, deadPid, fakeAgent, makeTown } from '../../support/index.ts';

afterEach(cleanUp);

const seenIn = ({ locks, agents, collisions, gaps, summary }: Report): object => ({
  gaps: gaps.map(({ what }) => what),
  locks: locks.map(({ id, state, worker }) => [id, state, worker]),
  agents: agents.map(({ worker, pid, lock }) => [worker, pid, lock]),
  collisions: collisions.map(({ workers, who }) => [workers, who]),
  summary,
});

gitTest('later looks at a repository see the same locks and the same agents without a lock', async () => {
  const { root, env, worktree } = makeRepository();
  const reason = `claude agent agent-ab12 (pid ${deadPid()})`;
  const crowded = worktree('.claude/worktrees/crowded');
  const outside = worktree('../outside');
  worktree('.claude/worktrees/dead', reason);
  worktree('../far', reason);
  await fakeAgent('claude', { cwd: crowded });
  await fakeAgent('claude', { cwd: crowded });
  await fakeAgent('claude', { cwd: outside });
  const indexLocks = [join(root, '.git/index.lock'), join(root, '.git/worktrees/crowded/index.lock')];
  writeFileSync(join(root, 'lock-doctor.json'), '{"kinds": {"pid-file": {"files": ["run/*.pid"]}}}');
  mkdirSync(join(root, 'run'));
  writeFileSync(join(root, 'run/server.pid'), `${deadPid()}\n`);
  for (const path of indexLocks) {
    writeFileSync(path, '');
    aged(path);
  }
  mkdirSync(join(root, 'moved'));
  writeFileSync(join(root, 'moved/.git'), `gitdir: ${root}/gone/.git/worktrees/moved\n`);

  const look = createLooks(await prepare(root, { env }), { env });
  const first = seenIn((await look()).report);
  expect(first).toMatchObject({ summary: { locks: 5, collisions: 1 } });
  expect(first).toMatchObject({ gaps: [`directory:${root}/moved/.git`] });
  expect(seenIn((await look()).report)).toEqual(first);
  expect(seenIn((await look()).report)).toEqual(first);

  rmSync(indexLocks[1] ?? '');
  expect(seenIn((await look()).report)).toMatchObject({ summary: { locks: 4, collisions: 1 } });
});

gitTest('the next look at a repository sees an agent that has started in a worktree', async () => {
  const { root, env, worktree } = makeRepository();
  const trees = [worktree('.claude/worktrees/inside'), worktree('../outside')];
  worktree('../dead', `claude agent agent-ab12 (pid ${deadPid()})`);
  const look = createLooks(await prepare(root, { env }), { env });
  await look();
  for (const cwd of trees) await fakeAgent('claude', { cwd });
  const { agents } = (await look()).report;
  expect(agents.map(({ worker }) => worker)).toEqual(['../outside', '.claude/worktrees/inside']);
});

gitTest(
  'in a repository: new locks of git are seen at the next look, also those of other trees',
  async () => {
    const { root, env, worktree } = makeRepository();
    const outside = worktree('../outside');
    worktree('inside');
    const look = createLooks(await prepare(root, { env }), { env });
    expect((await look()).report.locks).toEqual([]);
    for (const path of [
      '.git/index.lock',
      '.git/worktrees/inside/index.lock',
      '.git/worktrees/outside/HEAD.lock',
    ]) {
      writeFileSync(join(root, path), '');
      aged(join(root, path));
    }
    await fakeAgent('claude', { cwd: outside });
    const { locks } = (await look()).report;
    expect(locks.map(({ kind, worker, path }) => [kind, worker, path])).toEqual([
      ['git-lock', '.', join(root, '.git/index.lock')],
      ['git-lock', '../outside', join(root, '.git/worktrees/outside/HEAD.lock')],
      ['git-lock', 'inside', join(root, '.git/worktrees/inside/index.lock')],
    ]);
    // Each of them once, also once it is known.
    expect((await look()).report.locks).toHaveLength(3);
  },
);

(canBecomeOthers ? test : test.skip)('a worker that may not be read stays a gap at later looks', async () => {
  const { root, worker, lock } = makeTown();
  chmodSync(root, 0o755);
  lock('gastown/crew/ada', { pid: deadPid() });
  const closed = worker('gastown/crew/bob');
  chmodSync(closed, 0o700);
  await asOtherUser(async () => {
    const look = createLooks(await prepare(root, {}), {});
    for (const _ of [1, 2]) {
      const { report } = await look();
      expect(report.locks.map((each) => each.worker)).toEqual(['gastown/crew/ada']);
      expect(report.gaps.map(({ what }) => what)).toContain(`directory:${closed}`);
    }
  });
});
