import { describe, expect, test } from '@jest/globals';
import { createColors } from 'picocolors';
import { renderText } from '../../src/reporters/render.ts';
import { displayWidth } from '../../src/reporters/screen/display-width.ts';
import { PLAIN } from '../../src/reporters/screen/style.ts';
import { aLock, aPane, aServer } from '../support/snapshot.ts';
import { crowded, doubtful, healthy, hostile, reportOf, SCREEN, sick } from './reports.ts';

describe('the text report on a screen', () => {
  test('is short for a healthy town and says so', () => {
    expect(renderText(healthy(), SCREEN)).toBe('✔ /town: 1 lock, held by a live agent. No problems found.\n');
  });

  test('says how to look at an idle session and how to end it, and reports no live agent', () => {
    const servers = [aServer([aPane({ command: 'bash' })], { socket: '/tmp/a socket' })];
    const text = renderText(reportOf({ locks: [aLock('gastown/crew/ada')], servers }), SCREEN);
    expect(text.slice(text.indexOf('1 lock: '))).toBe(`1 lock: 1 held (1 idle). No problems found.
1 session is idle. Look at it, then end it:
  tmux -S '/tmp/a socket' attach-session -t '%3'
  tmux -S '/tmp/a socket' kill-session -t '$1'
`);
    expect(text).not.toContain('live agent');
  });

  test('gives result, reason and next command of a town with stale locks, in that order', () => {
    expect(renderText(sick(), SCREEN)).toBe(`/town: 3 locks, 1 tmux server with 1 session

⚠ gastown/crew/joe: not a valid lock: the file is empty; written 8 h ago
⚠ gastown/crew/bob: its process (4242) and pane (%55) are gone; taken 8 h ago

3 locks: 1 held, 1 stale, 1 invalid.
2 locks can be released. Run:
  doctor --fix --town /town
`);
  });

  test('lists what could not be checked', () => {
    const text = renderText(doubtful(), SCREEN);
    expect(text).toContain('? gastown/crew/ada: cannot tell: ');
    expect(text).toContain(
      '? 1 place could not be checked:\n    tmux /tmp/tmux-1000/town-1a2b3c: did not answer within 2000 ms\n',
    );
    expect(text).toContain('1 lock and 1 place could not be checked:\n');
  });

  test('shows the worst fifteen workers and counts the rest', () => {
    const lines = renderText(crowded(17), SCREEN).split('\n');
    expect(lines.filter((line) => line.includes('gastown/crew/w'))).toHaveLength(15);
    expect(lines).toContain('  and 2 more: doctor -v');
    expect(renderText(crowded(15), SCREEN)).not.toContain('more:');
    const all = renderText(crowded(17), { ...SCREEN, verbosity: 'verbose' });
    expect(all.match(/^⚠ gastown\/crew\/w/gm)).toHaveLength(17);
  });

  test.each([40, 60, 80, 120])('stays within %d columns, except for words that cannot be broken', (width) => {
    for (const report of [sick(), doubtful(), crowded(3), healthy()])
      for (const line of renderText(report, { ...SCREEN, width }).split('\n'))
        if (!/^ {2}doctor |\S{30}/.test(line)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
  });

  test('does not break lines if the width of the terminal is unknown', () => {
    const text = renderText(doubtful(), { ...SCREEN, width: 0 });
    expect(text.split('\n').length).toBe(
      renderText(doubtful(), { ...SCREEN, width: 1000 }).split('\n').length,
    );
  });

  test('is printable ASCII with --ascii, with distinct symbols', () => {
    for (const report of [sick(), doubtful(), hostile(), healthy()]) {
      const text = renderText(report, { ...SCREEN, ascii: true });
      expect(text).toMatch(/^[\n -~]*$/);
    }
    expect(renderText(sick(), { ...SCREEN, ascii: true })).toContain('!  gastown/crew/bob: ');
    expect(renderText(healthy(), { ...SCREEN, ascii: true })).toContain('ok /town: 1 lock, ');
  });

  test('is empty with --quiet if nothing is wrong, and lists only problems otherwise', () => {
    expect(renderText(healthy(), { ...SCREEN, verbosity: 'quiet' })).toBe('');
    expect(renderText(sick(), { ...SCREEN, verbosity: 'quiet' })).toBe(
      `⚠ gastown/crew/joe: not a valid lock: the file is empty; written 8 h ago
⚠ gastown/crew/bob: its process (4242) and pane (%55) are gone; taken 8 h ago
`,
    );
  });

  test('lists evidence, tmux servers and timings with --verbose', () => {
    const text = renderText(sick(), { ...SCREEN, verbosity: 'verbose' });
    expect(text).toContain('  tmux /tmp/tmux-1000/town-1a2b3c: 1 session, 1 pane\n');
    expect(text).toContain('⚠ Stale locks: 1 (0 ms)\n');
    expect(text).toContain('✔ Collisions: none (0 ms)\n');
    expect(text).toContain('      processes: no process 4242\n');
  });

  test('contains the same text with and without color', () => {
    const colored = renderText(sick(), { ...SCREEN, colors: createColors(true) });
    expect(colored).toContain('\u001b[');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: this test removes the color codes
    expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(renderText(sick(), SCREEN));
  });

  test('shows a crashed check with its error', () => {
    const crashing = {
      id: 'acme/x',
      title: 'Mine',
      summary: '',
      run: () => {
        throw new Error('no such field');
      },
    };
    expect(renderText(reportOf({}, [crashing]), SCREEN)).toContain('✖ Mine: crashed, no such field\n');
  });
});

describe('the text report for a pipe', () => {
  test('has one finding per line', () => {
    expect(renderText(sick(), PLAIN)).toBe(`town /town: 3 locks, 1 tmux server with 1 session
warning invalid-lock gastown/crew/joe: not a valid lock: the file is empty; written 8 h ago (doctor --fix releases it)
warning stale-lock gastown/crew/bob: its process (4242) and pane (%55) are gone; taken 8 h ago (doctor --fix releases it)
summary 3 locks: 1 held, 1 stale, 1 invalid.
summary 2 locks can be released.
next doctor --fix --town /town
`);
  });

  test('shows every finding, however many there are', () => {
    expect(renderText(crowded(40), PLAIN).match(/^warning stale-lock /gm)).toHaveLength(40);
  });

  test('lists gaps and doubts', () => {
    const text = renderText(doubtful(), { ...PLAIN, verbosity: 'quiet' });
    expect(text).toMatch(/^unknown undecided-lock gastown\/crew\/ada: /m);
    expect(text).toMatch(/^gap tmux:\/tmp\/tmux-1000\/town-1a2b3c: did not answer within 2000 ms$/m);
  });

  test('never contains a control character or a line break from a name', () => {
    const text = renderText(hostile(), { ...PLAIN, verbosity: 'verbose' });
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('\\x1b[31mred\\u{202e}\\n::error::x');
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(town|tmux|check|warning|info|summary|next| {2}\w+:) /);
  });
});
