import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import check from '../../checks/tracked-lock.ts';
import type { Finding } from '../../src/core/types/check.ts';
import { aLock, aPane, aServer } from '../support/snapshot.ts';
import { gitFacts, runOn, TRACKED } from './run-on.ts';

const ADA = 'gastown/crew/ada';
/** A lock that nothing ignores, in a clone with this exclude file. */
const unignoredIn = (exclude: string) => gitFacts({ ignored: { seen: true, value: false }, exclude });
const UNIGNORED = unignoredIn('/clone/.git/info/exclude');

describe('tracked-lock reports', () => {
  test('a lock that git tracks, held or stale, as a warning with advice only', () => {
    const lock = aLock(ADA, {}, { git: TRACKED });
    for (const servers of [[], [aServer([aPane()])]])
      expect(runOn(check, { locks: [lock], servers })).toMatchObject([
        { severity: 'warning', worker: ADA, lock: `agent:${ADA}`, fix: { action: 'advice' } },
      ]);
  });

  test('a lock that git does not ignore, as information', () => {
    expect(runOn(check, { locks: [aLock(ADA, {}, { git: UNIGNORED })] })).toMatchObject([
      {
        severity: 'info',
        worker: ADA,
        message: expect.stringContaining('.runtime/ is not in .gitignore'),
        fix: { text: 'add .runtime/ to /clone/.git/info/exclude' },
      },
    ]);
  });

  test('the locks that one file would keep out of commits once, and lists them', () => {
    const inWorktrees = ['a', 'b', 'c'].map((name) => aLock(`gastown/crew/${name}`, {}, { git: UNIGNORED }));
    const elsewhere = aLock(ADA, {}, { git: unignoredIn('/other/.git/info/exclude') });
    const findings = runOn(check, { locks: [...inWorktrees, elsewhere] });
    expect(findings.map(({ worker, lock, evidence }) => [worker, lock, evidence.length])).toEqual([
      [null, null, 3],
      [ADA, `agent:${ADA}`, 1],
    ]);
    expect(findings[0]).toMatchObject({
      workers: ['gastown/crew/a', 'gastown/crew/b', 'gastown/crew/c'],
      message: '.runtime/ is not in .gitignore; 3 locks could be committed',
    });
    // At an old place the locks need another rule.
    const legacy = aLock(ADA, {}, { layout: 'legacy', path: '/x/.gastown/agent.lock', git: UNIGNORED });
    expect(runOn(check, { locks: [...inWorktrees, legacy] })).toHaveLength(2);
  });
});

describe('tracked-lock is silent about', () => {
  test.each([
    ['an ignored lock', gitFacts()],
    ['a lock outside any repository', gitFacts({ repository: null })],
    ['a lock that git was not asked about', null],
    [
      'a lock about which git gave no answer',
      gitFacts({ tracked: { seen: false, why: 'x' }, ignored: { seen: false, why: 'x' } }),
    ],
  ])('%s', (_, git) => {
    expect(runOn(check, { locks: [aLock(ADA, {}, { git })] })).toEqual([]);
  });
});

describe('the advised commands, run as printed,', () => {
  const places: string[] = [];
  afterEach(() => {
    for (const place of places.splice(0)) rmSync(place, { recursive: true, force: true });
  });

  /** A worker with a lock in its own repository, at a path that needs quoting. */
  const makeWorker = (): string => {
    const place = mkdtempSync(join(tmpdir(), "it's a town "));
    places.push(place);
    mkdirSync(join(place, '.runtime'));
    writeFileSync(join(place, '.runtime/agent.lock'), '{}');
    git(place, 'init', '--quiet');
    return place;
  };
  const git = (place: string, ...words: string[]): string =>
    execFileSync('git', ['-C', place, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...words], {
      encoding: 'utf8',
    });
  const paste = (finding: Finding | undefined): void => {
    if (finding?.fix?.action !== 'advice') throw new Error('no advice');
    for (const [program = '', ...words] of finding.fix.commands) execFileSync(program, words);
  };
  const advise = (place: string, facts: typeof TRACKED): Finding | undefined =>
    runOn(check, {
      locks: [aLock(ADA, {}, { path: join(place, '.runtime/agent.lock'), git: facts })],
    })[0];

  test('untrack a tracked lock, keep its file, and add it to .gitignore', () => {
    const place = makeWorker();
    writeFileSync(join(place, '.gitignore'), 'node_modules');
    git(place, 'add', '--all');
    git(place, 'commit', '--quiet', '-m', 'everything');
    paste(advise(place, TRACKED));
    expect(git(place, 'ls-files')).toBe('.gitignore\n');
    expect(readFileSync(join(place, '.runtime/agent.lock'), 'utf8')).toBe('{}');
    expect(readFileSync(join(place, '.gitignore'), 'utf8').split('\n')).toEqual(
      expect.arrayContaining(['node_modules', '.runtime/']),
    );
    git(place, 'commit', '--quiet', '-m', 'untrack the lock');
    expect(git(place, 'status', '--porcelain')).toBe('');
  });

  test('exclude an unignored lock in all worktrees, without touching any file of a working tree', () => {
    const place = makeWorker();
    git(place, 'commit', '--quiet', '--allow-empty', '-m', 'first');
    const tree = join(place, '.worktrees/tree');
    git(place, 'worktree', 'add', '--quiet', tree);
    mkdirSync(join(tree, '.runtime'));
    writeFileSync(join(tree, '.runtime/agent.lock'), '{}');
    expect(git(tree, 'status', '--porcelain')).toBe('?? .runtime/\n');
    // An exclude file whose last line does not end, and none at all.
    const exclude = join(place, '.git/info/exclude');
    writeFileSync(exclude, '.worktrees/');
    paste(advise(tree, unignoredIn(exclude)));
    for (const top of [place, tree]) expect(git(top, 'status', '--porcelain')).toBe('');
    rmSync(join(place, '.git/info'), { recursive: true });
    paste(advise(tree, unignoredIn(exclude)));
    expect(git(tree, 'status', '--porcelain')).toBe('');
  });
});
