import { describe, expect, test } from '@jest/globals';
import { createColors } from 'picocolors';
import { displayWidth } from '../../src/reporters/screen/display-width.ts';
import { PLAIN } from '../../src/reporters/screen/style.ts';
import { renderText } from '../../src/reporters/text.ts';
import { aLock, aPane, aServer } from '../support/snapshot.ts';
import { crowded, doubtful, healthy, hostile, reportOf, SCREEN, sick } from './reports.ts';

describe('a screen', () => {
  test('of a healthy town is short and says that all is well', () => {
    expect(renderText(healthy(), SCREEN)).toBe(`/town (given): 1 lock, 1 tmux server with 1 session, 143 ms

✔ Invalid locks
✔ Stale locks
✔ Orphaned locks
✔ Idle sessions
✔ Collisions
✔ Undecided locks
✔ Tracked locks
✔ Legacy layout
✔ Lock debris

The one lock is held by a live agent.
`);
  });

  test('of an idle session says how to look at it and how to end it, and speaks of no live agent', () => {
    const servers = [aServer([aPane({ command: 'bash' })], { socket: '/tmp/a socket' })];
    const text = renderText(reportOf({ locks: [aLock('gastown/crew/ada')], servers }), SCREEN);
    expect(text.slice(text.indexOf('1 lock: '))).toBe(`1 lock: 1 held (1 idle).
1 session stands idle. To look, and then to end it:
  tmux -S '/tmp/a socket' attach-session -t '%3'
  tmux -S '/tmp/a socket' kill-session -t '$1'
`);
    expect(text).not.toContain('live agent');
  });

  test('of a sick town gives answer, reason and next command, in that order', () => {
    expect(renderText(sick(), SCREEN)).toBe(`/town (given): 3 locks, 1 tmux server with 1 session, 143 ms

⚠ Invalid locks: 1
  ⚠ gastown/crew/joe: no lock record: the file is empty
⚠ Stale locks: 1
  ⚠ gastown/crew/bob: process 4242 gone, pane %55 gone, 8 h
✔ Orphaned locks
✔ Idle sessions
✔ Collisions
✔ Undecided locks
✔ Tracked locks
✔ Legacy layout
✔ Lock debris

3 locks: 1 held, 1 stale, 1 invalid.
2 locks can be released now:
  doctor --fix --town /town
`);
  });

  test('says what could not be looked at', () => {
    const text = renderText(doubtful(), SCREEN);
    expect(text).toContain('? Undecided locks: 1\n');
    expect(text).toContain(
      '? Not looked at: 1\n    tmux:/tmp/tmux-1000/town-1a2b3c: did not answer within 2000 ms\n',
    );
    expect(text).toContain('1 lock could not be decided, 1 place could not be looked at:\n');
  });

  test('shows ten findings of a check and counts the rest', () => {
    const lines = renderText(crowded(12), SCREEN).split('\n');
    expect(lines.filter((line) => line.includes('gastown/crew/w'))).toHaveLength(10);
    expect(lines).toContain('    and 2 more: doctor --json');
    expect(renderText(crowded(10), SCREEN)).not.toContain('more:');
  });

  test.each([40, 60, 80, 120])('keeps within %d columns, but for words that cannot be broken', (width) => {
    for (const report of [sick(), doubtful(), crowded(3), healthy()])
      for (const line of renderText(report, { ...SCREEN, width }).split('\n'))
        if (!/^ {2}doctor |\S{30}/.test(line)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
  });

  test('does not break lines where the terminal does not know its width', () => {
    const text = renderText(doubtful(), { ...SCREEN, width: 0 });
    expect(text.split('\n').length).toBe(
      renderText(doubtful(), { ...SCREEN, width: 1000 }).split('\n').length,
    );
  });

  test('is printable ASCII with --ascii, and its signs still differ', () => {
    for (const report of [sick(), doubtful(), hostile(), healthy()]) {
      const text = renderText(report, { ...SCREEN, ascii: true });
      expect(text).toMatch(/^[\n -~]*$/);
    }
    expect(renderText(sick(), { ...SCREEN, ascii: true })).toContain(
      '!  Stale locks: 1\n  ! gastown/crew/bob: ',
    );
    expect(renderText(healthy(), { ...SCREEN, ascii: true })).toContain('ok Stale locks\n');
  });

  test('quiet is empty when nothing is wrong, and else shows what is', () => {
    expect(renderText(healthy(), { ...SCREEN, verbosity: 'quiet' })).toBe('');
    expect(renderText(sick(), { ...SCREEN, verbosity: 'quiet' })).toBe(`⚠ Invalid locks: 1
  ⚠ gastown/crew/joe: no lock record: the file is empty
⚠ Stale locks: 1
  ⚠ gastown/crew/bob: process 4242 gone, pane %55 gone, 8 h
`);
  });

  test('verbose shows the evidence, the tmux servers and the timings', () => {
    const text = renderText(sick(), { ...SCREEN, verbosity: 'verbose' });
    expect(text).toContain('  tmux /tmp/tmux-1000/town-1a2b3c: 1 session, 1 pane\n');
    expect(text).toContain('⚠ Stale locks: 1 (0 ms)\n');
    expect(text).toContain('      processes: no process 4242\n');
  });

  test('colour adds nothing that is not said without it', () => {
    const colored = renderText(sick(), { ...SCREEN, colors: createColors(true) });
    expect(colored).toContain('\u001b[');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: taking colour off is the purpose
    expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(renderText(sick(), SCREEN));
  });

  test('a crashed check is shown with what it said', () => {
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

describe('lines for a pipe', () => {
  test('stand alone, one finding each', () => {
    expect(renderText(sick(), PLAIN)).toBe(`town /town (given): 3 locks, 1 tmux server with 1 session, 143 ms
warning invalid-lock gastown/crew/joe: no lock record: the file is empty (doctor --fix releases it)
warning stale-lock gastown/crew/bob: process 4242 gone, pane %55 gone, 8 h (doctor --fix releases it)
summary 3 locks: 1 held, 1 stale, 1 invalid.
summary 2 locks can be released now.
next doctor --fix --town /town
`);
  });

  test('show every finding, however many', () => {
    expect(renderText(crowded(40), PLAIN).match(/^warning stale-lock /gm)).toHaveLength(40);
  });

  test('name gaps and doubt', () => {
    const text = renderText(doubtful(), { ...PLAIN, verbosity: 'quiet' });
    expect(text).toMatch(/^unknown undecided-lock gastown\/crew\/ada: /m);
    expect(text).toMatch(/^gap tmux:\/tmp\/tmux-1000\/town-1a2b3c: did not answer within 2000 ms$/m);
  });

  test('never carry a control character or a line break out of a name', () => {
    const text = renderText(hostile(), { ...PLAIN, verbosity: 'verbose' });
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('\\x1b[31mred\\u{202e}\\n::error::x');
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(town|tmux|check|warning|info|summary|next| {2}\w+:) /);
  });
});
