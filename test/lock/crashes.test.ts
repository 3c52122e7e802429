import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { Lock } from '../../src/lock/agent-lock.ts';
import { cleanUp } from '../support/clean-up.ts';
import { FOREIGN, LIVE, makeScene, NOBODY, type Scene } from './support/bench-scene.ts';
import { judge, OPERATIONS, repair, undo } from './support/operations.ts';
import { alone, crashing, listCalls } from './support/tapped-calls.ts';

// Thousands of runs, on busy machines too.
jest.setTimeout(240_000);

/** A dying run may end in any way: only what is on the disk counts. */
const dying = async (run: () => Promise<unknown>): Promise<void> => {
  await run().catch(() => undefined);
};

/** The dead holder's lock can be taken by the next agent, which leaves nothing but kept copies behind. */
const isTakable = async (scene: Scene): Promise<boolean> => {
  const lock = new Lock(scene.worker, { calls: alone, judge, guardTimeoutMs: 0 });
  await lock.acquire();
  await lock.release();
  return scene.names().every((name) => name.startsWith('agent.lock.released-'));
};

describe.each(OPERATIONS)('$name', ({ name, begin, stake, stays }) => {
  afterEach(cleanUp);

  test('loses nothing for the next run if it dies after any system call, and its repair dies too', async () => {
    const rehearsal = makeScene(NOBODY);
    const run = await begin(rehearsal);
    const calls = await listCalls(run);
    for (const at of calls.keys()) {
      for (const repairAt of [-1, 2, 5, 8, 11, 14, 17, 20, 23].map((step) =>
        step < 0 ? step : step + (at % 3),
      )) {
        const where = `after ${calls[at]} (call ${at}), repair after call ${repairAt}`;
        const scene = makeScene(NOBODY);
        const once = await begin(scene);
        const openBefore = openDescriptors();
        await dying(() => once(crashing(at)));
        if (repairAt >= 0) await dying(() => repair(scene, crashing(repairAt)));
        expect([where, openDescriptors()]).toEqual([where, openBefore]);

        expect([where, await repair(scene, alone)]).toEqual([where, 'done']);
        const atStake = scene.keeps(FOREIGN) ? FOREIGN : stake;
        if (atStake !== null) expect([where, scene.keeps(atStake)]).toEqual([where, true]);
        if (stays) expect([where, scene.text()]).toEqual([where, atStake]);
        expect([where, scene.names().filter((each) => /\.(new|old|tmp)$/.test(each))]).toEqual([where, []]);
        // A fix that got as far as the kept copy can be undone; one that did not left the lock in its place.
        if (name === 'fix' && scene.text() === null) {
          expect([where, await undo(scene, alone), scene.text()]).toEqual([where, 'done', FOREIGN]);
        }
        if (name === 'undo')
          expect([where, await undo(scene, alone), scene.text()]).toEqual([where, 'done', FOREIGN]);
        if (scene.text() !== LIVE) expect([where, await isTakable(scene)]).toEqual([where, true]);
        scene.remove();
      }
    }
  });
});

const openDescriptors = (): number => readdirSync('/dev/fd').length;
