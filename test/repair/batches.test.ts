/** A batch of releases does to each lock what a single release would do, at a fraction of the cost. */
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ReleaseOutcome } from '../../src/core/report/report.ts';
import { openTown } from '../../src/diagnose.ts';
import { type SystemCalls, systemCalls } from '../../src/io/disk/system-calls.ts';
import { lockFilesIn, makeRunId } from '../../src/lock/files/names.ts';
import { findFlockTools } from '../../src/lock/guard/flock-tool.ts';
import { takeGuard } from '../../src/lock/guard/take-guard.ts';
import { startTokenOf } from '../../src/lock/identity.ts';
import { applyReleases } from '../../src/repair/apply.ts';
import { readJournal } from '../../src/repair/read-journal.ts';
import { secondLook } from '../../src/repair/second-look.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { cleanStaleLocks, examineTown } from '../../src/town-locks.ts';
import { flockElsewhere } from '../lock/support/flock-elsewhere.ts';
import { type CallName, tapped } from '../lock/support/tapped-calls.ts';
import { quickJudge } from '../stress/quick-judge.ts';
import { cleanUp, fakeAgent, makeTown, type TestTown, until } from '../support/index.ts';
import { isLocked, releaseAll, statuses, stepsFor, townWithLocks, workerAt } from './many-locks.ts';

afterEach(cleanUp);

const ALL = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

/** How often `run` makes each system call. */
const counting = async (
  run: (calls: SystemCalls) => Promise<unknown>,
): Promise<ReadonlyMap<CallName, number>> => {
  const counts = new Map<CallName, number>();
  const before = (name: CallName): undefined => void counts.set(name, (counts.get(name) ?? 0) + 1);
  await run(tapped({ before }));
  return counts;
};

const sum = (counts: ReadonlyMap<CallName, number>): number =>
  [...counts.values()].reduce((total, count) => total + count, 0);

describe('a batch', () => {
  test('takes one program for all guards, two syncs of the journal, and few calls for each lock', async () => {
    const [few, many] = [townWithLocks(20), townWithLocks(60)];
    const released = [];
    const restored = [];
    for (const town of [few, many]) {
      const steps = await stepsFor(town);
      released.push(await counting((calls) => releaseAll(town, { steps, calls })));
      restored.push(await counting((calls) => undoReleases(null, { townRoot: town.root, calls })));
      expect(ALL(steps.length).every((index) => isLocked(town, index))).toBe(true);
    }
    for (const counts of [...released, ...restored]) expect(counts.get('runWith')).toBe(1);
    // The first release of a town creates the journal's directory, which is synced too.
    expect(released.map((counts) => counts.get('fsync'))).toEqual([3, 3]);
    expect(restored.map((counts) => counts.get('fsync'))).toEqual([2, 2]);
    const perLock = ([one, other]: readonly ReadonlyMap<CallName, number>[]): number =>
      (sum(other ?? new Map()) - sum(one ?? new Map())) / 40;
    expect(perLock(released)).toBeLessThanOrEqual(34);
    expect(perLock(restored)).toBeLessThanOrEqual(34);
  });

  test('takes one look at all locks', async () => {
    const town = townWithLocks(50);
    const examination = await examineTown(town.root);
    let looks = 0;
    const judge = secondLook(examination, { ...(await openTown(town.root, {})), wantsToStart: false });
    const outcomes: ReleaseOutcome[] = [];
    await applyReleases(await stepsFor(town), makeRunId(Date.now()), {
      townRoot: town.root,
      judge: (steps) => {
        looks += 1;
        return judge(steps);
      },
      onOutcome: (_step, outcome) => outcomes.push(outcome),
    });
    expect(looks).toBe(1);
    expect(statuses(outcomes)).toEqual(ALL(50).map(() => 'fixed'));
  });
});

/** Everything below a town except the journal and the guards: names, types and sizes. */
const contents = (town: TestTown): readonly string[] =>
  execFileSync('find', [town.root, '-name', '.git', '-prune', '-o', '-printf', '%y %P\n'], {
    encoding: 'utf8',
  })
    .split('\n')
    .filter((line) => /\.(runtime|gastown)/.test(line) && !/lock-doctor|\.flock$/.test(line))
    .map((line) => {
      const [type, path = ''] = line.split(' ');
      return `${line} ${type === 'f' ? readFileSync(town.path(path), 'utf8').length : ''}`;
    })
    .sort();

