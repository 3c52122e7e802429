import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { REFUSALS } from '../../src/core/report/refusals.ts';
import type { ReleaseOutcome } from '../../src/core/report/report.ts';
import type { Verdict } from '../../src/core/types/judgement.ts';
import { systemCalls } from '../../src/io/disk/system-calls.ts';
import { Lock } from '../../src/lock/agent-lock.ts';
import { doctorsJudge } from '../../src/lock/ask-the-judge.ts';
import { lockFilesIn, makeRunId } from '../../src/lock/files/names.ts';
import { takeGuard } from '../../src/lock/guard/take-guard.ts';
import { startTokenOf } from '../../src/lock/identity.ts';
import { journalPath } from '../../src/repair/journal.ts';
import { repairLeftovers } from '../../src/repair/leftovers.ts';
import { readJournal } from '../../src/repair/read-journal.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { cleanStaleLocks, detectCollisions, examineTown, findAllLocks } from '../../src/town-locks.ts';
import { applyRelease, type Releasing } from '../lock/support/release.ts';
import { cleanUp, deadPid, fakeAgent, makeTown, type TestTown } from '../support/index.ts';

const WORKER = 'gastown/crew/ada';
const RUN = makeRunId(Date.now());

const diagnose = async (town: TestTown, worker = WORKER): Promise<Verdict> => {
  const { verdicts } = await examineTown(town.root);
  const verdict = verdicts.find(({ lock }) => lock.worker === worker);
  if (verdict === undefined) throw new Error(`no lock of ${worker}`);
  return verdict;
};

const release = (
  town: TestTown,
  { lock, state }: Verdict,
  extra: Partial<Releasing> & {
    force?: boolean;
    run?: string;
    number?: number;
  } = {},
): Promise<ReleaseOutcome> => {
  const { force = false, run = RUN, number = 1, ...options } = extra;
  return applyRelease({ lock, state, force }, run, number, { townRoot: town.root, ...options });
};

const names = (town: TestTown, worker = WORKER): string[] =>
  readdirSync(town.path(worker, '.runtime')).sort();
const journal = (town: TestTown) =>
  [...readJournal(systemCalls, town.root)].flatMap((line) => (line.kind === 'entry' ? [line.entry] : []));

/** All files below the town with their hashes, to show that nothing was written. */
const contents = (town: TestTown): string =>
  execFileSync('find', [town.root, '-type', 'f', '-exec', 'sha256sum', '{}', '+'], { encoding: 'utf8' })
    .split('\n')
    .sort()
    .join('\n');

