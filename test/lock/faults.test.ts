import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { Failure } from '../../src/core/failure.ts';
import { errnoOf } from '../../src/io/errno.ts';
import { LockError } from '../../src/lock/errors.ts';
import { lifeNow } from '../../src/lock/identity.ts';
import { cleanUp } from '../support/clean-up.ts';
import { FOREIGN, lockFileAt, makeScene, type Scene } from './support/bench-scene.ts';
import { OPERATIONS, repair } from './support/operations.ts';
import { alone, FAULTS, failing, listCalls, withoutLinks } from './support/tapped-calls.ts';

// Thousands of runs, on busy machines too.
jest.setTimeout(240_000);

/** The lock in its place names this process. */
const isClaimed = ({ lock }: Scene): boolean => {
  const { content } = lockFileAt(lock);
  const holder = content.kind === 'record' ? content.record.holder : null;
  return holder !== null && lifeNow(holder) === 'alive';
};

/** `tmpfs` as it is, and without hard links, like FAT (injected). */
const DISKS = [
  { disk: 'a disk', calls: alone },
  { disk: 'a disk without hard links', calls: withoutLinks('EPERM') },
];
const CASES = DISKS.flatMap((disk) => OPERATIONS.map((operation) => ({ ...disk, ...operation })));

describe.each(CASES)('$name on $disk', ({ begin, stake, stays, takes, orElse, calls }) => {
  afterEach(cleanUp);

  test('never loses or claims a lock after a fault at any system call, and reports the fault', async () => {
    const rehearsal = makeScene();
    const names = await listCalls(await begin(rehearsal), calls);
    if (calls !== alone && !names.includes('link')) return; // no different from the other disk
    let refused = 0;
    for (const [at, name] of names.entries()) {
      for (const fault of FAULTS) {
        if (fault === 'short' && name !== 'write') continue;
        const where = `${fault} at ${name} (call ${at})`;
        const scene = makeScene();
        const run = await begin(scene);
        const outcome = await run(failing(at, fault, calls)).catch((error: unknown) => error);
        if (outcome !== 'done') {
          refused += 1;
          const isExpected =
            outcome instanceof LockError || outcome instanceof Failure || errnoOf(outcome) === fault;
          const reason = isExpected ? (outcome as Error).message : outcome;
          expect([where, typeof reason === 'string' && reason.length > 3]).toEqual([where, true]);
        }
        // The lock is taken only if that was reported.
        if (takes) expect([where, isClaimed(scene)]).toEqual([where, outcome === 'done']);
        // The next run, on a disk that works again, cleans up.
        expect([where, await repair(scene, alone)]).toEqual([where, 'done']);
        // If the lock was not replaced yet, its replacement is not at stake yet either.
        const atStake = scene.keeps(FOREIGN) ? FOREIGN : stake;
        if (atStake !== null) expect([where, scene.keeps(atStake)]).toEqual([where, true]);
        if (stays) expect([where, scene.text()]).toEqual([where, atStake]);
        if (outcome !== 'done' && orElse !== undefined)
          expect([where, scene.text()]).toEqual([where, orElse]);
        expect([where, scene.names().filter((each) => /\.(new|old|tmp)$/.test(each))]).toEqual([where, []]);
        scene.remove();
      }
    }
    expect(refused).toBeGreaterThan(5);
  });
});