const withoutPlace = (text: string | null, { root }: TestTown, run: string): string =>
  (text ?? '')
    .replaceAll(root, 'TOWN')
    .replaceAll(run, 'RUN')
    .replace(/\d+ (ms|s)\b/g, 'N $1');

/** One worker of each sort, and what happens to it between diagnosis and release. */
const SORTS: readonly {
  readonly sort: string;
  readonly make: (town: TestTown, name: string) => unknown;
  readonly since?: (town: TestTown, name: string) => unknown;
}[] = [
  { sort: 'dead', make: (town, name) => town.lock(name, { session_id: '', nonce: name }) },
  { sort: 'dead, with a pane', make: (town, name) => town.lock(name, { session_id: '%7', nonce: name }) },
  { sort: 'damaged', make: (town, name) => town.lock(name, 'nonsense', { ageSeconds: 60 }) },
  { sort: 'damaged and young', make: (town, name) => town.lock(name, '{', { ageSeconds: 5 }) },
  {
    sort: 'at the old place',
    make: (town, name) => town.lock(name, { nonce: name }, { at: '.gastown/agent.lock' }),
  },
  {
    sort: 'replaced since',
    make: (town, name) => town.lock(name, { session_id: '', nonce: name }),
    since: (town, name) => town.lock(name, { session_id: '', nonce: 'another' }),
  },
  {
    sort: 'removed since',
    make: (town, name) => town.lock(name, { session_id: '', nonce: name }),
    since: (town, name) => rmSync(town.path(name, '.runtime/agent.lock')),
  },
  {
    sort: 'without its directory since',
    make: (town, name) => town.lock(name, { session_id: '', nonce: name }),
    since: (town, name) => rmSync(town.path(name), { recursive: true }),
  },
  {
    sort: 'behind a symlink since',
    make: (town, name) => town.lock(name, { session_id: '', nonce: name }),
    since: (town, name) => {
      renameSync(town.path(name), town.path(`${name}-moved`));
      symlinkSync(town.path(`${name}-moved`), town.path(name));
    },
  },
  {
    sort: 'with an agent at work since',
    make: (town, name) => town.lock(name, { session_id: '', nonce: name }),
    since: (town, name) => fakeAgent('claude', { cwd: town.path(name) }),
  },
  {
    sort: 'tracked by git since',
    make: (town, name) => town.lock(name, { session_id: '', nonce: name }),
    since: (town, name) => {
      execFileSync('git', ['-C', town.path(name), 'init', '-q']);
      execFileSync('git', ['-C', town.path(name), 'add', '-f', '.runtime/agent.lock']);
    },
  },
  {
    sort: 'with a directory in place of its guard',
    make: (town, name) => {
      town.lock(name, { session_id: '', nonce: name });
      mkdirSync(town.path(name, '.runtime/agent.lock.flock'));
    },
  },
  {
    sort: 'with a symlink in place of its guard',
    make: (town, name) => {
      town.lock(name, { session_id: '', nonce: name });
      symlinkSync(town.path('elsewhere'), town.path(name, '.runtime/agent.lock.flock'));
    },
  },
  {
    sort: 'beside the leftovers of a killed run',
    make: (town, name) => {
      town.lock(name, { session_id: '', nonce: name });
      town.write(`${name}/.runtime/agent.lock.0123456789abcdef.new`, 'half');
    },
  },
  {
    sort: 'above a dead lock of another worker',
    make: (town, name) => {
      town.lock(name, { session_id: '', nonce: name });
      town.lock(`${name}/inside`, { session_id: '', nonce: `${name} inside` });
    },
  },
  {
    sort: 'a copy',
    make: (town, name) => town.lock(name, '{"pid":4194305,"acquired_at":"2026-01-01T00:00:00Z"}'),
  },
  {
    sort: 'its original',
    make: (town, name) => town.lock(name, '{"pid":4194305,"acquired_at":"2026-01-01T00:00:00Z"}'),
  },
];

