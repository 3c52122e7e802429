import { existsSync, readdirSync, readFileSync, renameSync, utimesSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Plan } from '../../src/core/plan.ts';
import { heal } from '../../src/heal.ts';
import { builtInTable } from '../../src/kinds-of.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { cleanUp, makeTown, type TestTown } from '../support/index.ts';

const WORKER = 'gastown/crew/ada';

/** Writes files beside a missing lock; a negative `ageSeconds` puts them into the future. */
const leave = (town: TestTown, names: readonly string[], ageSeconds = 600): void => {
  for (const name of names) {
    const path = town.write(`${WORKER}/.runtime/${name}`, '');
    const atSeconds = Date.now() / 1000 - ageSeconds;
    utimesSync(path, atSeconds, atSeconds);
  }
};

/** The workers that the plan cleans up, and the number of findings before and after. */
const repair = async (town: TestTown) => {
  const planned: string[] = [];
  const onPlan = (plan: { readonly leftovers: readonly string[] }) => planned.push(...plan.leftovers);
  const options = { only: ['lock-debris'], sockets: ['none-of-these'] };
  const before = await heal(town.root, { ...options, dryRun: true, onPlan } as Parameters<typeof heal>[1]);
  const after = await heal(town.root, options);
  return { planned, before: before.findings.length, after: after.findings.length };
};

afterEach(cleanUp);

test('every reported leftover is planned, and every planned one is cleaned up', async () => {
  const town = makeTown();
  leave(town, ['agent.lock.0123456789abcdef.new', 'agent.lock.tmp']);
  expect(await repair(town)).toEqual({ planned: [WORKER], before: 2, after: 0 });
  expect(readdirSync(town.path(WORKER, '.runtime'))).toEqual(['agent.lock.flock']);
});

test('a file of another tool that only looks similar is neither reported nor touched', async () => {
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

test("another tool's staged file from the future is abandoned, like an old one", async () => {
  const town = makeTown();
  leave(town, ['agent.lock.tmp'], -3600);
  expect(await repair(town)).toEqual({ planned: [WORKER], before: 1, after: 0 });
});

test("another tool's staged file that may still be written is neither reported nor planned", async () => {
  const town = makeTown();
  leave(town, ['agent.lock.tmp'], 0);
  expect(await repair(town)).toEqual({ planned: [], before: 0, after: 0 });
});

describe('a lock that a killed run moved aside', () => {
  const ASIDE = 'agent.lock.0123456789abcdef.old';

  const moveAside = (town: TestTown, pid?: number): string => {
    const lock = town.lock(WORKER, pid === undefined ? {} : { pid }, { ageSeconds: 600 });
    renameSync(lock, lock.replace('agent.lock', ASIDE));
    return lock;
  };
  const options = { sockets: ['none-of-these'] };

  test('is restored, judged and released by one run, which undo reverts', async () => {
    const town = makeTown();
    const lock = moveAside(town);
    const bytes = readFileSync(lock.replace('agent.lock', ASIDE), 'utf8');
    const report = await heal(town.root, options);
    expect(report).toMatchObject({ exitCode: 0, summary: { locks: 0, fixed: 1 } });
    expect(report.findings).toMatchObject([{ check: 'stale-lock', fix: { status: 'fixed' } }]);
    expect(existsSync(lock)).toBe(false);
    await undoReleases(report.undo?.[2] ?? '', { townRoot: town.root, table: builtInTable() });
    expect(readFileSync(lock, 'utf8')).toBe(bytes);
  });

  test('is restored and left in place if its holder is alive', async () => {
    const town = makeTown();
    const lock = moveAside(town, process.pid);
    const report = await heal(town.root, options);
    expect(report).toMatchObject({ summary: { held: 1, fixed: 0 }, undo: null });
    expect(existsSync(lock)).toBe(true);
  });

  test('is not released by --force for a worker whose lock nobody had seen yet', async () => {
    const town = makeTown();
    const lock = moveAside(town, process.pid);
    await heal(town.root, { ...options, force: true, workers: [WORKER] });
    expect(existsSync(lock)).toBe(true);
  });

  test('needs another consent once it is restored; without it, it stays in place', async () => {
    const town = makeTown();
    const lock = moveAside(town);
    const asked: (readonly string[])[] = [];
    const consent = async ({ steps, leftovers }: Plan) => {
      asked.push([...leftovers, ...steps.map(({ verdict }) => verdict.lock.id)]);
      return steps.length === 0 ? [] : null;
    };
    const report = await heal(town.root, { ...options, consent });
    expect(asked).toEqual([[WORKER], [`agent:${WORKER}`]]);
    expect(report.summary).toMatchObject({ stale: 1, fixed: 0 });
    expect(existsSync(lock)).toBe(true);
  });

  test('is left alone by a dry run, and if consent is refused', async () => {
    const town = makeTown();
    moveAside(town);
    await heal(town.root, { ...options, dryRun: true });
    await heal(town.root, { ...options, consent: async () => null });
    expect(readdirSync(town.path(WORKER, '.runtime'))).toEqual([ASIDE]);
  });
});