describe('a release', () => {
  afterEach(cleanUp);

  test('moves a stale lock to a kept copy and journals it, and undo restores the same file', async () => {
    const town = makeTown();
    const path = town.lock(WORKER, { session_id: '' });
    const before = statSync(path, { bigint: true });
    const bytes = readFileSync(path, 'utf8');
    const verdict = await diagnose(town);
    expect(verdict).toMatchObject({ state: 'stale', release: { allowed: true } });
    const outcome = await release(town, verdict);
    const backup = `${path}.released-${RUN}-1`;
    expect(outcome).toEqual({ status: 'fixed', backup, reason: null });
    expect(names(town)).toEqual(['agent.lock.flock', `agent.lock.released-${RUN}-1`]);
    expect(readFileSync(backup, 'utf8')).toBe(bytes);
    expect(journal(town)).toMatchObject([
      {
        event: 'release',
        id: `${RUN}-1`,
        kind: 'agent',
        deed: 'move-aside',
        worker: WORKER,
        state: 'stale',
        forced: false,
        holder: { pid: deadPid() },
      },
      { event: 'released', id: `${RUN}-1` },
    ]);

    const undone = await undoReleases(null, { townRoot: town.root });
    expect(undone).toMatchObject({
      run: RUN,
      outcomes: [{ status: 'restored', worker: WORKER, lock: path }],
    });
    const after = statSync(path, { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
    expect(names(town)).toEqual(['agent.lock', 'agent.lock.flock']);
    expect(await undoReleases(RUN, { townRoot: town.root })).toMatchObject({
      outcomes: [{ status: 'already' }],
    });
    expect(await diagnose(town)).toMatchObject({ state: 'stale' });
  });

  test('leaves a lock that was replaced, rewritten or removed since the diagnosis', async () => {
    const town = makeTown();
    const path = town.lock(WORKER, { session_id: '' });
    const verdict = await diagnose(town);
    writeFileSync(`${path}.x`, readFileSync(path));
    utimesSync(`${path}.x`, statSync(path).atime, statSync(path).mtime);
    renameSync(`${path}.x`, path);
    expect(await release(town, verdict)).toMatchObject({
      status: 'changed',
      reason: 'it is another one now',
    });
    const again = await diagnose(town);
    town.lock(WORKER, { session_id: '%1' });
    expect(await release(town, again)).toMatchObject({ status: 'changed' });
    expect(existsSync(path)).toBe(true);
    rmSync(path);
    expect(await release(town, again)).toMatchObject({ status: 'changed', reason: 'it is gone' });
    rmSync(town.path(WORKER), { recursive: true });
    expect(await release(town, again)).toMatchObject({ status: 'changed', reason: 'its directory is gone' });
    expect(existsSync(journalPath(town.root))).toBe(false);
  });

  test('puts back a lock that was replaced at the last moment', async () => {
    const town = makeTown();
    const path = town.lock(WORKER, { session_id: '' });
    const verdict = await diagnose(town);
    const calls = {
      ...systemCalls,
      rename: (from: string, to: string) => {
        if (from.endsWith('/agent.lock')) town.lock(WORKER, '{"pid": 1, "session_id": "live"}');
        systemCalls.rename(from, to);
      },
    };
    const outcome = await release(town, verdict, { calls, judge: async () => verdict });
    expect(outcome).toMatchObject({ status: 'changed', reason: expect.stringContaining('last moment') });
    expect(readFileSync(path, 'utf8')).toBe('{"pid": 1, "session_id": "live"}');
    expect(names(town)).toEqual(['agent.lock', 'agent.lock.flock']);
    expect(journal(town).map(({ event }) => event)).toEqual(['release', 'not-released']);
    expect(await undoReleases(null, { townRoot: town.root })).toEqual({
      run: null,
      outcomes: [],
      notBegun: 0,
      damage: null,
    });
  });

  test('loses neither lock if a third one appears at the last moment', async () => {
    const town = makeTown();
    const path = town.lock(WORKER, { session_id: '' });
    const verdict = await diagnose(town);
    const calls = {
      ...systemCalls,
      rename: (from: string, to: string) => {
        if (from.endsWith('/agent.lock')) town.lock(WORKER, 'second');
        systemCalls.rename(from, to);
        if (from.endsWith('/agent.lock')) town.lock(WORKER, 'third');
      },
    };
    const outcome = await release(town, verdict, { calls, judge: async () => verdict });
    expect(outcome).toMatchObject({ status: 'failed', reason: expect.stringContaining('.old') });
    const [, aside = ''] = names(town);
    expect(readFileSync(path, 'utf8')).toBe('third');
    expect(readFileSync(town.path(WORKER, '.runtime', aside), 'utf8')).toBe('second');
    // Once the third lock is gone, the next run restores the second one.
    expect(
      await repairLeftovers(town.path(WORKER, '.runtime/agent.lock'), { townRoot: town.root }),
    ).toMatchObject({
      kept: [expect.stringContaining(aside)],
    });
    rmSync(path);
    expect(
      await repairLeftovers(town.path(WORKER, '.runtime/agent.lock'), { townRoot: town.root }),
    ).toMatchObject({
      restored: true,
      kept: [],
    });
    expect(readFileSync(path, 'utf8')).toBe('second');
  });

  test('is refused if the verdict has changed since', async () => {
    const town = makeTown();
    const path = town.lock(WORKER, { session_id: '' });
    const verdict = await diagnose(town);
    await fakeAgent('claude', { cwd: town.path(WORKER) });
    expect(await release(town, verdict)).toMatchObject({
      status: 'changed',
      reason: 'it was stale and is held now',
    });
    expect(existsSync(path)).toBe(true);
  });

  test('removes a held lock only by force, and a tracked one never', async () => {
    const town = makeTown();
    const agent = await fakeAgent('claude', { cwd: town.path(WORKER) });
    town.lock(WORKER, { pid: agent.pid, session_id: '' });
    const held = await diagnose(town);
    expect(held.state).toBe('held');
    expect(await release(town, held)).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('only a person'),
    });
    expect(await release(town, held, { force: true })).toMatchObject({ status: 'fixed' });
    expect(journal(town)[0]).toMatchObject({ state: 'held', forced: true });
    await undoReleases(null, { townRoot: town.root });
    await agent.stop();

    const git = (...args: string[]) =>
      execFileSync('git', ['-C', town.path(WORKER), '-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
    git('init', '-q');
    git('add', '-f', '.runtime/agent.lock');
    const tracked = await diagnose(town);
    expect(tracked.state).toBe('stale');
    for (const force of [false, true]) {
      expect(await release(town, tracked, { force })).toMatchObject({
        status: 'skipped',
        reason: REFUSALS.tracked,
      });
    }
    expect(names(town)).toContain('agent.lock');
  });

  test('skips a fresh lock and says when to try again', async () => {
    const town = makeTown();
    town.lock(WORKER, { session_id: '', acquired_at: '2026-01-01T00:00:00Z' }, { ageSeconds: 5 });
    expect(await release(town, await diagnose(town))).toMatchObject({
      status: 'skipped',
      reason: expect.stringMatching(/^written less than 30 s ago; try again in \d+ s$/),
    });
  });

  test('is skipped for a busy guard, a missing tool, a network file system and an interrupted run', async () => {
    const town = makeTown();
    town.lock(WORKER, { session_id: '' });
    const verdict = await diagnose(town);
    const taken = await takeGuard(lockFilesIn(town.path(WORKER, '.runtime')));
    expect(taken.kind).toBe('held');
    const before = contents(town);
    expect(await release(town, verdict, { guardTimeoutMs: 30 })).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('somebody else is changing it'),
    });
    if (taken.kind === 'held') taken.guard.letGo();
    expect(await release(town, verdict, { flockTools: [] })).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('util-linux'),
    });
    const onNfs = { calls: { ...systemCalls, fileSystemType: () => 0x6969 } };
    expect(await release(town, verdict, onNfs)).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('network file system'),
    });
    const signal = AbortSignal.abort();
    expect(await release(town, verdict, { signal })).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('interrupted'),
    });
    expect(contents(town)).toBe(before);
    expect(await release(town, verdict, { ...onNfs, force: true })).toMatchObject({ status: 'fixed' });
  });

  test('removes our own record of a dead process on a network file system too', async () => {
    const town = makeTown();
    const agent = await fakeAgent('claude');
    const holder = { pid: agent.pid, startToken: await startTokenOf(agent.pid) };
    await new Lock(town.path(WORKER)).acquire({ holder });
    await agent.stop();
    const onNfs = { calls: { ...systemCalls, fileSystemType: () => 0x6969 } };
    expect(await release(town, await diagnose(town), onNfs)).toMatchObject({ status: 'fixed' });
  });

  test('skips a lock of an unknown kind', async () => {
    const town = makeTown();
    const path = town.lock(WORKER);
    const verdict = await diagnose(town);
    const outcome = await release(town, { ...verdict, lock: { ...verdict.lock, kind: 'note' } });
    expect(outcome).toMatchObject({
      status: 'skipped',
      reason: 'unknown kind of lock: note',
    });
    expect(existsSync(path)).toBe(true);
  });

  test('changes nothing through a symlink on the path of the lock or of the journal', async () => {
    const town = makeTown();
    const path = town.lock(WORKER, { session_id: '' });
    const verdict = await diagnose(town);
    renameSync(town.path('gastown'), town.path('moved'));
    symlinkSync(town.path('moved'), town.path('gastown'));
    expect(await release(town, verdict)).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('is a symbolic link'),
    });
    rmSync(town.path('gastown'));
    renameSync(town.path('moved'), town.path('gastown'));
    mkdirSync(town.path('.runtime'));
    mkdirSync(town.path('elsewhere'));
    symlinkSync(town.path('elsewhere'), town.path('.runtime/lock-doctor'));
    expect(await release(town, verdict)).toMatchObject({ status: 'failed' });
    rmSync(town.path('.runtime/lock-doctor'));
    mkdirSync(town.path('.runtime/lock-doctor'));
    symlinkSync(town.path('elsewhere/j'), journalPath(town.root));
    expect(await release(town, verdict)).toMatchObject({ status: 'failed' });
    expect(readdirSync(town.path('elsewhere'))).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });

  test('happens once per lock if several repairs run at once', async () => {
    const workers = ['gastown/crew/ada', 'gastown/crew/bo', 'gastown/crew/cy'];
    const town = makeTown({ workers });
    for (const worker of workers) town.lock(worker, { session_id: '' });
    const { verdicts } = await examineTown(town.root);
    const runs = [makeRunId(Date.now()), makeRunId(Date.now()), makeRunId(Date.now())];
    const outcomes = await Promise.all(
      runs.flatMap((run) => verdicts.map((verdict, at) => release(town, verdict, { run, number: at + 1 }))),
    );
    expect(outcomes.filter(({ status }) => status === 'fixed')).toHaveLength(3);
    expect(outcomes.filter(({ status }) => status === 'changed')).toHaveLength(6);
    for (const worker of workers) expect(names(town, worker)).toHaveLength(2);
  });
});

