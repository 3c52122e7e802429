/** The kind `git-lock`: where git's locks are found, and what their bytes mean. */
import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import gitLock from '../../kinds/git-lock.ts';
import { ALWAYS_EMPTY, KEEPS_FROM } from '../../src/core/judge/claims/git-lock.ts';
import { compileTable, mayLieAt } from '../../src/evidence/locks/lock-table.ts';

const read = (bytes: string | Uint8Array, name = 'index.lock') =>
  gitLock.read(Buffer.from(bytes), { name, options: {} });

const NOBODY = { kind: 'claim', claim: { by: 'open-file' } };

describe('a git lock is found', () => {
  test.each([
    '.git/index.lock',
    '.git/HEAD.lock',
    '.git/config.lock',
    '.git/config.worktree.lock',
    '.git/packed-refs.lock',
    '.git/shallow.lock',
    '.git/refs/heads/main.lock',
    '.git/refs/remotes/origin/feature/x.lock',
    '.git/gc.pid',
    '.git/objects/maintenance.lock',
    '.git/objects/info/commit-graphs/commit-graph-chain.lock',
    '.git/objects/pack/multi-pack-index.lock',
    '.git/objects/pack/multi-pack-index.d/multi-pack-index-chain.lock',
    '.git/objects/info/alternates.lock',
    '.git/reftable/tables.list.lock',
    '.git/reftable/0x000000000001-0x000000000003-d8a3cd21.ref.lock',
    '.git/logs/HEAD.lock',
    '.git/logs/refs/heads/feature/x.lock',
    '.git/packed-refs.new',
    '.git/MERGE_MSG.lock',
    '.git/rebase-merge/git-rebase-todo.lock',
    '.git/rebase-apply/patch-merge-index.lock',
    '.git/worktrees/a/logs/HEAD.lock',
    '.git/sequencer/todo.lock',
    '.git/worktrees/a/index.lock',
  ])('at %s', (path) => {
    expect(mayLieAt(gitLock, path)).toBe(true);
  });

  test.each([
    'package-lock.json',
    'yarn.lock',
    'Cargo.lock',
    '.git/yarn.lock',
    '.git/next-index-4242.lock',
    '.git/objects/ab/x.lock',
    '.git/objects/pack/x.lock',
  ])('nowhere else, such as %s', (path) => {
    expect(mayLieAt(gitLock, path)).toBe(false);
  });

  test('in a linked working tree only where git keeps such files for each one', () => {
    const { inGitDirs } = compileTable([gitLock]);
    const fits = (path: string): boolean => inGitDirs?.linkedKinds.some((kind) => kind.fits(path)) === true;
    expect(['index.lock', 'HEAD.lock', 'refs/bisect/bad.lock'].map(fits)).toEqual([true, true, true]);
    expect(['packed-refs.lock', 'config.lock', 'gc.pid', 'objects/maintenance.lock'].map(fits)).toEqual(
      Array(4).fill(false),
    );
  });
});

describe('the content of a git lock', () => {
  test.each(['', 'DIRC\0\0\0\x02', 'ref: refs/heads/main\n', 'pid 4242\n', '4242 build-1'])(
    'names no holder: %j',
    (text) => {
      expect(read(text)).toEqual(NOBODY);
    },
  );

  test('of gc.pid names the process that collects garbage, and its host', () => {
    expect(read('4242 build-1', 'gc.pid')).toEqual({
      kind: 'claim',
      claim: {
        by: 'number',
        pid: 4242,
        start: null,
        hostname: 'build-1',
        since: null,
        name: 'git gc',
        isShared: false,
        isHarmless: true,
      },
    });
  });

  test.each([
    '',
    '4242',
    'x build-1',
    '0 build-1',
    '4242 two words',
    '-1 build-1',
    `4242 ${'x'.repeat(300)}`,
  ])('of a malformed gc.pid names no holder: %j', (text) => {
    expect(read(text, 'gc.pid')).toEqual(NOBODY);
  });

  test('is read as a claim whatever the bytes are, without an exception', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.constantFrom('index.lock', 'gc.pid'),
        (bytes, name) => {
          const content = read(bytes, name);
          if (content.kind !== 'claim') throw new Error(`read as ${content.kind}`);
          if (content.claim.by === 'number') expect(content.claim.pid).toBeGreaterThan(0);
          else expect(content).toEqual(NOBODY);
        },
      ),
    );
  });
});

test('what is said of a lock by its name is said of locks that are found', () => {
  const found = ('inGitDir' in gitLock.where && gitLock.where.inGitDir.main) || [];
  const isFound = (name: string): boolean => found.some((one) => one === name || one.startsWith(name));
  expect([...Object.keys(KEEPS_FROM), ...ALWAYS_EMPTY].filter((name) => !isFound(name))).toEqual([]);
});
