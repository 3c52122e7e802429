/** `explain WORKER` over machines: each lock with the machine that judged it, and commands that run on that one. */
import { expect, test } from '@jest/globals';
import { pageOfPlaces } from '../../../src/cli/words/machines-page.ts';
import { mergeSightings } from '../../../src/core/fleet/merge-sightings.ts';
import { examineSnapshot } from '../../../src/core/judge/examine.ts';
import type { TownSeen } from '../../../src/fleet/examine-fleet.ts';
import { createPen } from '../../../src/reporters/screen/style.ts';
import { reportOf, SCREEN } from '../../reporters/reports.ts';
import { absent, aLock, aSnapshot, HOUR, NOW, ROOT } from '../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const LEGACY = {
  id: `agent:${ADA}#legacy`,
  layout: 'legacy',
  path: `${ROOT}/${ADA}/.gastown/agent.lock`,
} as const;

/** A town that east and west share; each has taken one of the worker's locks, and both holders are gone. */
const pageOf = async (takers: readonly [string, string]): Promise<string> => {
  const [runtime, legacy] = takers;
  const locks = [
    aLock(ADA, { sessionId: '', hostname: runtime }),
    aLock(ADA, { sessionId: '', hostname: legacy, acquiredAtMs: NOW - 9 * HOUR }, LEGACY),
  ];
  const seenFrom = (hostname: string) => {
    const base = aSnapshot({ locks, lookups: [absent(4242)] });
    const host = { ...base.machine.host, hostname, bootId: `boot of ${hostname}` };
    const examination = examineSnapshot({ ...base, machine: { ...base.machine, host } });
    return { machine: hostname, isHere: false, names: [hostname], examination };
  };
  const { examination, seenBy } = mergeSightings([seenFrom('east'), seenFrom('west')], []);
  const report = reportOf({ locks });
  const view: TownSeen = {
    name: 'east',
    root: ROOT,
    report,
    workers: null,
    diagnosis: null,
    seenBy,
    roots: new Map(),
    commandThere: (machine, argv) => [...argv, '--on', machine],
  };
  return (await pageOfPlaces([{ view, examination, worker: ADA }], report, createPen(SCREEN), {})).text;
};

test('names for each of two locks the machine that judged it, and has its command run there', async () => {
  const page = await pageOf(['east', 'west']);
  expect(page.match(/doctor --fix .*/g)).toEqual([
    expect.stringMatching(/--on east$/),
    expect.stringMatching(/--on west$/),
  ]);
  expect(page).toMatch(/\.runtime\/agent\.lock is seen on: east, west; judged by east\.\n/);
  expect(page).toMatch(/\.gastown\/agent\.lock is seen on: east, west; judged by west\.\n/);
});

test('names the machine once where it judged both', async () => {
  const page = await pageOf(['west', 'west']);
  expect(page.match(/--on west$/gm)).toHaveLength(2);
  expect(page).toMatch(/\nSeen on: east, west; judged by west\.\n$/);
});
