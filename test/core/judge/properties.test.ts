/** Properties of all towns, however odd: towns are generated at random from everything ever seen in one. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { builtInChecks } from '../../../checks/index.ts';
import { examineSnapshot } from '../../../src/core/judge/examine.ts';
import { planRepair } from '../../../src/core/plan.ts';
import { answerWithoutLocks, hasLocks } from '../../../src/core/preflight/clear-to-start.ts';
import { answerPreflight } from '../../../src/core/preflight/with-locks.ts';
import { buildReport } from '../../../src/core/report/report.ts';
import { runCheck } from '../../../src/core/run-checks.ts';
import type {
  LockFile,
  PidLookup,
  ProcessInfo,
  Snapshot,
  TmuxPane,
  TmuxServer,
} from '../../../src/core/types/evidence.ts';
import type { Examination } from '../../../src/core/types/judgement.ts';
import type { Report } from '../../../src/core/types/report.ts';
import { gitFacts, TRACKED } from '../../checks/run-on.ts';
import {
  absent,
  aLock,
  aPane,
  aProcess,
  aServer,
  aSnapshot,
  BOOT,
  HOUR,
  INITIAL_NAMESPACE,
  NOW,
  present,
  ROOT,
  withMachine,
} from '../../support/snapshot.ts';

const WORKERS = [
  'gastown/crew/ada',
  'gastown/crew/bob',
  'gastown/crew/joe',
  'gastown/polecats/joe',
  'gastown/polecats/nux',
  'gastown/polecats/nux/gastown',
  'gastown/witness',
  'jobs/build',
  '.',
];
const PIDS = [0, 4242, 4243, 4244];
const IDS = ['%1', '%2', '%3'];
const NAMES = ['gt-crew-ada', 'gt-crew-bob', 'gt-joe', 'gt-nux', 'gt-witness', 'main'];
const HOLDER = { startToken: '5000', bootId: BOOT, pidNamespace: INITIAL_NAMESPACE, nonce: 'n' };
const UNANSWERED = gitFacts({ tracked: { seen: false, why: 'dubious ownership' } });

const pick = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const worker = pick(...WORKERS);
const place = fc.oneof(
  worker.map((path) => `${ROOT}/${path}`),
  pick('/home', '/other/gastown/crew/ada'),
);
const age = pick(5000, 45_000, HOUR, 8 * HOUR, -2 * HOUR);

const record = fc
  .record({
    pid: pick(...PIDS),
    sessionId: pick(...IDS, '$1', 'gt-crew-ada', 'gastown/joe', 'main', '', '/'),
    hostname: pick('here', 'here', 'HERE.lan', '', 'elsewhere'),
    since: age,
    own: pick(false, false, true),
  })
  .map(({ pid, sessionId, hostname, since, own }) => ({
    pid,
    sessionId,
    hostname,
    acquiredAtMs: NOW - since,
    holder: own ? { ...HOLDER, pid: 4244 } : null,
  }));

const lock = fc
  .record({
    worker,
    record,
    since: age,
    uid: pick(1000, 1000, 2000),
    git: pick(gitFacts({ repository: null }), gitFacts(), TRACKED, UNANSWERED, null),
    content: pick('record', 'record', 'record', 'invalid', 'directory', 'unread'),
  })
  .map(({ worker: path, record: fields, since, uid, git, content }): LockFile => {
    const base = { uid, git, mtimeMs: NOW - since };
    if (content === 'record') return aLock(path, fields, base);
    if (content === 'unread')
      return aLock(path, {}, { ...base, stamp: null, content: { kind: 'unread', why: 'permission denied' } });
    const isRegularFile = content === 'invalid';
    const problem = isRegularFile ? 'empty' : 'directory';
    const invalid = { kind: 'invalid', problem, detail: problem } as const;
    const torn = aLock(path, {}, { ...base, content: invalid, isRegularFile });
    return isRegularFile ? torn : { ...torn, stamp: null };
  });

const lookup = (pid: number): fc.Arbitrary<PidLookup> =>
  pick(
    absent(pid),
    { ...absent(pid), answer: 'zombie' as const, signalable: true },
    { ...absent(pid), answer: 'unknown' as const, why: 'EIO' },
    present(pid, { names: ['claude'] }),
    present(pid, { names: ['firefox'], startedAtMs: NOW - 60_000, startToken: '9' }),
  );

const pane = fc
  .record({
    id: pick(...IDS),
    session: fc.nat({ max: NAMES.length - 1 }),
    path: place,
    command: pick('claude', 'bash', 'vim', 'node'),
    dead: pick(false, false, false, true),
    role: pick(undefined, undefined, 'gastown/crew/ada', 'gastown/polecats/nux'),
  })
  .map(
    ({ session, role, ...fields }): TmuxPane =>
      aPane({
        ...fields,
        sessionId: `$${session}`,
        sessionName: NAMES[session] ?? 'main',
        environment: role === undefined ? {} : { GT_ROLE: role },
      }),
  );

const server = (number: number): fc.Arbitrary<TmuxServer> =>
  fc
    .record({
      panes: fc.uniqueArray(pane, { maxLength: 3, selector: ({ id }) => id }),
      status: pick<TmuxServer['status']>('ok', 'ok', 'ok', 'absent', 'failed'),
      origin: pick<TmuxServer['origin']>('town', 'default', 'directory'),
      since: pick(9 * HOUR, 60_000),
    })
    .map(({ panes, status, origin, since }) =>
      aServer(status === 'ok' ? panes.map((one, at) => ({ ...one, pid: 700 + 10 * number + at })) : [], {
        socket: `/tmp/tmux-1000/s${number}`,
        status,
        origin,
        startedAtMs: NOW - since,
        pid: 600 + number,
        reason: status === 'failed' ? 'did not answer within 2000 ms' : null,
      }),
    );

const stray = fc
  .record({ pid: pick(800, 801), path: fc.option(place), names: pick(['claude'], ['bash'], ['codex']) })
  .map(
    ({ pid, path, names }): ProcessInfo =>
      aProcess(pid, {
        names,
        cwd: path === null ? { seen: false, why: 'permission denied' } : { seen: true, value: path },
      }),
  );

const town: fc.Arbitrary<Snapshot> = fc
  .record({
    locks: fc.uniqueArray(lock, { maxLength: 5, selector: (one) => one.worker }),
    lookups: fc.tuple(lookup(4242), lookup(4243), lookup(4244)),
    servers: fc.oneof(
      fc.constant([]),
      server(1).map((one) => [one]),
      fc.tuple(server(1), server(2)),
    ),
    processes: fc.uniqueArray(stray, { maxLength: 2, selector: ({ pid }) => pid }),
    installed: pick(true, true, true, false),
    marked: fc.boolean(),
  })
  .map(({ locks, lookups, servers, processes, installed, marked }) => {
    const sorted = [...locks].sort((a, b) => (a.worker < b.worker ? -1 : 1));
    const base = aSnapshot({ locks: sorted, lookups, servers, processes });
    const workers = WORKERS.filter((path) => path.startsWith('gastown/'));
    return withMachine(
      { ...base, town: { ...base.town, marked, workers } },
      { tmux: { ...base.machine.tmux, installed } },
    );
  });

interface Run {
  readonly examination: Examination;
  readonly report: Report;
  readonly planned: readonly string[];
}

const run = (snapshot: Snapshot, workers: readonly string[] | null = null): Run => {
  const examination = examineSnapshot(snapshot);
  const outcomes = builtInChecks.map((check) => runCheck(check, examination, () => 0));
  const request = { examination, outcomes, workers };
  return {
    examination,
    report: buildReport({
      ...request,
      command: 'doctor',
      tool: { name: 'lock-doctor', version: '0' },
      durationMs: 0,
      failOn: 'warning',
    }),
    planned: planRepair({ ...request, force: false }).steps.map(({ verdict }) => verdict.lock.id),
  };
};

const always = (holds: (snapshot: Snapshot) => void): void => {
  fc.assert(fc.property(town, holds), { numRuns: 200 });
};

describe('in every town', () => {
  test('no check crashes, and the exit code follows from the findings', () => {
    always((snapshot) => {
      const { report } = run(snapshot);
      expect(report.checks.filter(({ status }) => status === 'crashed')).toEqual([]);
      const failed = report.findings.some(({ severity, doubt }) => severity !== 'info' && !doubt);
      expect(report.exitCode).toBe(failed ? 1 : report.complete ? 0 : 22);
    });
  });

  test('the summary adds up, and promises to fix exactly what is planned', () => {
    always((snapshot) => {
      const { report, planned } = run(snapshot);
      const { summary } = report;
      if (summary === null) throw new Error('no summary');
      const { locks, held, stale, orphaned, invalid, foreign, unknown, fixable } = summary;
      expect(held + stale + orphaned + invalid + foreign + unknown).toBe(locks);
      expect(locks).toBe(snapshot.locks.length);
      expect(fixable).toBe(planned.length);
    });
  });

  test('only stale and invalid locks are planned, and none that git may track or where an agent is seen', () => {
    always((snapshot) => {
      const { examination, planned } = run(snapshot);
      for (const { lock: one, state, occupants, occupantsKnown } of examination.verdicts) {
        if (!planned.includes(one.id)) continue;
        expect(['stale', 'invalid']).toContain(state);
        expect([occupants, occupantsKnown]).toEqual([[], true]);
        expect(one.git?.tracked).toEqual({ seen: true, value: false });
        expect(one.isRegularFile).toBe(true);
      }
    });
  });

  test('a saved snapshot gives the same report', () => {
    always((snapshot) => {
      expect(run(JSON.parse(JSON.stringify(snapshot)) as Snapshot).report).toEqual(run(snapshot).report);
    });
  });

  test('the order of servers and processes changes no verdict', () => {
    always((snapshot) => {
      const reversed = withMachine(snapshot, {
        tmux: {
          ...snapshot.machine.tmux,
          servers: [...snapshot.machine.tmux.servers]
            .reverse()
            .map((one) => ({ ...one, panes: [...one.panes].reverse() })),
        },
        processes: {
          ...snapshot.machine.processes,
          list: [...snapshot.machine.processes.list].reverse(),
          lookups: [...snapshot.machine.processes.lookups].reverse(),
        },
      });
      const essence = (one: Snapshot) => {
        const { examination, planned } = run(one);
        const verdicts = examination.verdicts.map(({ state, notes, release }) => ({ state, notes, release }));
        const crowds = examination.collisions.map(({ kind, workers }) => ({ kind, workers }));
        return { verdicts, crowds, planned };
      };
      expect(essence(reversed)).toEqual(essence(snapshot));
    });
  });

  test('a run for one worker judges its lock as a run for all does', () => {
    always((snapshot) => {
      const all = run(snapshot).report;
      for (const path of new Set(snapshot.locks.map((one) => one.worker))) {
        const one = run(snapshot, [path]);
        expect(one.report.locks).toEqual(all.locks.filter((each) => each.worker === path));
        expect(
          one.planned.every((id) => all.locks.some((each) => each.id === id && each.worker === path)),
        ).toBe(true);
      }
    });
  });
});

describe('preflight and the full run', () => {
  test('agree: only what --fix releases is repairable, and every live worker is held', () => {
    always((snapshot) => {
      const { examination } = run(snapshot);
      const answers = new Map(
        answerPreflight({ ...snapshot, asked: WORKERS }).map((one) => [one.worker, one.answer]),
      );
      for (const { lock: one, state, release, occupants } of examination.verdicts) {
        const answer = answers.get(one.worker);
        expect(answer).not.toBe('free');
        if (state === 'held' || state === 'orphaned' || occupants.length > 0) expect(answer).toBe('held');
        if (answer === 'repair') expect(release.allowed).toBe(true);
        if (release.allowed) expect(['repair', 'held']).toContain(answer);
        if (state === 'unknown' || state === 'foreign') expect(['unsure', 'held']).toContain(answer);
      }
    });
  });

  test('agree where there is no lock, with and without the code that judges locks', () => {
    const given = new Set<string>();
    always(({ companions: _, ...snapshot }) => {
      const asked = { ...snapshot, locks: [], asked: WORKERS };
      expect(hasLocks(asked)).toBe(false);
      const answers = answerWithoutLocks(asked);
      expect(answers).toEqual(answerPreflight(asked));
      for (const { answer } of answers) given.add(answer);
    });
    expect([...given].sort()).toEqual(['free', 'held', 'unsure']);
  });

  test('agree on collisions: no worker with colliding agents is free', () => {
    always((snapshot) => {
      const answers = new Map(
        answerPreflight({ ...snapshot, asked: WORKERS }).map((one) => [one.worker, one.answer]),
      );
      for (const { kind, workers } of run(snapshot).examination.collisions)
        if (kind === 'agents') for (const path of workers) expect(answers.get(path) ?? 'held').toBe('held');
    });
  });
});
