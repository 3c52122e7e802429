/**
 * A batch that dies or fails at any system call leaves each of its locks in place, or restorable.
 * Runs beside others: it releases locks in memory that its judge calls stale, and never looks at processes.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import type { SystemCalls } from '../../src/io/disk/system-calls.ts';
import { makeRunId } from '../../src/lock/files/names.ts';
import { repairLeftovers } from '../../src/repair/leftovers.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { judging, lockFileAt } from '../lock/support/bench-scene.ts';
import { applyAll } from '../lock/support/release.ts';
import { alone, crashing, FAULTS, failing, listCalls, withoutLinks } from '../lock/support/tapped-calls.ts';
import { cleanUp, onCleanUp, startProcess, until } from '../support/index.ts';

/** In memory if possible, because each of thousands of runs syncs. */
const BASE = realpathSync(existsSync('/dev/shm') ? '/dev/shm' : tmpdir());

interface Crowd {
  readonly root: string;
  readonly workers: readonly string[];
  readonly remove: () => void;
}

const directoryOf = ({ root }: Crowd, worker: string): string => join(root, worker, '.runtime');
const lockOf = (crowd: Crowd, worker: string): string => join(directoryOf(crowd, worker), 'agent.lock');

/** The content of a worker's lock, different for each. */
const textOf = (worker: string): string =>
  JSON.stringify({ pid: 4_194_305, acquired_at: '2026-01-01T00:00:00Z', session_id: '', nonce: worker });

const makeCrowd = (count: number): Crowd => {
  const root = mkdtempSync(join(BASE, 'crowd-'));
  const remove = (): void => rmSync(root, { recursive: true, force: true });
  onCleanUp(remove);
  const crowd = { root, workers: Array.from({ length: count }, (_, index) => `w${index}`), remove };
  for (const worker of crowd.workers) {
    mkdirSync(directoryOf(crowd, worker), { recursive: true });
    writeFileSync(lockOf(crowd, worker), textOf(worker));
  }
  return crowd;
};

const release = (crowd: Crowd, calls: SystemCalls): ReturnType<typeof applyAll> => {
  const steps = crowd.workers.map((worker, index) => {
    const lock = { ...lockFileAt(lockOf(crowd, worker)), id: `agent:${worker}`, worker };
    return { lock, state: 'stale' as const, force: false, number: index + 1 };
  });
  return applyAll(steps, makeRunId(Date.now()), {
    townRoot: crowd.root,
    calls,
    guardTimeoutMs: 0,
    judge: judging(() => 'stale'),
  });
};

const undo = (crowd: Crowd, calls: SystemCalls) =>
  undoReleases(null, { townRoot: crowd.root, calls, guardTimeoutMs: 0 });

const standing = (crowd: Crowd): readonly string[] =>
  crowd.workers.filter((worker) => existsSync(lockOf(crowd, worker)));

/** Every lock's bytes are in some file of its directory. */
const expectKept = (where: string, crowd: Crowd): void => {
  for (const worker of crowd.workers) {
    const directory = directoryOf(crowd, worker);
    const kept = readdirSync(directory).some(
      (name) => readFileSync(join(directory, name), 'utf8') === textOf(worker),
    );
    expect([where, worker, kept]).toEqual([where, worker, true]);
  }
};

const repairAll = async (crowd: Crowd): Promise<void> => {
  for (const worker of crowd.workers) {
    const options = { townRoot: crowd.root, calls: alone, guardTimeoutMs: 0 };
    expect(await repairLeftovers(lockOf(crowd, worker), options)).toMatchObject({ status: 'done' });
  }
};

/** A repair and an undo restore the initial state, with nothing left over. */
const expectUndoable = async (where: string, crowd: Crowd): Promise<void> => {
  await repairAll(crowd);
  const before = standing(crowd);
  const { outcomes } = await undo(crowd, alone);
  const restored = outcomes.filter(({ status }) => status === 'restored').map(({ worker }) => worker);
  for (const worker of crowd.workers) {
    const isBack = before.includes(worker) || restored.includes(worker);
    expect([where, worker, isBack]).toEqual([where, worker, true]);
    expect([where, readFileSync(lockOf(crowd, worker), 'utf8')]).toEqual([where, textOf(worker)]);
    const names = readdirSync(directoryOf(crowd, worker)).filter((name) => !name.endsWith('.flock'));
    expect([where, names]).toEqual([where, ['agent.lock']]);
  }
};

const openDescriptors = (): number => readdirSync('/dev/fd').length;

afterEach(cleanUp);

/** The search for a program that can lock happens once per process, and its calls must not be counted. */
beforeAll(() => release(makeCrowd(2), alone));

const WORK = [
  { work: 'a release', begin: async () => undefined, act: release },
  {
    work: 'an undo',
    begin: async (crowd: Crowd) => void (await release(crowd, alone)),
    act: undo,
  },
] as const;

