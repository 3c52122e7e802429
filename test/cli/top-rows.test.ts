/** What `doctor top` remembers from one look to the next. */
import { afterEach, expect } from '@jest/globals';
import { rememberRows } from '../../src/cli/top/rows.ts';
import { git, gitTest, makeRepository } from '../situations/repository.ts';
import { cleanUp, deadPid } from '../support/index.ts';

afterEach(cleanUp);

gitTest('a lock of git that went away is told by its worker, and no longer once it is back', async () => {
  const { root, worktree, look } = makeRepository();
  const tree = worktree('tree', `claude agent a (pid ${deadPid()} start 1)`);
  const locked = await look();
  git(root, 'worktree', 'unlock', tree);
  const unlocked = await look();
  const first = rememberRows(locked, null, 0).memory;
  const without = rememberRows(unlocked, first, 1000);
  expect(without.memory.gone).toEqual([{ worker: 'tree', atMs: 1000 }]);
  expect(rememberRows(locked, without.memory, 2000).memory.gone).toEqual([]);
});
