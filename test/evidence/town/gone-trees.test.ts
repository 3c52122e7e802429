/** Which linked working trees are certainly gone. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { goneTrees, treePathReader } from '../../../src/evidence/town/outside-trees.ts';
import { cleanUp, makeTown } from '../../support/index.ts';

afterEach(cleanUp);

test('names those whose path has nothing, and no others', () => {
  const town = makeTown({ marked: false, workers: [], rigs: {} });
  const root = town.path('main');
  const add = (name: string, path: string): string => {
    const gitDir = join(root, '.git/worktrees', name);
    mkdirSync(gitDir, { recursive: true });
    writeFileSync(join(gitDir, 'gitdir'), `${path}/.git\n`);
    return gitDir;
  };
  const gitDirs = [
    add('there', join(root, 'there')),
    add('gone', join(root, 'gone')),
    add('locked', town.path('locked')),
    add('behind-a-loop', join(root, 'loop/tree')),
    add('unsaid', join(root, 'unsaid')),
  ];
  mkdirSync(join(root, 'there'));
  symlinkSync('loop', join(root, 'loop'));
  writeFileSync(join(root, '.git/worktrees/locked/locked'), 'mine\n');
  rmSync(join(root, '.git/worktrees/unsaid/gitdir'));
  const gitDir = join(root, '.git');
  expect(goneTrees(gitDirs, root, treePathReader())).toEqual([
    { name: '../locked', path: town.path('locked'), gitDir, isLocked: true },
    { name: 'gone', path: join(root, 'gone'), gitDir, isLocked: false },
  ]);
});
