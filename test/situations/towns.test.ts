/** Situations in which the town itself is unusual, or is not the only one. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { examine } from '../../src/diagnose.ts';
import { townSocketNames } from '../../src/evidence/tmux/tmux.ts';
import {
  canBecomeOthers,
  cleanUp,
  deadPid,
  fakeAgent,
  makeTmuxTmpdir,
  makeTown,
  OTHER_UID,
  onCleanUp,
  type TestTown,
} from '../support/index.ts';
import {
  ADA,
  askElsewhere,
  BOB,
  bareEnvironment,
  GT,
  hostTest,
  isContainer,
  lockOf,
  NO_PANE,
  now,
  sessionOf,
  setStage,
  shellSessionOf,
  tmuxTest,
} from './stage.ts';

afterEach(cleanUp);

const asOther = canBecomeOthers && !isContainer && process.platform === 'linux' ? test : test.skip;

const newDirectory = (): string => {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'place-')));
  onCleanUp(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

describe('towns: which directory is the town', () => {
  hostTest('symlinked town: its locks are found, and its root is the real path', async () => {
    const { town, env } = setStage();
    town.lock(ADA);
    const link = join(newDirectory(), 'gt');
    symlinkSync(town.root, link);
    for (const report of [
      await examine(link, { env, cwd: '/' }),
      await examine(undefined, { env, cwd: link }),
    ]) {
      expect(report.town?.root).toBe(town.root);
      expect(lockOf(report, ADA).state).toBe('stale');
    }
  });

  tmuxTest('symlinked town: panes whose root is the symlink, and its socket, belong to it', async () => {
    const { town, env, startTmux } = setStage();
    const link = join(newDirectory(), 'My Link');
    symlinkSync(town.root, link);
    const [name] = townSocketNames(town.root, [link]).slice(1);
    const server = await startTmux({ name: name?.name ?? '' });
    const pane = await sessionOf(server, 'scratch', '/', {
      command: 'mystery',
      env: { GT_ROOT: link, GT_ROLE: 'gastown/crew/ada' },
    });
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    const report = await examine(link, { env, cwd: '/' });
    expect(lockOf(report, ADA)).toMatchObject({ state: 'held', holder: { session: 'live' } });
    expect(lockOf(await examine(town.root, { env, cwd: '/' }), ADA).state).toBe('held');
  });

  hostTest('nested town: from inside, the outermost marked directory is the town', async () => {
    const { town, env } = setStage();
    town.write('gastown/crew/ada/inner/mayor/town.json', '{"type":"town","version":2,"name":"inner"}');
    town.lock(ADA);
    town.lock('gastown/crew/ada/inner/rig/crew/zoe', { pid: deadPid() + 1 });
    const cwd = town.path('gastown/crew/ada/inner/rig/crew/zoe');
    const report = await examine(undefined, { env, cwd });
    expect(report.town).toMatchObject({ root: town.root, source: 'marker' });
    expect(report.locks.map(({ worker }) => worker)).toEqual([ADA, 'gastown/crew/ada/inner/rig/crew/zoe']);
    const inner = await examine(town.path('gastown/crew/ada/inner'), { env, cwd });
    expect(inner.town).toMatchObject({ root: town.path('gastown/crew/ada/inner'), source: 'flag' });
    expect(inner.locks.map(({ worker }) => worker)).toEqual(['rig/crew/zoe']);
  });

  tmuxTest('nested town: an agent of the inner town holds its lock there and in the outer one', async () => {
    const { town, env, startTmux, look } = setStage();
    const inner = makeTown({ root: town.path('inner'), rigs: { rig: GT }, workers: ['rig/crew/zoe'] });
    const pane = await sessionOf(await startTmux(), `${GT}-crew-zoe`, inner.path('rig/crew/zoe'));
    inner.lock('rig/crew/zoe', { session_id: pane.paneId, acquired_at: now() });
    expect(lockOf(await look(), 'inner/rig/crew/zoe').state).toBe('held');
    expect(lockOf(await examine(inner.root, { env, cwd: '/' }), 'rig/crew/zoe').state).toBe('held');
  });

  hostTest('without a marker: GT_TOWN_ROOT, then GT_ROOT, then the working directory', async () => {
    const [one, two] = [makeTown({ marked: false }), makeTown({ marked: false })];
    const env = bareEnvironment(makeTmuxTmpdir());
    const cwd = newDirectory();
    const rootWith = async (more: Record<string, string>) =>
      (await examine(undefined, { env: { ...env, ...more }, cwd })).town;
    expect(await rootWith({ GT_TOWN_ROOT: one.root, GT_ROOT: two.root })).toMatchObject({
      root: one.root,
      source: 'env',
    });
    expect(await rootWith({ GT_ROOT: two.root })).toMatchObject({ root: two.root, source: 'env' });
    expect(await rootWith({ GT_TOWN_ROOT: '' })).toMatchObject({ root: cwd, source: 'cwd' });
  });

  test('a root that does not exist or is not a directory is a usage error with a one-line message', async () => {
    const { town } = setStage();
    const file = town.write('plain', '');
    await expect(examine('/nowhere/at/all', { cwd: '/' })).rejects.toMatchObject({
      code: 'E_USAGE',
      message: 'there is no town at /nowhere/at/all',
    });
    await expect(examine(file, { cwd: '/' })).rejects.toMatchObject({
      code: 'E_USAGE',
      message: `${file} is not a directory`,
    });
  });
});

describe('towns: what is missing or unreadable', () => {
  tmuxTest('missing rigs.json: sessions are matched by the pattern of their names', async () => {
    const { town, startTmux, look } = setStage();
    rmSync(town.path('mayor/rigs.json'));
    await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA), { command: 'mystery' });
    town.lock(ADA, { session_id: 'gastown/ada', acquired_at: now() });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'held', holder: { session: 'live' } });
    expect(report).toMatchObject({ complete: true, exitCode: 0 });
  });

  tmuxTest.each([
    ['corrupt', '{"version": 1, "rigs": {'],
    ['of another type', '{"rigs": ["gastown"]}'],
    ['empty', ''],
  ])('rigs.json is %s: held stays held, and a gap is reported', async (_what, text) => {
    const { town, startTmux, look } = setStage();
    town.write('mayor/rigs.json', text);
    await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA), { command: 'mystery' });
    town.lock(ADA, { session_id: 'gastown/ada', acquired_at: now() });
    const report = await look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'held', holder: { session: 'live' } });
    expect(report).toMatchObject({ complete: false, exitCode: 22 });
    expect(report.gaps.map(({ what }) => what)).toEqual(['rigs']);
  });

  asOther('unreadable worker (0700 of another user) → gap, exit code 22, not 0', async () => {
    const { town } = setStage();
    const home = makeTmuxTmpdir();
    execFileSync('chown', ['-R', String(OTHER_UID), town.root, home]);
    execFileSync('chown', ['-R', '0', town.path(BOB)]);
    chmodSync(town.path(BOB), 0o700);
    town.lock(BOB);
    const question = { town: town.root, options: { env: bareEnvironment(home) } };
    const report = await askElsewhere(question, { uid: OTHER_UID, gid: OTHER_UID });
    expect(report).toMatchObject({ exitCode: 22, complete: false, ok: false, locks: [] });
    expect(report.gaps).toEqual([
      { what: `directory:${town.path(BOB)}`, why: expect.stringMatching(/denied|EACCES/) },
    ]);
    town.lock(ADA);
    execFileSync('chown', ['-R', String(OTHER_UID), town.path(ADA)]);
    const worse = await askElsewhere(question, { uid: OTHER_UID, gid: OTHER_UID });
    expect(worse).toMatchObject({ exitCode: 1, complete: false });
  });

  asOther('an unreadable lock file is neither invalid nor stale → unknown', async () => {
    const { town } = setStage();
    const home = makeTmuxTmpdir();
    const path = town.lock(ADA);
    execFileSync('chown', ['-R', String(OTHER_UID), town.root, home]);
    execFileSync('chown', ['0', path]);
    chmodSync(path, 0o600);
    const report = await askElsewhere(
      { town: town.root, options: { env: bareEnvironment(home) } },
      { uid: OTHER_UID, gid: OTHER_UID },
    );
    expect(lockOf(report, ADA)).toMatchObject({ state: 'unknown', reasons: ['unreadable'] });
    expect(report.exitCode).toBe(22);
  });

  asOther('preflight of an unreadable worker → 22, never free', async () => {
    const { town } = setStage();
    const home = makeTmuxTmpdir();
    town.lock(BOB);
    execFileSync('chown', ['-R', String(OTHER_UID), town.root, home]);
    execFileSync('chown', ['-R', '0', town.path(BOB)]);
    chmodSync(town.path(BOB), 0o700);
    const answer = await askElsewhere<{ exitCode: number; results: unknown[] }>(
      { town: town.root, workers: [BOB], options: { env: bareEnvironment(home) } },
      { uid: OTHER_UID, gid: OTHER_UID },
    );
    expect(answer).toMatchObject({ exitCode: 22, results: [{ worker: BOB, answer: 'unsure' }] });
  });

  hostTest(
    'a quick scan finds a lock outside the layout only while an agent is there, and says that it was quick',
    async () => {
      const { town, look } = setStage();
      const inner = `${ADA}/packages/core`;
      town.lock(inner);
      const agent = await fakeAgent('claude', { cwd: town.worker(`${inner}/src`) });
      const report = await look({ scan: 'quick' });
      expect(lockOf(report, inner).state).toBe('held');
      expect(report).toMatchObject({ complete: true, town: { scan: 'quick' } });
      await agent.stop();
      expect((await look({ scan: 'quick' })).locks).toEqual([]);
      expect(lockOf(await look(), inner).state).toBe('stale');
    },
  );

  hostTest('a symlinked worker directory is not entered twice', async () => {
    const { town, look } = setStage();
    town.lock(ADA);
    symlinkSync(town.path(ADA), town.path('gastown/crew/alias'));
    mkdirSync(town.path('elsewhere'));
    symlinkSync('..', town.path('elsewhere/loop'));
    expect((await look()).locks.map(({ worker }) => worker)).toEqual([ADA]);
  });
});

describe('towns: two with the same base name', () => {
  const twins = (marked: boolean): readonly [TestTown, TestTown] => {
    const one = (): TestTown =>
      makeTown({ root: join(newDirectory(), 'gt'), marked, rigs: { gastown: GT }, workers: [ADA, BOB] });
    return [one(), one()];
  };

  const both = [
    ['marked', true],
    ['unmarked', false],
  ] as const;

  tmuxTest.each(both)(
    '%s: panes of one are never matched with the other, on one server',
    async (_what, marked) => {
      const { env, startTmux } = setStage();
      const [mine, theirs] = twins(marked);
      expect(basename(mine.root)).toBe(basename(theirs.root));
      const server = await startTmux({ name: 'gt' });
      const pane = await sessionOf(server, `${GT}-crew-ada`, theirs.path(ADA));
      for (const session of [pane.paneId, pane.sessionId, `${GT}-crew-ada`, 'gastown/ada']) {
        for (const town of [mine, theirs])
          town.lock(ADA, { session_id: session, acquired_at: now() }, { ageSeconds: 3600 });
        expect(lockOf(await examine(mine.root, { env, cwd: '/' }), ADA)).toMatchObject({
          state: 'stale',
          holder: { session: 'gone' },
        });
        expect(lockOf(await examine(theirs.root, { env, cwd: '/' }), ADA)).toMatchObject({
          state: 'held',
          holder: { session: 'live' },
        });
      }
    },
  );

  tmuxTest.each(both)("%s: a shell in the other town's worker does not count", async (_what, marked) => {
    const { env, startTmux } = setStage();
    const [mine, theirs] = twins(marked);
    const pane = await shellSessionOf(await startTmux(), `${GT}-crew-ada`, theirs.path(ADA));
    mine.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    expect(lockOf(await examine(mine.root, { env, cwd: '/' }), ADA).state).toBe('stale');
  });

  tmuxTest.each(both)('%s: live agents of the same name in both are no collision', async (_what, marked) => {
    const { env, startTmux } = setStage();
    const [mine, theirs] = twins(marked);
    for (const [index, town] of [mine, theirs].entries()) {
      const server = await startTmux({ name: `server-${index}` });
      const pane = await sessionOf(server, `${GT}-crew-ada`, town.path(ADA));
      town.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    }
    for (const town of [mine, theirs]) {
      const report = await examine(town.root, { env, cwd: '/' });
      expect(report).toMatchObject({ exitCode: 0, summary: { held: 1, collisions: 0 } });
      expect(lockOf(report, ADA).holder?.pane?.socket).toMatch(town === mine ? /server-0$/ : /server-1$/);
    }
  });

  tmuxTest('GT_ROOT decides the town if the pane is elsewhere', async () => {
    const { env, startTmux } = setStage();
    const [mine, theirs] = twins(true);
    const pane = await sessionOf(await startTmux(), `${GT}-crew-ada`, '/', {
      command: 'mystery',
      env: { GT_ROOT: theirs.root, GT_ROLE: 'gastown/crew/ada' },
    });
    for (const town of [mine, theirs])
      town.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    expect(lockOf(await examine(mine.root, { env, cwd: '/' }), ADA).state).toBe('stale');
    expect(lockOf(await examine(theirs.root, { env, cwd: '/' }), ADA).state).toBe('held');
  });

  hostTest('an agent of the other town outside tmux does not count', async () => {
    const { env } = setStage();
    const [mine, theirs] = twins(true);
    await fakeAgent('claude', { cwd: theirs.path(ADA) });
    mine.lock(ADA, { session_id: NO_PANE });
    expect(lockOf(await examine(mine.root, { env, cwd: '/' }), ADA).state).toBe('stale');
  });

  hostTest('a town whose name is a prefix of another one is not confused with it', async () => {
    const { env } = setStage();
    const [mine] = twins(true);
    const beside = join(dirname(mine.root), 'gt2');
    const other = makeTown({ root: beside, rigs: { gastown: GT }, workers: [ADA] });
    await fakeAgent('claude', { cwd: other.path(ADA) });
    mine.lock(ADA);
    expect(lockOf(await examine(mine.root, { env, cwd: '/' }), ADA).state).toBe('stale');
  });

  hostTest('an agent in a worker that was moved away does not work in its replacement', async () => {
    const { town, look } = setStage();
    await fakeAgent('claude', { cwd: town.path(ADA) });
    renameSync(town.path(ADA), town.path('gastown/crew/old-ada'));
    town.worker(ADA);
    town.lock(ADA);
    expect(lockOf(await look(), ADA).state).toBe('stale');
  });
});
