/** If `.runtime` is not a directory, a live lock may still be behind it: such a worker is in doubt, never free. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Gap } from '../../src/core/types/evidence.ts';
import type { Report } from '../../src/core/types/report.ts';
import { examineTown, preflight } from '../../src/index.ts';
import { aloneOptions, giveToAlone } from '../cli/alone.ts';
import { doctor, documentOf } from '../cli/run-cli.ts';
import {
  canBecomeOthers,
  cleanUp,
  makeTown,
  onCleanUp,
  startProcess,
  type TestTown,
} from '../support/index.ts';
import { EXECUTABLE } from '../support/tested-program.ts';

afterEach(cleanUp);

const WORKER = 'gastown/crew/ada';

const SYMLINK = { why: 'it is a symbolic link and is not followed', home: 'symlink' } as const;
const OTHER = { why: 'something else than a directory stands there', home: 'other' } as const;

const liveLockBehind = (path: string): void => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'runtime-'));
  onCleanUp(() => rmSync(elsewhere, { recursive: true }));
  const record = { pid: process.pid, acquired_at: new Date().toISOString() };
  writeFileSync(join(elsewhere, 'agent.lock'), JSON.stringify(record));
  symlinkSync(elsewhere, path);
};

const listenAt = (path: string): Promise<void> => {
  const server = createServer();
  onCleanUp(() => void server.close());
  return new Promise((resolve) => server.listen(path, resolve));
};

/** Creates something in place of the directory. */
const KINDS: readonly [what: string, gap: Omit<Gap, 'what'>, make: (path: string) => unknown][] = [
  ['a symlink to a live lock', SYMLINK, liveLockBehind],
  ['a dangling symlink', SYMLINK, (path) => symlinkSync('/no/such/place', path)],
  ['a symlink to itself', SYMLINK, (path) => symlinkSync(path, path)],
  ['a file', OTHER, (path) => writeFileSync(path, '')],
  ['a FIFO', OTHER, (path) => execFileSync('mkfifo', [path])],
  ['a socket', OTHER, listenAt],
];

const gapsOf = async (town: TestTown, scan: 'default' | 'deep' | 'quick') =>
  (await examineTown(town.root, { scan })).snapshot.gaps.filter(({ what }) => what.startsWith('directory:'));

describe.each(['.runtime', '.gastown'])('%s', (home) => {
  test.each(KINDS)(
    'that is %s makes preflight unsure, and every scan reports a gap and a finding',
    async (_what, closed, make) => {
      const town = makeTown();
      const path = town.path(WORKER, home);
      await make(path);
      const { exitCode, results } = await preflight(town.root, [WORKER]);
      expect(exitCode).toBe(22);
      expect(results).toMatchObject([{ answer: 'unsure', reasons: ['unreadable'] }]);
      expect(results[0]?.message).toBe(`no lock was seen, but ${path} could not be checked: ${closed.why}`);
      const gap = { what: `directory:${path}`, ...closed };
      // Reported once even if the walk does not list it, as a walk that trusts link counts would not.
      for (const scan of ['default', 'deep', 'quick'] as const)
        expect(await gapsOf(town, scan)).toEqual([gap]);
      mkdirSync(town.path(WORKER, 'src'));
      for (const scan of ['default', 'deep'] as const) expect(await gapsOf(town, scan)).toEqual([gap]);
      for (const scan of ['', '--deep', '--quick'])
        expect(findingsOf(town, scan)).toMatchObject([
          {
            id: `undecided-lock:${WORKER}/${home}`,
            doubt: true,
            worker: WORKER,
            lock: null,
            message: expect.stringMatching(
              new RegExp(`^cannot tell: \\${home} is (a symbolic link|not a directory);`),
            ),
            fix: { action: 'advice', status: 'skipped' },
            next: [['ls', '-ld', path]],
          },
        ]);
      const identity = (): readonly number[] => {
        const { dev, ino, mode, ctimeMs } = lstatSync(path);
        return [dev, ino, mode, ctimeMs];
      };
      const before = identity();
      for (const fix of [
        ['--fix', '--yes'],
        ['--fix', '--yes', '--force', '--worker', WORKER],
      ])
        doctor([...fix, '--town', town.root]);
      expect(identity()).toEqual(before);
    },
  );
});

const findingsOf = (town: TestTown, scan: string) => {
  const args = ['--json', ...(scan === '' ? [] : [scan]), '--town', town.root];
  return documentOf<Report>(doctor(args).stdout).findings;
};

const whenRoot = canBecomeOthers ? test : test.skip;

