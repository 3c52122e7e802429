import { describe, expect, test } from '@jest/globals';
import { builtInChecks } from '../../../checks/index.ts';
import { examineSnapshot } from '../../../src/core/judge/examine.ts';
import { refusalOf } from '../../../src/core/report/refusals.ts';
import { type RepairRecord, repairedReport } from '../../../src/core/report/repaired.ts';
import { buildReport, gapsOf, type ReleaseOutcome } from '../../../src/core/report/report.ts';
import { runCheck, skippedCheck } from '../../../src/core/run-checks.ts';
import type { Check, Finding, Severity } from '../../../src/core/types/check.ts';
import type { Report } from '../../../src/core/types/report.ts';
import {
  absent,
  aLock,
  aPane,
  aServer,
  aSnapshot,
  NOW,
  present,
  ROOT,
  type SnapshotParts,
} from '../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const BOB = 'gastown/crew/bob';
const failing = aServer([], { socket: '/tmp/x', status: 'failed', reason: 'did not answer within 2000 ms' });

interface Asked {
  readonly failOn?: Severity;
  readonly workers?: readonly string[];
  readonly checks?: readonly Check[];
  readonly skip?: readonly string[];
}

const report = (
  parts: SnapshotParts,
  { failOn = 'warning', workers, checks = [], skip = [] }: Asked = {},
): Report => {
  const examination = examineSnapshot(aSnapshot(parts));
  return buildReport({
    examination,
    outcomes: [...builtInChecks, ...checks].map((check) =>
      skip.includes(check.id) ? skippedCheck(check) : runCheck(check, examination, () => 0),
    ),
    command: 'doctor',
    tool: { name: 'lock-doctor', version: '1.2.3' },
    durationMs: 12.6,
    failOn,
    workers: workers ?? null,
  });
};
const codeOf = (parts: SnapshotParts, asked: Asked = {}) => {
  const { exitCode, ok, complete } = report(parts, asked);
  expect(ok).toBe(exitCode === 0);
  return { exitCode, complete };
};
const finding = (fields: Partial<Finding> = {}): Finding => ({
  severity: 'warning',
  worker: ADA,
  lock: null,
  message: 'something is odd',
  evidence: [],
  fix: null,
  ...fields,
});
const plugin = (run: Check['run'], fields: Partial<Check> = {}): Check => ({
  id: 'mine/odd',
  title: 'Odd things',
  summary: 'Finds what is odd.',
  run,
  ...fields,
});

const HEALTHY: SnapshotParts = { locks: [aLock(ADA)], servers: [aServer([aPane()])] };
const STALE: SnapshotParts = { locks: [aLock(ADA)] };
const UNKNOWN: SnapshotParts = { locks: [aLock(ADA)], servers: [failing] };
const GAP: SnapshotParts['over'] = {
  gaps: [{ what: `directory:${ROOT}/${BOB}/src`, why: 'permission denied' }],
};

