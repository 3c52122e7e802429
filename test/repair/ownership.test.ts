/** `sudo doctor` in a user's town must not lock that user out, and must say who may write where. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ReleaseOutcome } from '../../src/core/report/report.ts';
import type { Report } from '../../src/core/types/report.ts';
import { systemCalls } from '../../src/io/disk/system-calls.ts';
import { Lock } from '../../src/lock/agent-lock.ts';
import { makeRunId } from '../../src/lock/files/names.ts';
import { journalPath } from '../../src/repair/journal.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { doctor, documentOf } from '../cli/run-cli.ts';
import { applyRelease } from '../lock/support/release.ts';
import { quickJudge, readLockFile } from '../stress/quick-judge.ts';
import { asOtherUser } from '../support/as-other-user.ts';
import { canBecomeOthers, cleanUp, makeTown, OTHER_UID, onCleanUp, type TestTown } from '../support/index.ts';

const [ADA, BO] = ['gastown/crew/ada', 'gastown/crew/bo'];

afterEach(cleanUp);

const withUmask = (mask: number): void => {
  const before = process.umask(mask);
  onCleanUp(() => void process.umask(before));
};

/** A town of another user with two stale locks. */
const townOfOther = (): TestTown => {
  const town = makeTown({ workers: [ADA, BO] });
  const locks = [ADA, BO].map((worker) => town.lock(worker, { session_id: '' }));
  for (const path of [town.root, ...locks.flatMap((lock) => [lock, dirname(lock), dirname(dirname(lock))])])
    chownSync(path, OTHER_UID, OTHER_UID);
  for (const path of [
    town.root,
    town.path('gastown'),
    town.path('gastown/crew'),
    town.path(ADA),
    town.path(BO),
  ])
    chmodSync(path, 0o755);
  for (const worker of [ADA, BO]) chmodSync(town.path(worker, '.runtime'), 0o755);
  return town;
};

const release = async (town: TestTown, worker: string): Promise<ReleaseOutcome> => {
  const lock = readLockFile(town.path(worker, '.runtime/agent.lock'), worker);
  if (lock === null) throw new Error(`no lock of ${worker}`);
  const step = { lock, state: 'stale' as const, force: false };
  return applyRelease(step, makeRunId(Date.now()), 1, { townRoot: town.root, judge: quickJudge });
};

const owners = (paths: readonly string[]): readonly number[] => paths.map((path) => lstatSync(path).uid);

const asRoot = canBecomeOthers ? describe : describe.skip;

