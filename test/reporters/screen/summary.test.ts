/** What to do next: the step for the worst problem first, in every format, and each with its own commands. */
import { describe, expect, test } from '@jest/globals';
import type { Report } from '../../../src/core/types/report.ts';
import { renderGithub } from '../../../src/reporters/github.ts';
import { renderHtml } from '../../../src/reporters/html/page.ts';
import { renderMarkdown } from '../../../src/reporters/markdown.ts';
import { renderText } from '../../../src/reporters/render.ts';
import { PLAIN } from '../../../src/reporters/screen/style.ts';
import { summarize } from '../../../src/reporters/screen/summary.ts';
import { gitFacts, TRACKED } from '../../checks/run-on.ts';
import { aLock, aPane, aServer, NOW } from '../../support/snapshot.ts';
import { reportOf, SCREEN, sick } from '../reports.ts';

const ADA = 'gastown/crew/ada';
const BOB = 'gastown/crew/bob';

const commandsOf = (report: Report): readonly string[] =>
  summarize(report).steps.flatMap(({ commands }) => commands.map((command) => command.join(' ')));

const JUST_WRITTEN = {
  content: { kind: 'invalid', problem: 'empty', detail: 'the file is empty' },
  mtimeMs: NOW - 5000,
} as const;

/** Two agents in one worker, and a lock that can be released in another. */
const collided = (): Report =>
  reportOf({
    locks: [aLock(ADA), aLock(BOB, { sessionId: '%55' })],
    servers: [aServer([aPane(), aPane({ id: '%9', sessionId: '$9', sessionName: 'other', pid: 901 })])],
  });

describe('the next commands', () => {
  test('lead to the agents where there are agents and no locks, on a screen as well', () => {
    const report = reportOf({
      servers: [aServer([aPane({ sessionName: 'alone' })])],
    });
    expect(report.summary).toMatchObject({ locks: 0, withoutLock: 1 });
    expect(commandsOf(report)).toEqual(['doctor locks --town /town']);
    expect(renderText(report, SCREEN)).toContain('See who works where:\n  doctor locks --town /town');
    expect(renderText(report, PLAIN).trimEnd()).not.toContain('\n');
  });

  test('begin with that for a collision', () => {
    const report = collided();
    expect(report.summary).toMatchObject({ collisions: 1, fixable: 1 });
    expect(commandsOf(report)).toEqual([`doctor explain ${ADA} --town /town`, 'doctor --fix --town /town']);
    expect(renderText(report, PLAIN).match(/^next .*/gm)).toEqual(
      commandsOf(report).map((command) => `next ${command}`),
    );
  });

  test('of one finding are shown together: each prepares the next one', () => {
    expect(
      commandsOf(reportOf({ locks: [aLock(ADA, {}, { git: TRACKED })], servers: [aServer([aPane()])] })),
    ).toEqual([
      expect.stringContaining(' rm --cached '),
      expect.stringContaining('/.gitignore'),
      expect.stringMatching(/ add \.gitignore$/),
    ]);
  });

  test('for locks outside of the root name their own, and say that nothing is released from here', () => {
    const sibling = (name: string) =>
      aLock(`../${name}`, { sessionId: '%55' }, { path: `/${name}/.runtime/agent.lock` });
    const one = reportOf({ locks: [sibling('a')], servers: [aServer([aPane()])] });
    expect(summarize(one).steps).toEqual([
      {
        text: '1 lock is outside this directory; --fix does not release it from here. Run:',
        commands: [['doctor', '--fix', '--town', '/a']],
        more: 0,
      },
    ]);
    const four = reportOf({ locks: ['a', 'b', 'c', 'd'].map(sibling), servers: [aServer([aPane()])] });
    // Nobody should have the root of the file system repaired.
    expect(renderText(four, PLAIN)).toContain(
      'summary 4 locks are outside this directory; --fix releases none of them from here (and 1 more: doctor -v).\n',
    );
  });

  test('for locks of working trees side by side are one, which names them', () => {
    const sibling = (name: string) =>
      aLock(`../${name}`, { sessionId: '%55' }, { path: `/srv/${name}/.runtime/agent.lock` });
    const alone = aLock('../../x', { sessionId: '%55' }, { path: '/x/y/.runtime/agent.lock' });
    const locks = [...['feature-1', 'feature-2', '-f', 'feature-10'].map(sibling), alone];
    expect(commandsOf(reportOf({ locks, servers: [aServer([aPane()])] }))).toEqual([
      'doctor --fix --town /srv --worker feature-1 --worker feature-2 --worker=-f --worker feature-10',
      'doctor --fix --town /x/y',
    ]);
  });

  test('are about the workers that were asked about', () => {
    for (const lock of [aLock(ADA, { sessionId: '%55' }), aLock(ADA, {}, JUST_WRITTEN)]) {
      const report = reportOf({ locks: [lock] });
      expect(commandsOf(report)).toEqual(['doctor --fix --town /town']);
      expect(commandsOf({ ...report, workers: [ADA] })).toEqual([
        `doctor --fix --worker ${ADA} --town /town`,
      ]);
    }
  });

  test('say why a lock is left where it stands, unless they say what to do about it', () => {
    const outside = aLock('../a', { sessionId: '%55' }, { path: '/a/.runtime/agent.lock' });
    const fresh = aLock(ADA, {}, JUST_WRITTEN);
    const tracked = aLock(BOB, { sessionId: '%55' }, { git: TRACKED });
    const report = reportOf({ locks: [outside, fresh, tracked] });
    expect(renderText(report, SCREEN).match(/skipped: .*/g)).toEqual(['skipped: tracked by git']);
    const verbose = { ...SCREEN, width: 0, verbosity: 'verbose' as const };
    for (const all of [renderText(report, verbose), renderText(report, PLAIN)])
      expect(all.match(/skipped: (?:it is outside|written less|tracked)/g)).toHaveLength(3);
  });

  test('of a suggestion are in every format', () => {
    const git = gitFacts({ ignored: { seen: true, value: false }, exclude: '/town/.git/info/exclude' });
    const report = reportOf({ locks: [aLock(ADA, {}, { git })], servers: [aServer([aPane()])] });
    expect(report).toMatchObject({ ok: true, findings: [{ severity: 'info' }] });
    const end = 'sh .runtime/ /town/.git/info/exclude';
    for (const text of [
      renderText(report, SCREEN),
      renderText(report, PLAIN),
      renderMarkdown(report),
      renderHtml(report, null),
      renderGithub(report),
    ])
      expect(text).toContain(end);
    expect(renderText(report, PLAIN)).toMatch(/^summary 1 suggestion\.\nnext sh -c /m);
  });

  test('hand nobody consent who reads them', () => {
    const report = sick();
    expect(report.findings.flatMap(({ next }) => next.flat())).toContain('--yes');
    for (const text of [
      renderText(report, SCREEN),
      renderText(report, PLAIN),
      renderMarkdown(report),
      renderHtml(report, null),
      renderGithub(report),
    ])
      expect(text).not.toContain('--yes');
  });
});
