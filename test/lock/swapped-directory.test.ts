/**
 * Work on a lock's directory cannot be redirected, neither by a swap of its name nor by the owners of its parents.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { chmodSync, constants, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { raceSwap, whyNoRace } from '../stress/swap-race.ts';
import { cleanUp, onCleanUp } from '../support/index.ts';
import { makeScene } from './support/bench-scene.ts';
import { OPERATIONS } from './support/operations.ts';
import { alone, tapped } from './support/tapped-calls.ts';

afterEach(cleanUp);

const onLinux = process.platform === 'linux' ? describe : describe.skip;

onLinux('work through an opened directory (Linux)', () => {
  test.each(OPERATIONS)('changes nothing by name: $name', async ({ begin }) => {
    const scene = makeScene();
    const run = await begin(scene);
    const changed: string[] = [];
    const watching = tapped(
      {
        before: (name, _index, args) => {
          const isWrite = name === 'open' && (Number(args[1]) & constants.O_CREAT) !== 0;
          if (isWrite || name === 'mkdir' || name === 'unlink') changed.push(String(args[0]));
          if (name === 'link' || name === 'rename') changed.push(String(args[0]), String(args[1]));
          return undefined;
        },
      },
      alone,
    );
    await run(watching).catch(() => undefined);
    expect(changed.filter((path) => !path.startsWith('/proc/self/fd/'))).toEqual([]);
  });
});

const race = whyNoRace() === null ? test : test.skip;

race(
  `a swap of .runtime while root acts changes nothing elsewhere (${whyNoRace() ?? 'as root'})`,
  async () => {
    const home = mkdtempSync(join(realpathSync(tmpdir()), 'swap-'));
    onCleanUp(() => rmSync(home, { recursive: true, force: true }));
    chmodSync(home, 0o755);
    const outcome = await raceSwap(home, join(import.meta.dirname, '../stress/swap.c'), 3000);
    expect(outcome).toMatchObject({ elsewhere: [], errors: [] });
    expect(outcome.through).toBeGreaterThan(0);
  },
  30_000,
);
