/** Which kinds of lock are looked for, as the configuration says. */
import { expect, test } from '@jest/globals';
import { builtInTable, tableFor } from '../src/kinds-of.ts';

const path = '/town/lock-doctor.json';

test('all built-in ones where nothing is said', () => {
  expect(tableFor({ path, kinds: {} })).toBe(builtInTable);
});

test('less those that are switched off', () => {
  const { kinds, inGitDirs } = tableFor({ path, kinds: { 'git-worktree': false } });
  expect(kinds.has('git-worktree')).toBe(false);
  expect(inGitDirs?.linkedKinds.some(({ kind }) => kind.id === 'git-worktree')).not.toBe(true);
  expect(tableFor({ path, kinds: { 'git-worktree': true } }).kinds.has('git-worktree')).toBe(true);
});

test.each([
  [{ 'git-worktre': false }, 'there is no kind of lock "git-worktre"'],
  [{ agent: false }, 'always looked for'],
])('%j is refused', (kinds, words) => {
  expect(() => tableFor({ path, kinds })).toThrow(words);
});