describe('the exit code', () => {
  test.each<[string, SnapshotParts, number, boolean]>([
    ['nothing at all', {}, 0, true],
    ['a held lock', HEALTHY, 0, true],
    ['a stale lock', STALE, 1, true],
    ['an orphaned lock', { ...STALE, lookups: [present(4242)] }, 1, true],
    ['an unknown lock', UNKNOWN, 22, false],
    ['a foreign lock', { locks: [aLock(ADA, { hostname: 'elsewhere' })] }, 0, true],
    ['a gap', { ...HEALTHY, over: GAP }, 22, false],
    ['a stale lock and a gap', { ...STALE, over: GAP }, 1, false],
    [
      'a stale lock, and a server found outside the town that does not answer',
      { ...STALE, servers: [{ ...failing, outsideTown: true }] },
      1,
      true,
    ],
  ])('of %s', (_, parts, exitCode, complete) => {
    expect(codeOf(parts)).toEqual({ exitCode, complete });
  });

  test('problems outrank doubt', () => {
    const parts = {
      locks: [aLock(ADA), aLock(BOB, { pid: 4243, sessionId: '%9' })],
      lookups: [{ ...absent(4242), answer: 'unknown' as const, why: 'EIO' }, absent(4243)],
    };
    const said = report(parts);
    expect(said.locks.map(({ state }) => state)).toEqual(['unknown', 'stale']);
    expect([said.exitCode, said.complete]).toEqual([1, false]);
  });

  test.each<[Severity, number]>([
    ['info', 1],
    ['warning', 0],
    ['error', 0],
  ])('of an info finding with --fail-on %s', (failOn, exitCode) => {
    const legacy = [{ from: '.gastown/a', to: '.runtime/a', targetExists: false, isDirectory: false }];
    expect(codeOf({ over: { legacy } }, { failOn }).exitCode).toBe(exitCode);
  });

  test.each<[Severity, number]>([
    ['info', 1],
    ['warning', 1],
    ['error', 0],
  ])('of a warning with --fail-on %s', (failOn, exitCode) => {
    expect(codeOf(STALE, { failOn }).exitCode).toBe(exitCode);
  });

  test('of a collision with --fail-on error', () => {
    const servers = [aServer([aPane()]), aServer([aPane({ pid: 750 })], { socket: '/tmp/b', pid: 601 })];
    expect(codeOf({ servers }, { failOn: 'error' }).exitCode).toBe(1);
  });

  test('of doubt with --fail-on info is still 22', () => {
    expect(codeOf(UNKNOWN, { failOn: 'info' }).exitCode).toBe(22);
  });

  test('of a problem whose check was skipped', () => {
    expect(codeOf(STALE, { skip: ['stale-lock'] })).toEqual({ exitCode: 0, complete: true });
  });

  test('of an unknown lock whose check was skipped is still 22', () => {
    expect(codeOf(UNKNOWN, { skip: ['undecided-lock'] })).toEqual({ exitCode: 22, complete: false });
  });
});

describe('checks in the report', () => {
  test('one that crashed makes the run incomplete, and the others are reported', () => {
    const crash = plugin(() => {
      throw new Error('out of ideas');
    });
    const said = report(STALE, { checks: [crash] });
    expect(said.checks.at(-1)).toMatchObject({ id: 'mine/odd', status: 'crashed', error: 'out of ideas' });
    expect([said.exitCode, said.complete]).toEqual([1, false]);
    expect(codeOf(HEALTHY, { checks: [crash] })).toEqual({ exitCode: 22, complete: false });
  });

  test('one that reports doubt makes the run incomplete rather than failed', () => {
    const doubting = plugin(() => [finding()], { reportsDoubt: true });
    const said = report(HEALTHY, { checks: [doubting] });
    expect([said.exitCode, said.complete]).toEqual([22, false]);
    expect(said.findings).toMatchObject([{ check: 'mine/odd', doubt: true }]);
    expect(said.checks.at(-1)?.status).toBe('unknown');
  });

  test('one that was skipped is reported as skipped', () => {
    const said = report(STALE, { skip: ['stale-lock'] });
    expect(said.checks.find(({ id }) => id === 'stale-lock')).toMatchObject({
      status: 'skipped',
      findings: 0,
    });
  });

  test('a finding that says what it is about keeps its ID when another one disappears', () => {
    const [one, other] = [finding({ about: 'gastown/one' }), finding({ about: 'gastown/other' })];
    const idsOf = (...found: Finding[]) =>
      report({}, { checks: [plugin(() => found)] }).findings.map(({ id }) => id);
    expect(idsOf(one, other)).toEqual(['mine/odd:gastown/one', 'mine/odd:gastown/other']);
    expect(idsOf(other)).toEqual(['mine/odd:gastown/other']);
  });

  test('several findings of a check that does not distinguish them are numbered', () => {
    const said = report({}, { checks: [plugin(() => [finding(), finding(), finding({ worker: null })])] });
    expect(said.findings.map(({ id }) => id)).toEqual([`mine/odd:${ADA}`, `mine/odd:${ADA}#2`, 'mine/odd:.']);
  });
});