describe('a closed .runtime in a leaf directory that is not a canonical worker', () => {
  const makeOdd = (): TestTown => {
    const town = makeTown();
    mkdirSync(town.path('odd/place'), { recursive: true });
    liveLockBehind(town.path('odd/place/.runtime'));
    return town;
  };

  test.each(['', '--deep', '--quick'])(
    'is reported if any process works there (options: "%s")',
    async (scan) => {
      const town = makeOdd();
      await startProcess('sleep', ['600'], { cwd: town.path('odd/place') });
      const found = { id: 'undecided-lock:odd/place/.runtime', doubt: true };
      expect(findingsOf(town, scan)).toMatchObject([found]);
    },
  );

  test('is reported if a registry names a session there', async () => {
    const town = makeOdd();
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    onCleanUp(() => rmSync(home, { recursive: true }));
    const { pid } = await startProcess('sleep', ['600'], { cwd: '/' });
    mkdirSync(join(home, '.claude/sessions'), { recursive: true });
    const procStart = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19];
    const record = { pid, cwd: town.path('odd/place'), startedAt: Date.now(), procStart };
    writeFileSync(join(home, `.claude/sessions/${pid}.json`), JSON.stringify(record));
    const { stdout } = doctor(['--json', '--town', town.root], { env: { HOME: home } });
    expect(documentOf<Report>(stdout).findings).toMatchObject([{ id: 'undecided-lock:odd/place/.runtime' }]);
  });

  test('is always reported if it is asked for by name', async () => {
    const town = makeOdd();
    expect((await preflight(town.root, ['odd/place'])).exitCode).toBe(22);
    const { stdout } = doctor(['explain', 'odd/place', '--town', town.root]);
    expect(stdout).toMatch(/^No lock was seen\. Preflight says unsure/m);
    const report = doctor(['--json', '--worker', 'odd/place', '--town', town.root]);
    expect(documentOf<Report>(report.stdout).findings).toMatchObject([
      { id: 'undecided-lock:odd/place/.runtime' },
    ]);
  });
});

describe('a closed .gastown beside a stale lock', () => {
  test('keeps the worker from being called free, and the stale lock is released all the same', async () => {
    const town = makeTown();
    town.lock(WORKER, {}, { ageSeconds: 8 * 3600 });
    symlinkSync('/no/such/place', town.path(WORKER, '.gastown'));
    const { results } = await preflight(town.root, [WORKER]);
    expect(results).toMatchObject([{ answer: 'unsure', state: 'stale' }]);
    expect(results[0]?.reasons).toContain('unreadable');
    doctor(['--fix', '--yes', '--town', town.root]);
    expect(existsSync(town.path(WORKER, '.runtime/agent.lock'))).toBe(false);
    expect(lstatSync(town.path(WORKER, '.gastown')).isSymbolicLink()).toBe(true);
    expect((await preflight(town.root, [WORKER])).exitCode).toBe(22);
  });
});

// The executable ignores NODE_OPTIONS, which lets the program become another user here.
const ofNode = EXECUTABLE === null ? whenRoot : test.skip;

ofNode('a .runtime that may not be read is a finding too (skipped without root)', () => {
  const town = makeTown();
  giveToAlone(town.root);
  mkdirSync(town.path(WORKER, '.runtime'), { mode: 0o700 });
  const run = doctor(['--json', '--town', town.root], { env: { NODE_OPTIONS: aloneOptions() } });
  expect(run.status).toBe(22);
  expect(documentOf<Report>(run.stdout).findings).toMatchObject([
    {
      id: `undecided-lock:${WORKER}/.runtime`,
      message: 'cannot tell: .runtime cannot be looked into, and a live lock may lie in it',
      fix: { text: 'run doctor as a user who may read that directory' },
    },
  ]);
});

test('a closed .runtime with subdirectories beside it is found by the default scan', async () => {
  const town = makeTown();
  mkdirSync(town.path('odd/place/src'), { recursive: true });
  symlinkSync('/tmp', town.path('odd/place/.runtime'));
  expect(await gapsOf(town, 'default')).toEqual([
    { what: `directory:${town.path('odd/place/.runtime')}`, ...SYMLINK },
  ]);
});

test('the commands exit with 22 and name the closed directory', () => {
  const town = makeTown();
  liveLockBehind(town.path(WORKER, '.runtime'));
  for (const command of [[], ['preflight', WORKER]]) {
    const { status, stdout } = doctor([...command, '--town', town.root]);
    expect([command, status]).toEqual([command, 22]);
    expect(stdout).toContain(town.path(WORKER, '.runtime'));
  }
  const { status, stdout } = doctor(['locks', '--json', '--town', town.root]);
  expect(status).toBe(22);
  expect(documentOf(stdout)).toMatchObject({
    complete: false,
    gaps: [{ what: `directory:${town.path(WORKER, '.runtime')}`, ...SYMLINK }],
  });
});

test('a plain directory in that place makes no gap, with or without a lock', async () => {
  const town = makeTown({ workers: [WORKER, 'gastown/crew/bob'] });
  town.lock(WORKER);
  mkdirSync(town.path('gastown/crew/bob/.runtime'));
  mkdirSync(town.path('gastown/crew/bob/.gastown'));
  for (const scan of ['default', 'deep', 'quick'] as const) expect(await gapsOf(town, scan)).toEqual([]);
  renameSync(town.path(WORKER, '.runtime'), town.path(WORKER, 'gone'));
  expect(await gapsOf(town, 'default')).toEqual([]);
});
