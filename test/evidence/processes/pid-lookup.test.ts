import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { lookUpPid } from '../../../src/evidence/processes/pid-lookup.ts';
import { readProcessTable } from '../../../src/evidence/processes/processes.ts';
import {
  asOtherUser,
  canBecomeOthers,
  cleanUp,
  deadPid,
  hasCompiler,
  startProcess,
  startZombie,
  startZombieLeader,
  THIRD_UID,
} from '../../support/index.ts';

const linux = process.platform === 'linux';
const onLinux = linux ? test : test.skip;
const asRoot = canBecomeOthers ? test : test.skip;

const ask = async (pid: number) => {
  const { row, ...answer } = lookUpPid(pid, await readProcessTable());
  return { ...answer, known: row !== null };
};

describe('the lookup of a PID', () => {
  afterEach(cleanUp);

  test('finds a live process', async () => {
    const { pid } = await startProcess('sleep', ['600']);
    expect(await ask(pid)).toEqual({ pid, answer: 'exists', signalable: true, known: true, why: null });
  });

  test('does not find a dead one, before or after the listing', async () => {
    expect(await ask(deadPid())).toMatchObject({ answer: 'absent', signalable: false });
    const { pid, stop } = await startProcess('sleep', ['600']);
    const table = await readProcessTable();
    await stop();
    expect(lookUpPid(pid, table)).toMatchObject({ answer: 'absent', signalable: false, row: null });
  });

  test('finds a live process that is younger than the listing', async () => {
    const table = await readProcessTable();
    const { pid } = await startProcess('sleep', ['600']);
    if (linux) expect(lookUpPid(pid, table).row).toMatchObject({ pid, comm: 'sleep' });
    expect(lookUpPid(pid, table).answer).toBe('exists');
  });

  test.each([0, -1, -2859670, 1.5, Number.NaN, 2 ** 31, 2 ** 53, Number.POSITIVE_INFINITY])(
    'never passes %d to the system',
    async (pid) => {
      expect(await ask(pid)).toEqual({ pid, answer: 'absent', signalable: false, known: false, why: null });
    },
  );

  onLinux('reports a zombie as such (skipped without /proc)', async () => {
    expect(await ask(await startZombie())).toMatchObject({ answer: 'zombie', signalable: true, known: true });
  });

  (linux && hasCompiler ? test : test.skip)(
    'finds a process whose leading thread has ended (skipped without /proc or cc)',
    async () => {
      expect(await ask(await startZombieLeader())).toMatchObject({ answer: 'exists', signalable: true });
    },
  );

  onLinux('reports the ID of a thread as such (skipped without /proc)', async () => {
    const thread = readdirSync('/proc/self/task')
      .map(Number)
      .find((id) => id !== process.pid);
    expect(await ask(thread ?? 0)).toMatchObject({ answer: 'thread', signalable: true, known: false });
  });

  asRoot("finds another user's process, which it may not signal (skipped without root)", async () => {
    const { pid } = await startProcess('sleep', ['600'], { uid: THIRD_UID });
    expect(await asOtherUser(() => ask(pid))).toEqual({
      ...{ pid, answer: 'exists', signalable: false, why: null },
      known: linux,
    });
  });
});