describe('fixes and next commands', () => {
  const onlyFix = (parts: SnapshotParts, checks: readonly Check[] = []) =>
    report(parts, { checks }).findings[0];

  test('a release that --fix makes is planned and safe', () => {
    expect(onlyFix(STALE)).toMatchObject({
      fix: { action: 'release', safe: true, status: 'planned', reason: null, text: null, backup: null },
      next: [['doctor', '--fix', '--worker', ADA, '--yes', '--town', ROOT]],
    });
  });

  test('a release that has to wait is skipped with the reason', () => {
    const lock = aLock(ADA, {}, { mtimeMs: NOW - 10_000 });
    expect(onlyFix({ locks: [lock] })).toMatchObject({
      fix: { safe: false, status: 'skipped', reason: 'written less than 30 s ago; try again in 20 s' },
      next: [['doctor', 'explain', ADA, '--town', ROOT]],
    });
  });

  test('advice is reported with its commands', () => {
    expect(onlyFix({ ...STALE, lookups: [present(4242)] })).toMatchObject({
      fix: { action: 'advice', safe: false, status: 'skipped', text: expect.any(String) },
      next: [['ps', '-fp', '4242']],
    });
  });

  test('a release that a plug-in proposes against the verdict is not planned', () => {
    const zealot = plugin(() => [finding({ fix: { action: 'release', lock: `agent:${ADA}` } })]);
    expect(onlyFix(HEALTHY, [zealot])?.fix).toMatchObject({
      safe: false,
      status: 'skipped',
      reason: 'only a person releases it, by name',
    });
  });

  test('every refusal has a message', () => {
    const verdicts = [
      STALE,
      HEALTHY,
      UNKNOWN,
      { locks: [aLock(ADA, {}, { mtimeMs: NOW })] },
      { locks: [aLock(ADA, {}, { git: null })] },
    ].map((parts) => examineSnapshot(aSnapshot(parts)).verdicts[0]);
    expect(verdicts.map((verdict) => verdict && refusalOf(verdict))).toEqual([
      null,
      'only a person releases it, by name',
      'only a person releases it, by name',
      'written less than 30 s ago; try again in 30 s',
      'git could not say whether it tracks it',
    ]);
  });
});

describe('a report on some workers', () => {
  const locks = [aLock(ADA), aLock(BOB, { pid: 4243, sessionId: '%9' })];
  const both: SnapshotParts = { locks, lookups: [absent(4242), absent(4243)] };

  test('covers only these: locks, findings, summary, exit code', () => {
    const said = report(both, { workers: [BOB] });
    expect(said.locks.map(({ worker }) => worker)).toEqual([BOB]);
    expect(said.findings.map(({ worker }) => worker)).toEqual([BOB]);
    expect(said.summary).toMatchObject({ locks: 1, stale: 1, fixable: 1 });
    expect(said.checks.find(({ id }) => id === 'stale-lock')).toMatchObject({ status: 'fail', findings: 1 });
  });

  test("is healthy even if the neighbour's lock is stale", () => {
    const servers = [aServer([aPane({ id: '%9', sessionName: 'gt-crew-bob', path: `${ROOT}/${BOB}` })])];
    const said = report({ ...both, servers }, { workers: [BOB] });
    expect([said.exitCode, said.checks.every(({ status }) => status === 'pass')]).toEqual([0, true]);
  });

  test('includes a collision whichever of its workers was requested', () => {
    const servers = [aServer([aPane({ sessionName: 'main', path: '/home' })])];
    const parts = {
      locks: [aLock(ADA), aLock(BOB, { pid: 4243 })],
      lookups: [absent(4242), absent(4243)],
      servers,
    };
    for (const worker of [ADA, BOB]) {
      const said = report(parts, { workers: [worker] });
      expect([said.exitCode, said.summary?.collisions, said.findings.length]).toEqual([1, 1, 1]);
    }
    expect(report(parts, { workers: ['gastown/crew/joe'] }).exitCode).toBe(0);
  });

  test('includes only the gaps that may hide something about these workers', () => {
    const parts = { ...HEALTHY, over: GAP };
    expect(report(parts, { workers: [ADA] })).toMatchObject({ exitCode: 0, gaps: [] });
    expect(report(parts, { workers: [BOB] }).exitCode).toBe(22);
    const above = { gaps: [{ what: `directory:${ROOT}/gastown`, why: 'permission denied' }] };
    expect(report({ ...HEALTHY, over: above }, { workers: [ADA] }).exitCode).toBe(22);
    const general = { gaps: [{ what: 'rigs', why: 'mayor/rigs.json: not JSON' }] };
    expect(report({ ...HEALTHY, over: general }, { workers: [ADA] }).exitCode).toBe(22);
  });
});

