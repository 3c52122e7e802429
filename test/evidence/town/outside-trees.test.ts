/** How linked working trees outside a root are found and named. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  outsideFinder,
  outsideNamer,
  treePathReader,
  treesOutside,
} from '../../../src/evidence/town/outside-trees.ts';
import { cleanUp, makeTown } from '../../support/index.ts';

let around: string;
let root: string;

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
    cwd: root,
    stdio: 'pipe',
  });

const gitDirOf = (name: string): string => join(root, '.git/worktrees', name);

/** The names that the town gives to places, after those linked git directories were read. */
const look = (...names: string[]) => {
  const trees = treesOutside(names.map(gitDirOf), outsideFinder(root, treePathReader())).map(
    ({ name }) => name,
  );
  return { trees, nameOf: outsideNamer(root, trees) };
};

afterEach(cleanUp);

beforeEach(() => {
  around = makeTown({ marked: false, workers: [], rigs: {} }).root;
  root = join(around, 'main');
  mkdirSync(root);
  git('init', '-q', '-b', 'main');
  git('commit', '-q', '--allow-empty', '-m', 'first');
  for (const name of ['one', 'two', 'inside']) {
    const path = name === 'inside' ? '.claude/worktrees/inside' : `../${name}`;
    git('worktree', 'add', '-q', '--detach', path);
  }
});

test('trees beside the root are named by their relative path, and no others', () => {
  expect(look('one', 'two', 'inside').trees).toEqual(['../one', '../two']);
});

test('a tree behind a symlink is named by its real path', () => {
  symlinkSync(around, join(root, 'link'));
  writeFileSync(join(gitDirOf('one'), 'gitdir'), `${join(around, 'main/link/one')}/.git\n`);
  expect(look('one').trees).toEqual(['../one']);
  symlinkSync(around, join(around, 'loop'));
  writeFileSync(join(gitDirOf('one'), 'gitdir'), `${join(around, 'loop/one')}/.git\n`);
  expect(look('one').trees).toEqual(['../one']);
});

test.each([
  ['the tree itself', 'one', '../one'],
  ['a directory in it', 'one/src', '../one/src'],
  ['a directory that is gone', 'one/was/here', '../one/was/here'],
  ["another repository's tree in it", 'one/theirs', '../one/theirs'],
])('%s has the name of the tree around it', (_, path, name) => {
  mkdirSync(join(around, 'one/src'));
  mkdirSync(join(around, 'one/theirs/.git'), { recursive: true });
  expect(look('one', 'inside').nameOf(join(around, path))).toBe(`${root}/${name}`);
});

test('a path in nested trees is named by the outermost', () => {
  git('worktree', 'add', '-q', '--detach', '../one/three');
  const { trees, nameOf } = look('three', 'one');
  expect(trees).toEqual(['../one', '../one/three']);
  expect(nameOf(join(around, 'one/three/src'))).toBe(`${root}/../one/three/src`);
});

test.each([
  ['the root itself', () => root],
  ['a tree inside it', () => join(root, '.claude/worktrees/inside')],
  ['the directory around it', () => around],
  ['a directory whose name has the same prefix', () => join(around, 'one-more')],
  ['the root of the file system', () => '/'],
  ['a tree that was not asked about', () => join(around, 'two')],
])('%s is not an outside tree', (_, path) => {
  expect(look('one', 'inside').nameOf(path())).toBeNull();
});

test.each([
  ['is empty', ''],
  ['contains something else', 'nonsense\n'],
  ['contains NUL', '/a\0/.git\n'],
])('a git directory that %s has no tree', (_, text) => {
  writeFileSync(join(gitDirOf('one'), 'gitdir'), text);
  expect(look('one', 'two').trees).toEqual(['../two']);
});