describe('undo', () => {
  afterEach(cleanUp);

  const released = async (): Promise<{ town: TestTown; path: string; backup: string }> => {
    const town = makeTown();
    const path = town.lock(WORKER, { session_id: '' });
    const outcome = await release(town, await diagnose(town));
    if (outcome.status !== 'fixed') throw new Error(JSON.stringify(outcome));
    return { town, path, backup: outcome.backup };
  };

  test('never replaces a newer lock', async () => {
    const { town, path, backup } = await released();
    const lock = new Lock(town.path(WORKER));
    await lock.acquire();
    const undone = await undoReleases(null, { townRoot: town.root });
    expect(undone.outcomes).toMatchObject([{ status: 'newer-lock' }]);
    expect(await lock.check()).toBe('ours');
    expect(existsSync(backup)).toBe(true);
    await lock.release();
    expect((await undoReleases(`${RUN}-1`, { townRoot: town.root })).outcomes).toMatchObject([
      { status: 'restored' },
    ]);
    expect(existsSync(path)).toBe(true);
  });

  test('accepts only known runs and releases', async () => {
    const { town } = await released();
    expect(await undoReleases('20260811T070000Z-ffffff', { townRoot: town.root })).toEqual({
      run: null,
      outcomes: [],
      notBegun: 0,
      damage: null,
    });
    expect(await undoReleases(null, { townRoot: makeTown().root })).toEqual({
      run: null,
      outcomes: [],
      notBegun: 0,
      damage: null,
    });
  });

  test('reports a kept copy that is missing or was replaced', async () => {
    const { town, backup } = await released();
    const bytes = readFileSync(backup);
    writeFileSync(backup, 'other');
    expect((await undoReleases(null, { townRoot: town.root })).outcomes).toMatchObject([
      { status: 'missing' },
    ]);
    rmSync(backup);
    expect((await undoReleases(null, { townRoot: town.root })).outcomes).toMatchObject([
      { status: 'missing' },
    ]);
    symlinkSync('/etc/passwd', backup);
    expect((await undoReleases(null, { townRoot: town.root })).outcomes).toMatchObject([
      { status: 'missing' },
    ]);
    rmSync(backup);
    writeFileSync(backup, bytes);
    expect((await undoReleases(null, { townRoot: town.root })).outcomes).toMatchObject([
      { status: 'restored' },
    ]);
  });

  test('restores only what the killed run moved aside, and never over a newer lock', async () => {
    const { town, path, backup } = await released();
    const aside = `${path}.0123456789abcdef.old`;
    // The state after a kill between the two renames: the journal does not contain the end.
    renameSync(backup, aside);
    const [begun] = readFileSync(journalPath(town.root), 'utf8').split('\n').filter(Boolean);
    writeFileSync(journalPath(town.root), `${begun}\n`);
    writeFileSync(`${path}.fedcba9876543210.old`, 'of another run');
    writeFileSync(path, 'newer');
    expect(await undoReleases(null, { townRoot: town.root })).toMatchObject({
      run: RUN,
      outcomes: [{ status: 'newer-lock' }],
    });
    expect(existsSync(aside)).toBe(true);
    rmSync(path);
    expect((await undoReleases(null, { townRoot: town.root })).outcomes).toMatchObject([
      { status: 'restored' },
    ]);
    expect(names(town)).toEqual(['agent.lock', 'agent.lock.fedcba9876543210.old', 'agent.lock.flock']);
    expect((await undoReleases(RUN, { townRoot: town.root })).outcomes).toMatchObject([
      { status: 'already' },
    ]);
  });

  test('completes an undo that died after link(2)', async () => {
    const { town, path, backup } = await released();
    linkSync(backup, path);
    expect((await undoReleases(null, { townRoot: town.root })).outcomes).toMatchObject([
      { status: 'restored' },
    ]);
    expect(names(town)).toEqual(['agent.lock', 'agent.lock.flock']);
  });
});

