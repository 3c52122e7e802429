import { readdirSync, utimesSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import { heal } from '../../src/heal.ts';
import { cleanUp, makeTown, type TestTown } from '../support/index.ts';

const WORKER = 'gastown/crew/ada';

/** Puts files beside a lock that is not there; `ageSeconds` may lie in the future. */
const leave = (town: TestTown, names: readonly string[], ageSeconds = 600): void => {
  for (const name of names) {
    const path = town.write(`${WORKER}/.runtime/${name}`, '');
    const atSeconds = Date.now() / 1000 - ageSeconds;
    utimesSync(path, atSeconds, atSeconds);
  }
};

/** Names of the planned workers, and the findings before and after. */
const repair = async (town: TestTown) => {
  const planned: string[] = [];
  const onPlan = (plan: { readonly leftovers: readonly string[] }) => planned.push(...plan.leftovers);
  const options = { only: ['lock-debris'], sockets: ['none-of-these'] };
  const before = await heal(town.root, { ...options, dryRun: true, onPlan } as Parameters<typeof heal>[1]);
  const after = await heal(town.root, options);
  return { planned, before: before.findings.length, after: after.findings.length };
};

afterEach(cleanUp);

test('what is reported is planned, and what is planned is tidied', async () => {
  const town = makeTown();
  leave(town, ['agent.lock.0123456789abcdef.new', 'agent.lock.tmp']);
  expect(await repair(town)).toEqual({ planned: [WORKER], before: 2, after: 0 });
  expect(readdirSync(town.path(WORKER, '.runtime'))).toEqual(['agent.lock.flock']);
});

test('a file of another tool that merely looks like ours is no finding, and is not touched', async () => {
  const town = makeTown();
  const strangers = [
    'agent.lock.1f.new',
    'agent.lock.0123456789ABCDEF.old',
    'agent.lock.backup.old',
    'agent.lock.new',
    'agent.lock.released-mine',
    'agent.lock.tmp.old',
  ].sort();
  leave(town, strangers);
  expect(await repair(town)).toEqual({ planned: [], before: 0, after: 0 });
  expect(readdirSync(town.path(WORKER, '.runtime')).sort()).toEqual(strangers);
});

test("another tool's staged file of the future was abandoned like an old one", async () => {
  const town = makeTown();
  leave(town, ['agent.lock.tmp'], -3600);
  expect(await repair(town)).toEqual({ planned: [WORKER], before: 1, after: 0 });
});

test("another tool's staged file that is being written is neither reported nor offered", async () => {
  const town = makeTown();
  leave(town, ['agent.lock.tmp'], 0);
  expect(await repair(town)).toEqual({ planned: [], before: 0, after: 0 });
});
