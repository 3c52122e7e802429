import { describe, expect, test } from '@jest/globals';
import { FORMATS, isLate, LATE_FORMATS } from '../../src/cli/formats.ts';
import { renderGithub } from '../../src/reporters/github.ts';
import { jsonPieces, renderJson } from '../../src/reporters/json.ts';
import { renderMarkdown } from '../../src/reporters/markdown.ts';
import { renderNdjson } from '../../src/reporters/ndjson.ts';
import { renderReport } from '../../src/reporters/render.ts';
import { PLAIN } from '../../src/reporters/screen/style.ts';
import { crowded, doubtful, healthy, hostile, sick } from './reports.ts';

test.each(FORMATS)('%s contains no control characters, whatever a name contains', async (format) => {
  const text = isLate(format)
    ? (await LATE_FORMATS[format]())(hostile(), true, null)
    : renderReport(hostile(), format, PLAIN);
  expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(text.endsWith('\n')).toBe(true);
});

describe('json', () => {
  test('parses to the same report', () => {
    for (const report of [healthy(), sick(), hostile(), doubtful()]) {
      expect(JSON.parse(renderJson(report))).toEqual(report);
      const lines = [...jsonPieces(report)].join('').split('\n');
      expect(lines.filter((line) => line.startsWith('    {')).length).toBeGreaterThanOrEqual(
        report.locks.length,
      );
    }
  });

  test('keeps characters outside the basic plane and lone surrogates', () => {
    const text = { a: '\u{e0041}\u{1f512}\ud800' };
    expect(JSON.parse(renderJson(text))).toEqual(text);
    expect(renderJson(text)).toContain('\\udb40\\udc41');
  });
});

describe('ndjson', () => {
  test('starts with start, ends with summary, and lists every check before its findings', () => {
    const events = renderNdjson(sick())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; id?: string; check?: string; exitCode?: number });
    expect(events[0]?.event).toBe('start');
    expect(events.at(-1)).toMatchObject({ event: 'summary', exitCode: 1 });
    const checks = events.filter(({ event }) => event === 'check').map(({ id }) => id);
    expect(checks).toEqual(sick().checks.map(({ id }) => id));
    const findings = events.flatMap((event, at) => (event.event === 'finding' ? [{ event, at }] : []));
    expect(findings).toHaveLength(2);
    for (const { event, at } of findings)
      expect(
        events
          .slice(0, at)
          .filter(({ event: kind }) => kind === 'check')
          .at(-1)?.id,
      ).toBe(event.check);
  });

  test('reports the outcome of a fix', () => {
    const report = sick();
    const fixed = {
      ...report,
      findings: report.findings.map((finding) =>
        finding.fix === null
          ? finding
          : { ...finding, fix: { ...finding.fix, status: 'fixed' as const, backup: '/b' } },
      ),
    };
    expect(renderNdjson(fixed).match(/"event":"fix"/g)).toHaveLength(2);
    expect(renderNdjson(report)).not.toContain('"event":"fix"');
  });
});

describe('markdown', () => {
  test('is a table that can be pasted into an issue', () => {
    expect(renderMarkdown(sick())).toBe(`## lock-doctor

/town: 3 locks, 1 tmux server with 1 session

| | check | worker | finding | fix |
|---|---|---|---|---|
| warning | invalid-lock | \`gastown/crew/joe\` | not a valid lock: the file is empty; written 8 h ago | doctor --fix releases it |
| warning | stale-lock | \`gastown/crew/bob\` | its process (4242) and pane (%55) are gone; taken 8 h ago | doctor --fix releases it |

**3 locks: 1 held, 1 stale, 1 invalid.**

2 locks can be released. Run:

\`\`\`sh
doctor --fix --town /town
\`\`\`
`);
  });

  test('treats nothing in a name as markup or a mention', () => {
    const text = renderMarkdown(hostile());
    expect(text).not.toContain('<b>');
    expect(text).not.toMatch(/@all/);
    const row = text.split('\n').find((line) => line.startsWith('| warning')) ?? '';
    expect(row.replaceAll('\\|', '').match(/\|/g)).toHaveLength(6);
  });

  test('has no table for a healthy town', () => {
    expect(renderMarkdown(healthy())).not.toContain('|');
  });
});

describe('github', () => {
  test('prints one annotation per finding, with the lock file', () => {
    const lines = renderGithub(sick()).trimEnd().split('\n');
    expect(lines).toEqual([
      '::warning file=/town/gastown/crew/joe/.runtime/agent.lock,title=invalid-lock::gastown/crew/joe: not a valid lock: the file is empty; written 8 h ago (doctor --fix releases it)%0Adoctor --fix --worker gastown/crew/joe --town /town',
      '::warning file=/town/gastown/crew/bob/.runtime/agent.lock,title=stale-lock::gastown/crew/bob: its process (4242) and pane (%2555) are gone; taken 8 h ago (doctor --fix releases it)%0Adoctor --fix --worker gastown/crew/bob --town /town',
      'lock-doctor: 3 locks: 1 held, 1 stale, 1 invalid.',
    ]);
  });

  test('does not let a name start a workflow command', () => {
    for (const line of renderGithub(hostile()).trimEnd().split('\n'))
      expect(line).toMatch(/^(::warning |lock-doctor: )/);
    expect(renderGithub(crowded(2)).match(/^::/gm)).toHaveLength(2);
  });
});
