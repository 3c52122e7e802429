/** The tree shows who is really at work: several agents, agents without a lock, and the actual holder of a healthy lock. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { exitCodesOf } from '../../../src/cli/arguments/options.ts';
import type { Report, ReportLock } from '../../../src/core/types/report.ts';
import { renderText } from '../../../src/reporters/render.ts';
import { rowsOf } from '../../../src/reporters/screen/lock-rows.ts';
import { renderLocksTree } from '../../../src/reporters/screen/locks-tree.ts';
import { PLAIN } from '../../../src/reporters/screen/style.ts';
import { aLock, aPane, aProcess, aServer, HOUR, NOW, present, ROOT } from '../../support/snapshot.ts';
import { healthy, reportOf, SCREEN } from '../reports.ts';

const ADA = 'gastown/crew/ada';
const rival = aPane({
  id: '%17',
  sessionId: '$9',
  sessionName: 'elsewhere',
  pid: 7001,
  path: `${ROOT}/${ADA}`,
});

/** Checks whose findings are the state of one lock. */
const AGED_CHECKS: readonly string[] = ['stale-lock', 'orphaned-lock', 'invalid-lock', 'undecided-lock'];

/** Its line says when its holder last refreshed it instead. */
const isRefreshed = ({ reasons }: ReportLock): boolean =>
  reasons.includes('refreshed') || reasons.includes('not-refreshed');

const goldenReports = (): readonly (readonly [string, Report])[] => {
  const towns = fileURLToPath(new URL('../../../fixtures/towns', import.meta.url));
  return readdirSync(towns).map((town) => [
    town,
    JSON.parse(readFileSync(join(towns, town, 'report.json'), 'utf8')) as Report,
  ]);
};

