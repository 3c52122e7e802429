/** Pages of `explain` at a terminal: nothing breaks where it would be read or pasted wrongly. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { renderPage } from '../../../src/cli/pages.ts';
import { withoutForceRecipe } from '../../../src/cli/words/force-recipe.ts';
import { createPen, PLAIN, type Presentation } from '../../../src/reporters/screen/style.ts';
import { cleanUp, makeTown } from '../../support/index.ts';
import { doctorInProcess } from '../in-process.ts';

afterEach(cleanUp);

const SCREEN: Presentation = { ...PLAIN, layout: 'screen', width: 40 };

const shown = (markdown: string): readonly string[] => renderPage(markdown, createPen(SCREEN), SCREEN);

test('a page without the recipe for force keeps the other sentences of its paragraph', () => {
  expect(
    withoutForceRecipe(
      'Stop one\nyourself. Release the other by\nname: doctor --fix --force --worker W.\n\nThat is all.',
    ),
  ).toBe('Stop one\nyourself. A person at a terminal may release a lock by name.\n\nThat is all.');
});

describe('a page at 40 columns', () => {
  test('hangs the further lines of a list item below its first word', () => {
    expect(
      shown(
        '- one two three four five six seven eight nine ten\n- eleven\n\n10. one two three four five six seven eight',
      ),
    ).toEqual([
      '- one two three four five six seven',
      '  eight nine ten',
      '- eleven',
      '',
      '10. one two three four five six seven',
      '    eight',
    ]);
  });

  test('never breaks what stands between backticks, wherever its source does', () => {
    expect(shown('To see who holds what, run `doctor explain\nWORKER`, or wait.')).toEqual([
      'To see who holds what, run',
      '`doctor explain WORKER`, or wait.',
    ]);
  });

  test('keeps a command in a block whole, and wraps a sample of a report', () => {
    expect(
      shown(
        '```\ndoctor --fix --worker gastown/crew/ada --town /srv/gt\n```\n\n```text\ninfo lock-debris ada: its writer died before\n  it finished this file\n```',
      ),
    ).toEqual([
      '  doctor --fix --worker gastown/crew/ada --town /srv/gt',
      '',
      '  info lock-debris ada: its writer',
      '    died before it finished this file',
    ]);
  });
});

const explain = (root: string, ...words: readonly string[]) =>
  doctorInProcess(['explain', ...words, '--no-color'], { cwd: root, columns: 40 });

test('every page fits into 40 columns but for what must stay whole', async () => {
  const { root } = makeTown();
  const { stdout } = await explain(root);
  const words = stdout.replace(/^[\s\S]*?(?=^States:)/m, '').match(/(?<=[:,]\s)[a-z][\w-]*/g) ?? [];
  expect(words.length).toBeGreaterThan(100);
  const { stdout: pages } = await explain(root, ...words);
  const isWhole = (line: string): boolean => line.startsWith('  ') || /^\S+$|^`[^`]+`\S*$/.test(line);
  expect(pages.split('\n').filter((line) => line.length > 40 && !isWhole(line))).toEqual([]);
});

test('a rig is refused, as preflight refuses it, and never called free', async () => {
  const { root } = makeTown({ workers: ['gastown/crew/ada'] });
  expect(await explain(root, 'gastown')).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: 'doctor: gastown is a rig, not a worker\nSee: doctor locks\n',
  });
});