asRoot("root in a user's town (skipped without root)", () => {
  test.each([
    ['022', 0o022],
    ['077', 0o077],
  ])('creates files that belong to that user, with umask %s', async (_, umask) => {
    withUmask(umask);
    const town = townOfOther();
    const released = await release(town, ADA);
    expect(released).toMatchObject({ status: 'fixed' });
    const journal = journalPath(town.root);
    const guard = town.path(ADA, '.runtime/agent.lock.flock');
    expect(owners([town.path('.runtime'), dirname(journal), journal, guard])).toEqual(
      Array(4).fill(OTHER_UID),
    );
    expect(lstatSync(guard).mode & 0o777).toBe(0o644);

    await asOtherUser(async () => {
      expect(await release(town, BO)).toMatchObject({ status: 'fixed' });
      const lock = new Lock(town.path(ADA), { judge: quickJudge });
      await lock.acquire();
      await lock.release();
      const id = released.backup?.split('.released-')[1] ?? null;
      const ofRoot = await undoReleases(id, { townRoot: town.root });
      expect(ofRoot.outcomes).toMatchObject([{ status: 'restored', worker: ADA }]);
      const { outcomes } = await undoReleases(null, { townRoot: town.root });
      expect(outcomes).toMatchObject([{ status: 'restored', worker: BO }]);
    });
  });

  test("creates a missing .runtime that belongs to the worker's owner", async () => {
    withUmask(0o077);
    const town = townOfOther();
    mkdirSync(town.path('w'));
    chownSync(town.path('w'), OTHER_UID, OTHER_UID);
    const lock = new Lock(town.path('w'), { judge: quickJudge });
    await lock.acquire();
    await lock.release();
    expect(owners([town.path('w/.runtime'), town.path('w/.runtime/agent.lock.flock')])).toEqual([
      OTHER_UID,
      OTHER_UID,
    ]);
    await asOtherUser(async () => {
      await lock.acquire();
      await lock.release();
    });
  });

  test('creates nothing if a directory has another owner than its worker, and says what helps', async () => {
    const town = townOfOther();
    chownSync(town.path(ADA, '.runtime'), 0, 0);
    const refused = await release(town, ADA);
    expect(refused).toMatchObject({ status: 'skipped' });
    expect(refused.reason).toContain(`chown -R ${OTHER_UID} ${town.path(ADA, '.runtime')}`);
    expect(existsSync(town.path(ADA, '.runtime/agent.lock.flock'))).toBe(false);
    const lock = new Lock(town.path(ADA), { judge: quickJudge });
    await expect(lock.acquire()).rejects.toMatchObject({ code: 'E_NO_GUARD' });
  });

  test('a user who may not write gets a message with the path and its owner', async () => {
    const town = makeTown({ workers: [ADA] });
    town.lock(ADA, { session_id: '' });
    for (const path of [town.root, town.path('gastown'), town.path('gastown/crew'), town.path(ADA)])
      chmodSync(path, 0o755);
    chmodSync(town.path(ADA, '.runtime'), 0o755);
    const place = town.path(ADA, '.runtime');
    await asOtherUser(async () => {
      const refused = await release(town, ADA);
      expect(refused).toMatchObject({ status: 'failed' });
      expect(refused.reason).toContain(`permission denied (EACCES): ${place} belongs to root`);
      const taken = new Lock(town.path(ADA), { judge: quickJudge }).acquire();
      await expect(taken).rejects.toThrow(`${place} belongs to root`);
    });
  });

  test('undo reports a directory that the user may not even search', async () => {
    const town = townOfOther();
    expect(await release(town, ADA)).toMatchObject({ status: 'fixed' });
    const place = town.path(ADA, '.runtime');
    chownSync(place, 0, 0);
    chmodSync(place, 0o700);
    await asOtherUser(async () => {
      const { outcomes } = await undoReleases(null, { townRoot: town.root });
      expect(outcomes).toMatchObject([{ status: 'failed', worker: ADA }]);
      expect(outcomes[0]?.reason).toContain(`${place} belongs to root`);
    });
  });

  test('an owner that cannot be changed does not prevent an acquire (injected: fchown fails with EPERM)', async () => {
    const town = townOfOther();
    const calls = {
      ...systemCalls,
      fchown: () => {
        throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
      },
    };
    const lock = new Lock(town.path(ADA), { judge: quickJudge, calls });
    expect(await lock.acquire()).toMatchObject({ how: 'taken-over' });
    await lock.release();
  });
});

/** True where root may set that flag: on ext4, XFS and Btrfs, and not in most containers. */
const setFlag = (flag: '+i' | '-i', path: string): boolean => spawnSync('chattr', [flag, path]).status === 0;

asRoot('an immutable lock (skipped without root)', () => {
  test('is not released, and the report names the flag and what shows it, not an owner', () => {
    const town = makeTown({ workers: [ADA] });
    const path = town.lock(ADA, { session_id: '' }, { ageSeconds: 3600 });
    // Where the flag cannot be set there is nothing to see.
    if (!setFlag('+i', path)) return;
    onCleanUp(() => void setFlag('-i', path));
    const { stdout, status } = doctor(['--fix', '--yes', '--json', '--town', town.root]);
    const { findings } = documentOf<Report>(stdout);
    const stale = findings.find(({ check }) => check === 'stale-lock');
    expect([status, stale?.fix]).toMatchObject([
      1,
      {
        status: 'failed',
        reason: `operation not permitted (EPERM): ${path} or its directory may be immutable; if lsattr shows the flag i or a there, remove it with chattr -i or chattr -a`,
      },
    ]);
    expect(stale?.next).toEqual([['lsattr', '-d', path, dirname(path)]]);
  });
});