describe.each(WORK)('$work of several', ({ begin, act }) => {
  test('loses nothing if it dies after any system call', async () => {
    const rehearsal = makeCrowd(3);
    await begin(rehearsal);
    const calls = await listCalls((tap) => act(rehearsal, tap));
    expect(calls.filter((name) => name === 'runWith')).toHaveLength(1);
    for (const at of calls.keys()) {
      const where = `after ${calls[at]} (call ${at})`;
      const crowd = makeCrowd(3);
      await begin(crowd);
      const openBefore = openDescriptors();
      await act(crowd, crashing(at)).catch(() => undefined);
      expect([where, openDescriptors()]).toEqual([where, openBefore]);
      expectKept(where, crowd);
      await expectUndoable(where, crowd);
      crowd.remove();
    }
  }, 240_000);

  test('that dies after any system call is restored by an undo without a repair before it', async () => {
    const rehearsal = makeCrowd(3);
    await begin(rehearsal);
    const calls = await listCalls((tap) => act(rehearsal, tap));
    for (const at of calls.keys()) {
      const where = `after ${calls[at]} (call ${at})`;
      const crowd = makeCrowd(3);
      await begin(crowd);
      await act(crowd, crashing(at)).catch(() => undefined);
      const { run, outcomes } = await undo(crowd, alone);
      expect([where, standing(crowd)]).toEqual([where, crowd.workers]);
      // A second undo reports every lock as restored already.
      if (run === null) continue;
      const again = await undoReleases(run, { townRoot: crowd.root, calls: alone, guardTimeoutMs: 0 });
      expect([where, again.outcomes.map(({ worker, status }) => [worker, status])]).toEqual([
        where,
        outcomes.map(({ worker }) => [worker, 'already']),
      ]);
      crowd.remove();
    }
  }, 240_000);

  test.each([
    { disk: 'a disk', base: alone },
    { disk: 'a disk without hard links', base: withoutLinks('EPERM') },
  ])(
    'loses nothing on a fault at any system call on $disk',
    async ({ base }) => {
      const rehearsal = makeCrowd(2);
      await begin(rehearsal);
      const names = await listCalls((tap) => act(rehearsal, tap), base);
      if (base !== alone && !names.includes('link')) return; // no different from the other disk
      let refused = 0;
      for (const [at, name] of names.entries()) {
        for (const fault of FAULTS) {
          if (fault === 'short' && name !== 'write') continue;
          const where = `${fault} at ${name} (call ${at})`;
          const crowd = makeCrowd(2);
          await begin(crowd);
          const openBefore = openDescriptors();
          const told = await act(crowd, failing(at, fault, base)).catch((error: unknown) => error);
          // A descriptor whose close fails stays open because of the injection.
          if (name !== 'close') expect([where, openDescriptors()]).toEqual([where, openBefore]);
          const outcomes = Array.isArray(told) ? told : [];
          // Each lock has an outcome, which is what happened to it.
          for (const [index, outcome] of outcomes.entries()) {
            expect([where, typeof outcome?.status]).toEqual([where, 'string']);
            const isLocked = existsSync(lockOf(crowd, `w${index}`));
            if (outcome?.status === 'fixed') expect([where, isLocked]).toEqual([where, false]);
            else refused += 1;
          }
          expectKept(where, crowd);
          await expectUndoable(where, crowd);
          crowd.remove();
        }
      }
      if (act === release) expect(refused).toBeGreaterThan(30);
    },
    240_000,
  );
});

describe('a process that is killed', () => {
  let out = '';

  beforeAll(async () => {
    out = mkdtempSync(join(realpathSync(tmpdir()), 'dying-'));
    await build({
      entryPoints: [join(import.meta.dirname, '../lock/support/dying.ts')],
      outfile: join(out, 'dying.mjs'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      external: ['execa'],
      logLevel: 'error',
    });
  });

  afterAll(() => rmSync(out, { recursive: true, force: true }));

  /** True if it was killed, false if it ended first. */
  const killAt = async (at: number): Promise<boolean> => {
    const crowd = makeCrowd(5);
    const { child } = await startProcess(process.execPath, [
      join(out, 'dying.mjs'),
      crowd.root,
      'fix-many',
      String(at),
    ]);
    await until(() => child.exitCode !== null || child.signalCode !== null, 'the end of a process', 60_000);
    if (child.exitCode !== 0) expect([at, child.signalCode]).toEqual([at, 'SIGKILL']);
    const where = `after call ${at}`;
    expectKept(where, crowd);
    await expectUndoable(where, crowd);
    crowd.remove();
    return child.signalCode === 'SIGKILL';
  };

  test('in the middle of five releases leaves each lock in place or restorable', async () => {
    // Every seventh call only: the simulated deaths above cover all of them.
    let at = 0;
    for (let ended = false; !ended; ) {
      const batch = await Promise.all([0, 7, 14, 21].map((offset) => killAt(at + offset)));
      ended = batch.includes(false);
      at += 7 * batch.filter(Boolean).length;
    }
    expect(at).toBeGreaterThan(100);
  }, 240_000);
});
