/** The looks of the screens that stay: what one look saw, the next one still sees, although it does not walk. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect } from '@jest/globals';
import { createLooks } from '../../../src/cli/watch/looks.ts';
import type { Report } from '../../../src/core/types/report.ts';
import { prepare } from '../../../src/diagnose.ts';
import { aged, gitTest, makeRepository } from '../../situations/repository.ts';
import { cleanUp, deadPid, fakeAgent } from '../../support/index.ts';

afterEach(cleanUp);

const told = ({ locks, agents, collisions, summary }: Report): object => ({
  locks: locks.map(({ id, state, worker }) => [id, state, worker]),
  agents: agents.map(({ worker, pid, lock }) => [worker, pid, lock]),
  collisions: collisions.map(({ workers, who }) => [workers, who]),
  summary,
});

gitTest('in a repository: locks of git, of worktrees and of tools, and agents without a lock', async () => {
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

  const look = createLooks(await prepare(root, { env }), { env });
  const first = told((await look()).report);
  expect(first).toMatchObject({ summary: { locks: 5, collisions: 1 } });
  expect(told((await look()).report)).toEqual(first);
  expect(told((await look()).report)).toEqual(first);

  rmSync(indexLocks[1] ?? '');
  expect(told((await look()).report)).toMatchObject({ summary: { locks: 4, collisions: 1 } });
});

gitTest('in a repository: an agent that starts in a worktree is seen at the next look', async () => {
  const { root, env, worktree } = makeRepository();
  const trees = [worktree('.claude/worktrees/inside'), worktree('../outside')];
  worktree('../dead', `claude agent agent-ab12 (pid ${deadPid()})`);
  const look = createLooks(await prepare(root, { env }), { env });
  await look();
  for (const cwd of trees) await fakeAgent('claude', { cwd });
  const { agents } = (await look()).report;
  expect(agents.map(({ worker }) => worker)).toEqual(['../outside', '.claude/worktrees/inside']);
});