describe('in a batch', () => {
  test('every sort of lock has the same outcome and message as alone', async () => {
    const told = [];
    for (const together of [false, true]) {
      const town = makeTown();
      const names = new Map(SORTS.map(({ sort }, index) => [workerAt(index), sort]));
      for (const [index, { make }] of SORTS.entries()) make(town, workerAt(index));
      const examination = await examineTown(town.root);
      const steps = (await stepsFor(town)).map(
        (step) => ({ ...step, state: step.state === 'held' ? 'stale' : step.state }) as const,
      );
      for (const [index, { since }] of SORTS.entries()) await since?.(town, workerAt(index));
      const run = makeRunId(Date.now());
      const outcomes = new Map<string, string>();
      const place = await openTown(town.root, {});
      const release = (some: typeof steps): Promise<void> =>
        applyReleases(some, run, {
          townRoot: town.root,
          guardTimeoutMs: 50,
          judge: secondLook(examination, { ...place, wantsToStart: false }),
          onOutcome: ({ lock }, { status, reason }) => {
            const sort = names.get(lock.worker) ?? lock.worker;
            outcomes.set(sort, `${status}: ${withoutPlace(reason, town, run)}`);
          },
        });
      if (together) await release(steps);
      else for (const step of steps) await release([step]);
      expect(outcomes.size).toBe(SORTS.length + 1);
      told.push({
        outcomes: Object.fromEntries([...outcomes].sort()),
        files: contents(town).map((line) => withoutPlace(line, town, run)),
      });
      const { outcomes: back } = await undoReleases(run, { townRoot: town.root });
      const fixed = [...outcomes.values()].filter((outcome) => outcome.startsWith('fixed')).length;
      expect(back.filter(({ status }) => status === 'restored')).toHaveLength(fixed);
      expect(fixed).toBeGreaterThan(6);
      await cleanUp();
    }
    const [alone, together] = told;
    expect(together).toEqual(alone);
  });

  test('the failure of one lock does not affect the others, whichever call fails', async () => {
    for (const failing of ['rename', 'list', 'lstat', 'link', 'fstat', 'pathOf'] as const) {
      const town = townWithLocks(6);
      const steps = await stepsFor(town);
      const calls: SystemCalls = {
        ...systemCalls,
        [failing]: (...args: never[]) => {
          const at = String(args[0]).startsWith('/') ? String(args[0]) : null;
          const place = at ?? systemCalls.pathOf(args[0] as unknown as number) ?? '';
          const real = place.replace(
            /^\/proc\/self\/fd\/(\d+)/,
            (_, descriptor: string) => systemCalls.pathOf(Number(descriptor)) ?? '',
          );
          if (real.includes(workerAt(3))) {
            if (failing === 'pathOf') return '/somewhere/else';
            throw Object.assign(new Error('EIO: injected'), { code: 'EIO' });
          }
          return (systemCalls[failing] as (...all: never[]) => unknown)(...args);
        },
      };
      const outcomes = await releaseAll(town, { steps, calls });
      const expected = ALL(6).map((index) =>
        index === 3 && failing !== 'link' ? expect.stringMatching(/failed|skipped/) : 'fixed',
      );
      expect([failing, ...statuses(outcomes)]).toEqual([failing, ...expected]);
      expect(isLocked(town, 3)).toBe(failing !== 'link');
    }
  });

  test('a lock that a live process has taken meanwhile is not released', async () => {
    const town = townWithLocks(4);
    const agent = await fakeAgent('claude');
    const steps = await stepsFor(town);
    const token = await startTokenOf(agent.pid);
    expect(token).not.toBeNull();
    town.lock(workerAt(2), { pid: agent.pid, session_id: '', nonce: 'x' });
    const path = town.path(workerAt(2), '.runtime/agent.lock');
    const { ino } = lstatSync(path);
    const outcomes = await releaseAll(town, { steps });
    expect(statuses(outcomes)).toEqual(['fixed', 'fixed', 'changed', 'fixed']);
    expect(lstatSync(path).ino).toBe(ino);
  });
});

