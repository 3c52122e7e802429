import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { Failure } from '../../src/core/failure.ts';
import { errnoOf } from '../../src/io/errno.ts';
import { LockError } from '../../src/lock/errors.ts';
import { lifeNow } from '../../src/lock/identity.ts';
import { cleanUp } from '../support/clean-up.ts';
import { FOREIGN, lockFileAt, makeScene, type Scene } from './support/bench-scene.ts';
import { OPERATIONS, repair } from './support/operations.ts';
import { alone, FAULTS, failing, listCalls, withoutLinks } from './support/tapped-calls.ts';

// Thousands of runs, on a busy machine too.
jest.setTimeout(240_000);

/** The lock at its place names this very process. */
function isClaimed({ lock }: Scene): boolean {
  const { content } = lockFileAt(lock);
  const holder = content.kind === 'record' ? content.record.holder : null;
  return holder !== null && lifeNow(holder) === 'alive';
}

/** `tmpfs` as it is, and as FAT is: without hard links (injected). */
const DISKS = [
  { disk: 'a disk', calls: alone },
  { disk: 'a disk without hard links', calls: withoutLinks('EPERM') },
];
const CASES = DISKS.flatMap((disk) => OPERATIONS.map((operation) => ({ ...disk, ...operation })));

describe.each(CASES)('$name on $disk', ({ begin, stake, stays, takes, orElse, calls }) => {
  afterEach(cleanUp);

  test('with a fault at any system call never loses a lock, never claims one, and says what is wrong', async () => {
    const rehearsal = makeScene();
    const names = await listCalls(await begin(rehearsal), calls);
    expect(names.length).toBeGreaterThan(5);
    if (calls !== alone && !names.includes('link')) return; // nothing is different there
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
        // Taken is what was said to be taken, nothing else.
        if (takes) expect([where, isClaimed(scene)]).toEqual([where, outcome === 'done']);
        // The next run, on a disk that works again, tidies up.
        expect([where, await repair(scene, alone)]).toEqual([where, 'done']);
        // Where the lock was not replaced yet, the one it would have been replaced by is not at stake yet either.
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
