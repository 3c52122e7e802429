/**
 * The HTML page, also in a browser.
 * Runs beside others: the browser only shows one page, and no test looks at processes.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { History } from '../../../src/core/types/history.ts';
import type { Report } from '../../../src/core/types/report.ts';
import { renderHtml } from '../../../src/reporters/html/page.ts';
import { hasChromium, openPage } from '../../support/chromium.ts';
import { cleanUp } from '../../support/clean-up.ts';
import { aLock, aPane, aServer } from '../../support/snapshot.ts';
import { crowded, doubtful, healthy, hostile, reportOf, sick } from '../reports.ts';

afterEach(cleanUp);

const HOSTILE =
  '<img src=x onerror="document.title=1">\'"&amp;</style><script>document.title=2</script>\u202e';

const HISTORY: History = {
  events: [
    {
      at: '2026-11-22T20:00:00.000Z',
      deed: 'released',
      id: '20261122T200000Z-abcdef-1',
      worker: 'gastown/crew/bob',
      backup: null,
      lock: {
        kind: 'agent',
        state: 'stale',
        forced: true,
        holder: { pid: 77, sessionId: '%9', hostname: 'here' },
      },
      by: null,
      reason: null,
    },
    {
      at: '2026-11-22T21:00:00.000Z',
      deed: 'tidied',
      id: null,
      worker: HOSTILE,
      backup: null,
      lock: null,
      by: null,
      reason: HOSTILE,
    },
  ],
  missing: HOSTILE,
};

/** Two agents in one worker, a dead lock, and a lock with hostile names. */
const dangerous = (): Report =>
  reportOf({
    locks: [
      aLock('gastown/crew/ada'),
      aLock('gastown/crew/bob', { sessionId: '%55' }),
      aLock(`gastown/crew/${HOSTILE}`, { sessionId: HOSTILE, hostname: HOSTILE }),
      aLock(`gastown/crew/${'long'.repeat(60)}`, { sessionId: '%56' }),
    ],
    servers: [aServer([aPane(), aPane({ id: '%4', sessionId: '$2', sessionName: HOSTILE, pid: 701 })])],
  });

describe('the HTML page', () => {
  test('contains all evidence, reasons, notes, digests and messages', () => {
    for (const report of [sick(), doubtful(), dangerous(), crowded(40)]) {
      const page = renderHtml(report, null);
      const escaped = (text: string): boolean =>
        page.includes(text.replaceAll('&', '&amp;').replaceAll("'", '&#39;').replaceAll('"', '&quot;'));
      for (const { evidence, reasons, notes, sha256 } of report.locks) {
        const texts = [...evidence.map(({ text }) => text), ...reasons, ...notes, sha256 ?? ''];
        for (const text of texts)
          if (!text.includes('<')) expect([text, escaped(text)]).toEqual([text, true]);
      }
      for (const { message } of report.findings)
        if (!message.includes('<')) expect([message, escaped(message)]).toEqual([message, true]);
      for (const { what, why } of report.gaps) expect([escaped(what), escaped(why)]).toEqual([true, true]);
    }
  });

  test('lists the events of the journal and the existing locks in order', () => {
    const page = renderHtml(sick(), HISTORY);
    const moments = [...page.matchAll(/<li><span class="faint small"><time datetime="([^"]+)"/g)].map(
      ([, at]) => at,
    );
    expect(moments).toEqual([
      '2026-11-22T19:00:00.000Z',
      '2026-11-22T19:00:00.000Z',
      '2026-11-22T20:00:00.000Z',
      '2026-11-22T21:00:00.000Z',
    ]);
    expect(page).toContain(
      'stale, by force; naming PID 77 in %9 on here; undo: doctor undo 20261122T200000Z-abcdef-1',
    );
    expect(page).toContain('Part of the journal could not be read');
  });

  test('lists only the locks without a journal, and has no empty sections', () => {
    expect(renderHtml(sick(), null).match(/<time datetime/g)?.length).toBeGreaterThan(2);
    const nothing = renderHtml(reportOf({}), null);
    for (const heading of ['Findings', 'Locks', 'Timeline'])
      expect(nothing).not.toContain(`<h2>${heading}</h2>`);
  });

  test('loads nothing from elsewhere and contains no script', () => {
    for (const report of [healthy(), hostile(), dangerous()]) {
      const page = renderHtml(report, HISTORY);
      expect(page).not.toMatch(/<(?:script|img|link|iframe|object|a)\b|url\(|@import/i);
      expect(page).toContain('default-src &#39;none&#39;');
    }
  });
});

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const inChromium = hasChromium ? describe : describe.skip;

inChromium('the HTML page in a browser (skipped without Chromium)', () => {
  const pages = () => [
    ['healthy', renderHtml(healthy(), null)],
    ['dangerous', renderHtml(dangerous(), HISTORY)],
    ['doubtful', renderHtml(doubtful(), HISTORY)],
    ['hostile', renderHtml(hostile(), HISTORY)],
    ['crowded', renderHtml(crowded(60), null)],
  ];

  test('fits 1280, 400 and 320 pixels without horizontal scrolling', async () => {
    const page = await openPage();
    for (const [name = '', html = ''] of pages())
      for (const width of [1280, 400, 320]) {
        await page.show(html, { width });
        const over = await page.evaluate<readonly string[]>(
          `[...document.querySelectorAll('body, body *')]
            .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5).map(({ outerHTML }) => outerHTML.slice(0, 80))`,
        );
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
        expect([name, width, over, wide <= width]).toEqual([name, width, [], true]);
      }
    expect(page.requests()).toBe(0);
  });

  test('shows a name as it is, without running it or turning it into elements', async () => {
    const page = await openPage();
    await page.show(renderHtml(dangerous(), HISTORY), { width: 1280 });
    expect(await page.evaluate('document.title')).toBe('lock-doctor: /town');
    expect(await page.evaluate('document.querySelectorAll("script, img, a, [onerror]").length')).toBe(0);
    const names = await page.evaluate<readonly string[]>(
      '[...document.querySelectorAll("h3.name")].map((one) => one.textContent)',
    );
    expect(names).toContain(`gastown/crew/${HOSTILE.replace('\u202e', '\\u{202e}')}`);
  });

  test('passes axe in light and dark mode', async () => {
    const page = await openPage();
    for (const [name = '', html = ''] of pages())
      for (const dark of [false, true]) {
        await page.show(html, { width: 1280, dark });
        await page.evaluate(axe);
        const faults = await page.evaluate<readonly { id: string; nodes: readonly { html: string }[] }[]>(
          `axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => ({ html, failureSummary })) })))`,
        );
        expect([name, dark, faults]).toEqual([name, dark, []]);
      }
  }, 120_000);
});