describe('the guards of a batch', () => {
  test('a busy one is taken last, and no other is held while waiting for it', async () => {
    const town = townWithLocks(5);
    const steps = await stepsFor(town);
    const place = (index: number) => lockFilesIn(town.path(workerAt(index), '.runtime'));
    const theirs = await takeGuard(place(2));
    expect(theirs.kind).toBe('held');
    const releasing = releaseAll(town, { steps, guardTimeoutMs: 60_000 });
    await until(() => [0, 1, 3, 4].every((index) => !isLocked(town, index)), 'the release of the others');
    for (const index of [0, 1, 3, 4]) {
      const free = await until(async () => {
        const taken = await takeGuard(place(index), { guardTimeoutMs: 0 });
        return taken.kind === 'held' ? taken.guard : false;
      }, 'a released guard');
      free.letGo();
    }
    expect(isLocked(town, 2)).toBe(true);
    if (theirs.kind === 'held') theirs.guard.letGo();
    expect(statuses(await releasing)).toEqual(ALL(5).map(() => 'fixed'));
  });

  test('those that other processes keep are waited for in turn, and given up at their deadline', async () => {
    const town = townWithLocks(4);
    const steps = await stepsFor(town);
    const guards = [1, 2].map((index) => `${town.path(workerAt(index), '.runtime')}/agent.lock.flock`);
    for (const guard of guards) writeFileSync(guard, '');
    const [first = '', second = ''] = guards;
    const holders = await Promise.all([flockElsewhere(first), flockElsewhere(second)]);
    const outcomes = await releaseAll(town, { steps });
    expect(statuses(outcomes)).toEqual(['fixed', 'skipped', 'skipped', 'fixed']);
    expect(outcomes[1]?.reason).toMatch(/^somebody else is changing it: waited \d+ ms$/);
    for (const holder of holders) await holder.stop();
    expect(statuses(await releaseAll(town))).toEqual(['fixed', 'fixed']);
  });

  test.each([
    ['a few descriptors', { openFilesLimit: () => systemCalls.list('/proc/self/fd').length + 64 + 9 }, 4],
    ['an unknown limit', { openFilesLimit: () => null }, 1],
    ['no descriptor to spare', { openFilesLimit: () => 3 }, 10],
  ])('with %s the batches are smaller, and everything is released', async (_what, calls, atLeast) => {
    const town = townWithLocks(10);
    const steps = await stepsFor(town);
    const counts = await counting((tap) =>
      releaseAll(town, { steps, calls: { ...tap, ...calls } }).then((outcomes) =>
        expect(statuses(outcomes)).toEqual(ALL(10).map(() => 'fixed')),
      ),
    );
    expect(counts.get('runWith')).toBeGreaterThanOrEqual(atLeast);
  });

  test('one that cannot be opened for lack of descriptors is tried again once others are released', async () => {
    const town = townWithLocks(6);
    const steps = await stepsFor(town);
    let opened = 0;
    const calls: SystemCalls = {
      ...systemCalls,
      open: (path, flags, mode) => {
        if (path.endsWith('agent.lock.flock') && ++opened === 4)
          throw Object.assign(new Error('EMFILE: injected'), { code: 'EMFILE' });
        return systemCalls.open(path, flags, mode);
      },
    };
    expect(statuses(await releaseAll(town, { steps, calls }))).toEqual(ALL(6).map(() => 'fixed'));
  });

  test.each([
    ['perl', ['perl'], 1],
    ['flock and a shell', ['flock'], 1],
    ['flock, once per lock', ['flock'], 6],
  ])('are locked by %s', async (what, names, programs) => {
    const town = townWithLocks(6);
    const steps = await stepsFor(town);
    const found = findFlockTools(systemCalls, '').filter(({ program }) =>
      names.some((name) => program.endsWith(`/${name}`)),
    );
    expect(found).toHaveLength(1);
    const flockTools = programs === 1 ? found : found.map(({ program, args }) => ({ program, args }));
    const counts = await counting(async (calls) =>
      expect(statuses(await releaseAll(town, { steps, calls, flockTools }))).toEqual(
        ALL(6).map(() => 'fixed'),
      ),
    );
    expect([what, counts.get('runWith')]).toEqual([what, programs]);
  });

  test('without a program that can lock, each outcome says what to install', async () => {
    const town = townWithLocks(3);
    const outcomes = await releaseAll(town, { flockTools: [] });
    const refused = { status: 'skipped', reason: expect.stringContaining('util-linux') };
    expect(outcomes).toMatchObject(ALL(3).map(() => refused));
  });

  test('a program that falsely reports success releases no lock', async () => {
    const town = townWithLocks(3);
    const steps = await stepsFor(town);
    const calls: SystemCalls = { ...systemCalls, runWith: () => ({ kind: 'exited', code: 0 }) };
    expect(statuses(await releaseAll(town, { steps, calls }))).toEqual(['skipped', 'skipped', 'skipped']);
    expect(ALL(3).every((index) => isLocked(town, index))).toBe(true);
  });
});