describe('leftovers', () => {
  afterEach(cleanUp);

  test('staged files are removed, a lock moved aside is restored, and copies are kept for a week', async () => {
    const town = makeTown();
    const path = town.lock(WORKER, { session_id: '%1' });
    renameSync(path, `${path}.0123456789abcdef.old`);
    writeFileSync(`${path}.0123456789abcdef.new`, 'half');
    writeFileSync(`${path}.tmp`, 'young');
    writeFileSync(`${path}.released-20260804T065959Z-00000a-1`, 'old copy');
    writeFileSync(`${path}.released-20260804T070001Z-00000a-1`, 'copy');
    for (const strange of ['.new', '.x.old', '.0123456789ABCDEF.old', '.released-mine', '.flock2'])
      writeFileSync(path + strange, 'not ours');
    symlinkSync('/etc/passwd', `${path}.fedcba9876543210.new`);
    const now = () => Date.parse('2026-08-11T07:00:00Z');
    utimesSync(`${path}.tmp`, now() / 1000, now() / 1000);
    const done = await repairLeftovers(town.path(WORKER, '.runtime/agent.lock'), {
      townRoot: town.root,
      now,
    });
    expect(done).toMatchObject({ status: 'done', restored: true, kept: [] });
    expect(names(town)).toEqual([
      'agent.lock',
      'agent.lock.0123456789ABCDEF.old',
      'agent.lock.fedcba9876543210.new',
      'agent.lock.flock',
      'agent.lock.flock2',
      'agent.lock.new',
      'agent.lock.released-20260804T070001Z-00000a-1',
      'agent.lock.released-mine',
      'agent.lock.tmp',
      'agent.lock.x.old',
    ]);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ session_id: '%1' });
    utimesSync(`${path}.tmp`, now() / 1000 - 61, now() / 1000 - 61);
    await repairLeftovers(town.path(WORKER, '.runtime/agent.lock'), { townRoot: town.root, now });
    expect(names(town)).not.toContain('agent.lock.tmp');
    expect(journal(town)).toMatchObject([
      { event: 'tidied', id: WORKER },
      { event: 'tidied', id: WORKER },
    ]);
  });

  test('the newer one of two locks moved aside is restored, and the other is kept', async () => {
    const town = makeTown();
    const path = town.lock(WORKER, 'newer', { ageSeconds: 10 });
    renameSync(path, `${path}.00000000000000aa.old`);
    town.lock(WORKER, 'older', { ageSeconds: 20 });
    renameSync(path, `${path}.00000000000000bb.old`);
    const done = await repairLeftovers(town.path(WORKER, '.runtime/agent.lock'), { townRoot: town.root });
    expect(done).toMatchObject({ restored: true, kept: [`${path}.00000000000000bb.old`] });
    expect(readFileSync(path, 'utf8')).toBe('newer');
  });

  test('are repaired by the next acquire', async () => {
    const town = makeTown();
    const path = town.lock(WORKER, { session_id: '', pid: process.pid });
    renameSync(path, `${path}.00000000000000aa.old`);
    const agent = await fakeAgent('claude', { cwd: town.path(WORKER) });
    await expect(new Lock(town.path(WORKER)).acquire()).rejects.toMatchObject({ state: 'held' });
    expect(existsSync(path)).toBe(true);
    await agent.stop();
  });
});