describe('the tree of locks', () => {
  test('names the agent behind a healthy lock, not its dead helper', () => {
    expect(renderLocksTree(healthy(), SCREEN)).toContain(
      '✔ crew/ada held     claude in gt-crew-ada (%3); taken 8 h ago\n',
    );
    const verbose = renderLocksTree(healthy(), { ...SCREEN, width: 0, verbosity: 'verbose' });
    expect(verbose).toMatch(/\(%3\); taken 8 h ago; recorded: pid 4242 \(gone\), \d{4}-\d\d-\d\dT/);
  });

  test('marks a worker with several agents, with or without a lock, and the report begins with it', () => {
    const servers = [aServer([aPane(), rival])];
    const locked = reportOf({
      locks: [aLock(ADA), aLock('gastown/crew/bob', { sessionId: '%55' })],
      servers,
    });
    expect(renderLocksTree(locked, SCREEN)).toContain('✖ crew/ada held     2 agents: %3, %17\n');
    expect(renderText(locked, SCREEN).split('\n')[2]).toBe(`✖ ${ADA}: 2 live agents share this worker`);
    const open = reportOf({ locks: [], servers });
    expect(renderLocksTree(open, SCREEN)).toContain('✖ crew/ada no lock  2 agents: %3, %17\n');
    expect(renderLocksTree(open, PLAIN)).toBe(`no-lock ${ADA}: 2 agents: %3, %17\n`);
  });

  test('is in the order of the report, the worst first, in a pipe too, and says where to read what to do', () => {
    const [CAL, DAN] = ['gastown/crew/cal', 'gastown/crew/dan'];
    const report = reportOf({
      locks: [aLock(ADA, { sessionId: '%3' }), aLock('gastown/crew/bob', { sessionId: '%55' })],
      servers: [
        aServer([
          aPane(),
          aPane({ id: '%4', sessionId: '$4', sessionName: 'c', pid: 704, path: `${ROOT}/${CAL}` }),
          aPane({ id: '%5', sessionId: '$5', sessionName: 'd', pid: 705, path: `${ROOT}/${DAN}` }),
          aPane({ id: '%6', sessionId: '$6', sessionName: 'e', pid: 706, path: `${ROOT}/${DAN}` }),
        ]),
      ],
    });
    const tree = renderLocksTree(report, SCREEN);
    expect(tree.match(/crew\/\w+ +(?:held|stale|no lock)/g)?.map((row) => row.replace(/ +/, ' '))).toEqual([
      'crew/dan no lock',
      'crew/bob stale',
      'crew/cal no lock',
      'crew/ada held',
    ]);
    expect(tree).toMatch(/\nWhat to do now:\n {2}doctor --town \/town\n$/);
    expect(renderLocksTree(report, PLAIN)).toMatch(/^no-lock \S+dan: [\s\S]*\nheld \S+ada: [^\n]*\n$/);
    expect(renderLocksTree(healthy(), SCREEN)).not.toContain('What to do');
  });

  test('shows the agents of a worker whose agent another lock claims too', () => {
    const BOB = 'gastown/crew/bob';
    const report = reportOf({
      // Not of the same bytes, which would make one a copy of the other.
      locks: [aLock(ADA, { sessionId: '' }), aLock(BOB, { sessionId: '', acquiredAtMs: NOW - 9 * HOUR })],
      servers: [aServer([aPane(), aPane({ id: '%4', pid: 701 })])],
      lookups: [present(4242)],
      processes: [aProcess(4242)],
    });
    expect(report.collisions.map(({ kind }) => kind)).toEqual(['agents', 'claims']);
    const tree = renderLocksTree(report, PLAIN);
    expect(tree).toMatch(/^held gastown\/crew\/ada: \d agents: %3, %4/m);
    expect(tree).toMatch(/^held gastown\/crew\/bob: .*, also claimed by gastown\/crew\/ada/m);
  });

  test('shows both locks of a worker under one heading, in a town and in a repository', () => {
    const legacy = aLock('crew/ada', {}, { id: 'agent:crew/ada#legacy', layout: 'legacy' });
    const report = reportOf({ locks: [aLock('crew/ada'), legacy] });
    for (const type of [{}, { type: 'repository' as const }]) {
      const town = report.town === null ? null : { ...report.town, ...type };
      const rows = rowsOf({ ...report, town }, false);
      expect(rows.map(({ heading, rest }) => [heading, rest])).toEqual([
        ['crew', 'ada'],
        ['crew', 'ada/.gastown'],
      ]);
    }
  });

  test('says why a lock could not be judged', () => {
    const silent = aServer([], { status: 'failed', reason: 'did not answer within 2000 ms' });
    const report = reportOf({ locks: [aLock(ADA, { sessionId: '%55' })], servers: [silent] });
    expect(report.locks[0]?.state).toBe('unknown');
    const [row, ...more] = renderLocksTree(report, PLAIN).split('\n');
    expect(row).toMatch(
      /^unknown gastown\/crew\/ada: cannot tell: .*did not answer within 2000 ms.*; taken 8 h ago$/,
    );
    expect(more).toEqual([expect.stringMatching(/^gap tmux:\S+: did not answer within 2000 ms$/), '']);
    expect(renderLocksTree(report, SCREEN)).toContain(
      '\n? 1 place could not be checked:\n    tmux /tmp/tmux-1000/town-1a2b3c: did not answer within 2000 ms\n',
    );
  });

  test('names the first places that could not be looked at, and the command that shows all', () => {
    const gaps = ['a', 'b', 'c', 'd', 'e'].map((name) => ({
      what: `directory:/town/${name}`,
      why: 'permission denied',
    }));
    const report = reportOf({ locks: [], over: { gaps } });
    const frame = { rows: 24, clock: '12:00:00', keys: null };
    const toldIn = (text: string): string => text.slice(text.indexOf('?'));
    const line = (name: string): string => `    directory /town/${name}: permission denied\n`;
    const more = (left: number): string => `    and ${left} more: doctor -v --town /town\n`;
    const head = '? 5 places could not be checked:\n';
    expect(toldIn(renderLocksTree(report, SCREEN))).toBe(head + ['a', 'b', 'c'].map(line).join('') + more(2));
    expect(toldIn(renderLocksTree(report, SCREEN, frame))).toBe(head + line('a') + more(4));
    const verbose = { ...SCREEN, verbosity: 'verbose' as const };
    const all = head + ['a', 'b', 'c', 'd', 'e'].map(line).join('');
    expect(toldIn(renderLocksTree(report, verbose))).toBe(all);
    const many = { ...report, gaps: [...gaps, ...gaps, ...gaps] };
    expect(renderText(many, SCREEN)).toContain('    and 5 more: doctor -v --town /town\n');
    expect(renderText(many, verbose).match(/^ {4}directory /gm)).toHaveLength(15);
  });

  test('says in every golden town how old each lock is, if that is known, and so do the findings about it', () => {
    const since = / ago(?:[;,]|$)/;
    let known = 0;
    for (const [town, report] of goldenReports()) {
      const crowded = new Set(report.collisions.flatMap(({ workers }) => workers));
      for (const { lock, text } of rowsOf(report, false)) {
        if (lock === null || crowded.has(lock.worker) || isRefreshed(lock)) continue;
        const isKnown = (lock.holder?.ageSeconds ?? lock.writtenSecondsAgo) !== null;
        known += isKnown ? 1 : 0;
        const told = [
          text,
          ...report.findings
            .filter((finding) => finding.lock === lock.id && AGED_CHECKS.includes(finding.check))
            .map(({ message }) => message),
        ];
        expect([town, lock.id, ...told.map((line) => since.test(line))]).toEqual([
          town,
          lock.id,
          ...told.map(() => isKnown),
        ]);
      }
    }
    expect(known).toBeGreaterThan(100);
  });

  test('has a row for a lock that a killed run moved aside', () => {
    const path = `${ROOT}/${ADA}/.runtime/agent.lock.0123456789abcdef.old`;
    const report = reportOf({
      locks: [],
      over: { leftovers: [{ worker: ADA, path, kind: 'old', mtimeMs: NOW }] },
    });
    expect(renderLocksTree(report, PLAIN)).toBe(
      `no-lock ${ADA}: agent.lock.0123456789abcdef.old: doctor was killed halfway through a release; this may still be the lock\n`,
    );
    expect(renderLocksTree(report, SCREEN)).toContain('crew/ada no lock  agent.lock.0123456789abcdef.old');
  });

  test('has a row for an agent without a lock', () => {
    const report = reportOf({ locks: [], servers: [aServer([aPane()])] });
    expect(renderLocksTree(report, SCREEN)).toContain('ℹ crew/ada no lock  claude in gt-crew-ada (%3)\n');
    expect(report.agents).toMatchObject([{ worker: ADA, lock: null, pane: { id: '%3' } }]);
  });
});

test('each command lists only its own exit codes', () => {
  const codes = (name: Parameters<typeof exitCodesOf>[0]) => exitCodesOf(name).map(([code]) => code);
  expect(codes('preflight')).toEqual(['0', '2', '20', '21', '22', '70', '129, 130, 143']);
  expect(codes('doctor')).toEqual(['0', '1', '2', '22', '70', '129, 130, 143']);
  for (const name of ['completion', 'checks', 'explain'] as const)
    expect(codes(name)).toEqual(['0', '2', '70', '129, 130, 143']);
});