describe('in the middle of a repair', () => {
  test('a signal ends it after the current batch: the rest is unchanged, and what was done can be undone', async () => {
    const town = townWithLocks(40);
    const steps = await stepsFor(town);
    const controller = new AbortController();
    let asked = 0;
    const outcomes = await releaseAll(town, {
      steps,
      calls: { ...systemCalls, openFilesLimit: () => null },
      signal: controller.signal,
      judge: (question) => {
        asked += 1;
        if (asked === 20) controller.abort();
        return quickJudge(question);
      },
    });
    // A batch has sixteen locks if the limit is unknown; the second batch was being judged.
    expect(statuses(outcomes)).toEqual([...Array(16).fill('fixed'), ...Array(24).fill('skipped')]);
    expect(outcomes.at(-1)?.reason).toContain('interrupted');
    expect(ALL(40).map((index) => isLocked(town, index))).toEqual(ALL(40).map((index) => index >= 16));
    const { outcomes: back } = await undoReleases(null, { townRoot: town.root });
    expect(statuses(back)).toEqual(Array(16).fill('restored'));
  });

  test('another repair may run: together they release each lock once', async () => {
    const town = townWithLocks(30);
    const steps = await stepsFor(town);
    const runs = await Promise.all(ALL(3).map(() => releaseAll(town, { steps, guardTimeoutMs: 60_000 })));
    const fixed = runs.flat().filter((outcome) => outcome?.status === 'fixed');
    expect(fixed).toHaveLength(30);
    expect(runs.flat().filter((outcome) => outcome?.status === 'changed')).toHaveLength(60);
    const begun = [...readJournal(systemCalls, town.root)].filter(
      (line) => line.kind === 'entry' && line.entry.event === 'release',
    );
    expect(begun).toHaveLength(30);
  });

  test('a journal that cannot be written prevents all releases of a batch', async () => {
    const town = townWithLocks(4);
    const steps = await stepsFor(town);
    const calls: SystemCalls = {
      ...systemCalls,
      write: () => {
        throw Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' });
      },
    };
    expect(statuses(await releaseAll(town, { steps, calls }))).toEqual(Array(4).fill('failed'));
    expect(ALL(4).every((index) => isLocked(town, index))).toBe(true);
  });
});

describe('undo of a batch', () => {
  test('restores each lock whose name is free, and reports each one', async () => {
    const town = townWithLocks(6);
    await releaseAll(town);
    town.lock(workerAt(1), { session_id: 'newer' });
    const kept = readdirSync(town.path(workerAt(4), '.runtime')).find((name) => name.includes('released'));
    rmSync(town.path(workerAt(4), '.runtime', kept ?? ''));
    const { outcomes } = await undoReleases(null, { townRoot: town.root });
    // The last release is undone first.
    expect(statuses(outcomes)).toEqual([
      'restored',
      'missing',
      'restored',
      'restored',
      'newer-lock',
      'restored',
    ]);
    expect(ALL(6).map((index) => isLocked(town, index))).toEqual([true, true, true, true, false, true]);
  });
});

test('cleanStaleLocks releases all locks of a town, and undo restores them', async () => {
  const town = townWithLocks(40);
  const cleaned = await cleanStaleLocks(town.root);
  expect(statuses(cleaned.map(({ outcome }) => outcome))).toEqual(Array(40).fill('fixed'));
  expect(cleaned.map(({ lock }) => lock.worker)).toEqual(ALL(40).map(workerAt));
  const { outcomes } = await undoReleases(null, { townRoot: town.root });
  expect(statuses(outcomes)).toEqual(Array(40).fill('restored'));
});