describe('the library functions for all locks of a town', () => {
  afterEach(cleanUp);

  test('find, clean and compare them', async () => {
    const town = makeTown({ workers: ['gastown/crew/ada', 'gastown/crew/bo', 'gastown/crew/cy'] });
    town.lock('gastown/crew/ada', { session_id: '' });
    town.lock('gastown/crew/bo', 'nonsense');
    const agent = await fakeAgent('claude', { cwd: town.path('gastown/crew/cy') });
    town.lock('gastown/crew/cy', { pid: agent.pid, session_id: '' });
    expect((await findAllLocks(town.root)).map(({ worker, content }) => [worker, content.kind])).toEqual([
      ['gastown/crew/ada', 'record'],
      ['gastown/crew/bo', 'invalid'],
      ['gastown/crew/cy', 'record'],
    ]);
    const cleaned = await cleanStaleLocks(town.root);
    expect(cleaned).toMatchObject([{ lock: { worker: 'gastown/crew/ada' }, outcome: { status: 'fixed' } }]);
    expect((await findAllLocks(town.root)).map(({ worker }) => worker)).toEqual([
      'gastown/crew/bo',
      'gastown/crew/cy',
    ]);
    expect(await detectCollisions(town.root)).toEqual([]);
    const judge = doctorsJudge({ town: town.root });
    const path = town.path('gastown/crew/cy/.runtime/agent.lock');
    expect(await judge({ workerDir: town.path('gastown/crew/cy'), path })).toMatchObject({ state: 'held' });
  });
});
