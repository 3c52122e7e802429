/** Which kinds of lock are searched for, by configuration. */
import { expect, test } from '@jest/globals';
import { builtInKinds } from '../kinds/index.ts';
import { tableFor } from '../src/kinds-of.ts';

const TOWN = { root: '/town', source: 'flag' } as const;
const path = '/town/lock-doctor.json';

test('all built-in kinds are on by default', () => {
  const { kinds } = tableFor({ path, kinds: {} }, TOWN);
  expect([...kinds.keys()]).toEqual(expect.arrayContaining(['agent', 'git-lock', 'beads', 'daemon']));
});

test('kinds that are switched off are left out', () => {
  const { kinds, inGitDirs } = tableFor({ path, kinds: { 'git-worktree': false } }, TOWN);
  expect(kinds.has('git-worktree')).toBe(false);
  expect(inGitDirs?.linkedKinds.some(({ kind }) => kind.id === 'git-worktree')).not.toBe(true);
  expect(tableFor({ path, kinds: { 'git-worktree': true } }, TOWN).kinds.has('git-worktree')).toBe(true);
});

test.each([
  [{ 'git-worktre': false }, 'there is no kind of lock "git-worktre"'],
  [{ agent: false }, 'always looked for'],
])('%j is refused', (kinds, words) => {
  expect(() => tableFor({ path, kinds }, TOWN)).toThrow(words);
});

test('kinds that live in a home are on below their directory, if configured, and with --home', () => {
  const idsIn = (root: string, source: 'flag' | 'home' = 'flag', kinds = {}) => [
    ...tableFor({ path, kinds }, { root, source }).kinds.keys(),
  ];
  const homeKinds = builtInKinds.filter(({ livesIn }) => livesIn !== undefined).map(({ id }) => id);
  expect(homeKinds).toEqual(expect.arrayContaining(['openclaw', 'copilot', 'codex']));
  expect(idsIn('/home/ada')).not.toEqual(expect.arrayContaining(['codex']));
  expect(idsIn('/home/ada/.codex')).toContain('codex');
  expect(idsIn('/home/ada/.codex/app-server-daemon')).toContain('codex');
  expect(idsIn('/home/ada/.codex')).not.toContain('copilot');
  expect(idsIn('/srv/codex', 'flag', { codex: true })).toContain('codex');
  expect(idsIn('/home/ada', 'home')).toEqual(homeKinds);
  expect(idsIn('/home/ada', 'home', { codex: false })).toEqual(homeKinds.filter((id) => id !== 'codex'));
});