describe('gaps', () => {
  const gaps = (parts: SnapshotParts) => {
    const { snapshot, verdicts } = examineSnapshot(aSnapshot(parts));
    return gapsOf(snapshot, verdicts).map(({ what }) => what);
  };

  test('include servers that did not answer, processes that could not be listed, and directories that could not be entered', () => {
    const processes = { listing: { seen: false, why: 'no /proc' } as const, lookups: [], list: [] };
    expect(gaps({ servers: [failing], over: { ...GAP, processes } })).toEqual([
      `directory:${ROOT}/${BOB}/src`,
      'processes',
      'tmux:/tmp/x',
    ]);
  });

  test('include a missing tmux that a lock needs, unless it is certain that no server runs', () => {
    const tmux = { installed: false, enumerated: false, servers: [] };
    expect(gaps({ ...STALE, over: { tmux } })).toEqual(['tmux']);
    expect(gaps({ over: { tmux } })).toEqual([]);
    expect(gaps({ ...STALE, over: { tmux: { ...tmux, enumerated: true } } })).toEqual([]);
  });

  test('do not include servers that are absent or demonstrably work elsewhere', () => {
    const servers = [aServer([], { status: 'absent' }), { ...failing, outsideTown: true }];
    expect(gaps({ ...STALE, servers })).toEqual([]);
  });

  test("include servers of other users only if a lock's session may be there", () => {
    const servers = [{ ...failing, strangersUid: 1234 }];
    const withSession = { locks: [aLock(ADA, { sessionId: '%9' })], servers };
    expect(gaps(withSession)).toEqual(['tmux:/tmp/x']);
    expect(gaps({ ...withSession, locks: [aLock(ADA, { sessionId: '' })] })).toEqual([]);
    expect(gaps({ servers })).toEqual([]);
  });
});

describe('the head of a report', () => {
  test.each([
    ['ok', [aServer([aPane()])]],
    ['none', [aServer([], { status: 'absent' })]],
    ['none', []],
    ['unknown', [aServer([aPane()]), failing]],
  ] as const)('tmux is %s', (status, servers) => {
    expect(report({ servers }).tmux?.status).toBe(status);
  });

  test('has the version, the town, the start time and the duration', () => {
    expect(report({})).toMatchObject({
      schemaVersion: 1,
      tool: { name: 'lock-doctor', version: '1.2.3' },
      startedAt: '2026-11-23T03:00:00.000Z',
      durationMs: 13,
      town: { root: ROOT, source: 'flag', host: 'here', scan: 'default' },
      undo: null,
      error: null,
    });
  });

  test('has null, never a missing value', () => {
    const said = report({
      locks: [aLock(ADA, { pid: 0, acquiredAt: '', acquiredAtMs: null, sessionId: '', hostname: '' })],
    });
    expect(said.locks[0]?.holder).toEqual({
      pid: 0,
      truePid: 0,
      claimedBy: null,
      process: 'gone',
      command: null,
      sessionId: null,
      session: 'unnamed',
      hostname: null,
      acquiredAt: null,
      ageSeconds: null,
      pane: null,
    });
  });
});

