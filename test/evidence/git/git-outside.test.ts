/** The gaps of a root whose `.git` points to a place that no scan of the root covers. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { gitGaps } from '../../../src/evidence/git/git-outside.ts';

let root = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'git-outside-')));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A directory with a `.git` file that points to `to`. */
const pointing = (name: string, to: string): string => {
  const directory = join(root, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, '.git'), `gitdir: ${to}\n`);
  return directory;
};
const repositoryAt = (path: string): void => {
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'HEAD'), 'ref: refs/heads/main\n');
};

test('reports nothing if it points to a repository, inside or outside', () => {
  repositoryAt(join(root, 'elsewhere.git'));
  repositoryAt(join(root, 'inside/its.git'));
  expect(gitGaps(pointing('outside', '../elsewhere.git'))).toEqual([]);
  expect(gitGaps(pointing('inside', 'its.git'))).toEqual([]);
  expect(gitGaps(root)).toEqual([]);
});

test('reports that the repository is gone', () => {
  expect(gitGaps(pointing('tree', '../main/.git/worktrees/tree'))).toEqual([
    { what: `directory:${root}/main/.git/worktrees/tree`, why: expect.stringContaining('is gone') },
  ]);
});

test.each([
  ['.git files in a loop', 'one', '../two/.git'],
  ['one that points to itself', 'one', '.git'],
  ['one that points to its own directory', 'one', '.'],
  ['a directory that is not a repository', 'one', '../two'],
])('reports that no lock was looked for: %s', (_, name, to) => {
  pointing('two', '../one/.git');
  const directory = pointing(name, to);
  expect(gitGaps(directory)).toEqual([
    {
      what: `directory:${join(directory, to)}`.replace(/\/$/, ''),
      why: expect.stringContaining('no repository'),
    },
  ]);
});

test('reports a symlink, which is not followed', () => {
  repositoryAt(join(root, 'elsewhere.git'));
  mkdirSync(join(root, 'tree'));
  symlinkSync('../elsewhere.git', join(root, 'tree/.git'));
  expect(gitGaps(join(root, 'tree'))).toEqual([
    { what: `directory:${root}/tree/.git`, why: expect.stringContaining('symbolic link') },
  ]);
});