describe('the report of a repair', () => {
  const FIXED: ReleaseOutcome = { status: 'fixed', reason: null, backup: '/town/copy' };
  const BUSY: ReleaseOutcome = { status: 'skipped', reason: 'busy', backup: null };
  const NO_PLAN = { steps: [], left: [] };
  const record = (outcome: ReleaseOutcome): RepairRecord => ({
    id: outcome.status === 'fixed' ? 'run-1' : null,
    outcomes: new Map([[`agent:${ADA}`, outcome]]),
  });

  test('a stale lock that was released: fixed, exit 0, with the undo command', () => {
    const said = repairedReport(report(STALE), report({}), record(FIXED), 'warning', NO_PLAN);
    expect([said.ok, said.exitCode]).toEqual([true, 0]);
    expect(said.summary).toMatchObject({ locks: 0, stale: 0, fixed: 1 });
    expect(said.undo).toEqual(['doctor', 'undo', 'run-1', '--town', ROOT]);
    expect(said.findings).toMatchObject([
      { id: `stale-lock:${ADA}`, fix: { status: 'fixed', backup: '/town/copy' }, next: [said.undo] },
    ]);
  });

  test('a stale lock whose guard was busy: left, exit 1', () => {
    const said = repairedReport(report(STALE), report(STALE), record(BUSY), 'warning', NO_PLAN);
    expect([said.exitCode, said.undo, said.summary?.fixed]).toEqual([1, null, 0]);
    expect(said.findings).toMatchObject([{ fix: { status: 'skipped', reason: 'busy' } }]);
    expect(said.findings).toHaveLength(1);
  });

  test('a lock that changed and is healthy now: reported, exit 0', () => {
    const changed: ReleaseOutcome = { status: 'changed', reason: 'another lock stands there', backup: null };
    const said = repairedReport(report(STALE), report(HEALTHY), record(changed), 'warning', NO_PLAN);
    expect(said.exitCode).toBe(0);
    expect(said.findings).toMatchObject([{ fix: { status: 'changed' } }]);
  });

  test('a held lock that was released by force is reported with its undo command', () => {
    const said = repairedReport(
      report(HEALTHY),
      report({ servers: HEALTHY.servers ?? [] }),
      record(FIXED),
      'warning',
      NO_PLAN,
    );
    expect(said.exitCode).toBe(0);
    expect(said.findings).toMatchObject([
      { check: 'forced', severity: 'info', message: 'held lock released by force', next: [said.undo] },
    ]);
  });

  test('a held lock that force could not release is a problem', () => {
    const said = repairedReport(report(HEALTHY), report(HEALTHY), record(BUSY), 'warning', NO_PLAN);
    expect([said.ok, said.exitCode]).toEqual([false, 1]);
    expect(said.findings).toMatchObject([
      { check: 'forced', severity: 'warning', message: 'held lock not released', fix: { reason: 'busy' } },
    ]);
  });

  test('an orphaned lock that force could not release is reported beside the advice', () => {
    const orphaned = report({ ...STALE, lookups: [present(4242)] });
    const said = repairedReport(orphaned, orphaned, record(BUSY), 'warning', NO_PLAN);
    expect(said.exitCode).toBe(1);
    expect(said.findings.map(({ check, fix }) => [check, fix?.status, fix?.reason])).toEqual([
      ['forced', 'skipped', 'busy'],
      ['orphaned-lock', 'skipped', null],
    ]);
  });

  test('doubt that remains after the repair is still 22', () => {
    const said = repairedReport(report(STALE), report({ over: GAP }), record(FIXED), 'warning', NO_PLAN);
    expect(said.exitCode).toBe(22);
  });

  test('a problem that appeared between the two looks is reported and counts', () => {
    const new1 = { locks: [aLock(BOB, { pid: 4243, sessionId: '%9' })], lookups: [absent(4243)] };
    const said = repairedReport(report(STALE), report(new1), record(FIXED), 'warning', NO_PLAN);
    expect(said.exitCode).toBe(1);
    expect(said.findings.map(({ id }) => id)).toEqual([`stale-lock:${ADA}`, `stale-lock:${BOB}`]);
  });
});
