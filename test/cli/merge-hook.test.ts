/** The hook is added to existing settings of Claude Code, and every other byte of them is preserved. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { changedLines } from '../../src/cli/init/changed-lines.ts';
import { mergeHook } from '../../src/cli/init/merge-hook.ts';
import { FORMER_HOOK_COMMANDS, HOOK_COMMAND, HOOK_ENTRY, HOOK_TEXT } from '../../src/cli/init/texts.ts';

const merged = (text: string): string => {
  const merge = mergeHook(text);
  if (merge.kind !== 'merged') throw new Error(JSON.stringify(merge));
  return merge.text;
};

/** Whether the only change is an insertion in one place; an empty list may lose its space. */
const isInsertion = (...texts: [string, string]): boolean => {
  const [before, after] = texts.map((text) => text.replace(/\[\s+\]/g, '[]')) as [string, string];
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  const rest = before.slice(start);
  return after.endsWith(rest) && after.length > before.length;
};

describe('existing settings', () => {
  test.each([
    ['an empty object', '{}\n'],
    ['no hooks', '{\n\t"model": "opus"\n}\n'],
    ['empty hooks', '{\n    "hooks": {}\n}'],
    [
      'hooks of other events',
      '{\n  "hooks": {\n    "Stop": [\n      { "hooks": [] }\n    ]\n  },\n  "a": 1\n}\n',
    ],
    ['hooks of the same event', '{"hooks": {"UserPromptSubmit": [{"hooks": []}]}, "b": "}{][\\"\\\\"}'],
    ['one line, with spaces', '{ "a": [1, 2], "hooks": { "UserPromptSubmit": [ ] } }'],
    ['Windows line endings', '{\r\n  "a": true\r\n}\r\n'],
    ['a duplicate key', '{ "hooks": 1, "hooks": { "Stop": [] } }'],
    ['a key with an escape sequence', '{ "ho\\u006fks": { "Stop": [] } }'],
  ])('%s: the hook is added, and nothing else changes', (_, before) => {
    const after = merged(before);
    expect(isInsertion(before, after)).toBe(true);
    const old = JSON.parse(before);
    const events = old.hooks ?? {};
    expect(JSON.parse(after)).toEqual({
      ...old,
      hooks: { ...events, UserPromptSubmit: [...(events.UserPromptSubmit ?? []), HOOK_ENTRY] },
    });
    expect(mergeHook(after)).toEqual({ kind: 'there' });
    if (before.includes('\r\n')) expect(after).not.toMatch(/[^\r]\n/);
  });

  test('arbitrary settings: the hook is added, and nothing else changes', () => {
    const settings = fc.record(
      {
        before: fc.jsonValue(),
        hooks: fc.dictionary(fc.string(), fc.array(fc.jsonValue())),
        after: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(settings, fc.constantFrom('', '  ', '\t', ' '), (value, indent) => {
        const before = JSON.stringify(value, null, indent);
        fc.pre(!before.includes('doctor preflight'));
        const after = merged(before);
        expect(isInsertion(before, after)).toBe(true);
        const { hooks, ...rest } = JSON.parse(after);
        const { hooks: oldHooks = {}, ...oldRest } = JSON.parse(before);
        expect(rest).toEqual(oldRest);
        expect({ ...hooks, UserPromptSubmit: hooks.UserPromptSubmit.slice(0, -1) }).toEqual({
          UserPromptSubmit: [],
          ...oldHooks,
        });
      }),
    );
  });

  test.each([
    ['{ "a": 1, }', 'it is not valid JSON'],
    ['{ // comment\n}', 'it is not valid JSON'],
    ['', 'it is not valid JSON'],
    ['[]', 'it is not a JSON object'],
    ['null', 'it is not a JSON object'],
    ['{"hooks": []}', 'its "hooks" is not an object'],
    ['{"hooks": {"UserPromptSubmit": {}}}', 'its "UserPromptSubmit" is not a list'],
  ])('%s is refused: %s', (text, why) => {
    expect(mergeHook(text)).toEqual({ kind: 'refused', why });
  });

  test('a hook of ours is recognized, even if it was changed by hand', () => {
    expect(mergeHook(HOOK_TEXT)).toEqual({ kind: 'there' });
    expect(mergeHook(HOOK_TEXT.replace('preflight -q', 'preflight'))).toEqual({ kind: 'there' });
  });
});

describe('a hook that an earlier version wrote', () => {
  const others = {
    a: 1,
    hooks: {
      SessionStart: [{ hooks: [{ type: 'command', command: FORMER_HOOK_COMMANDS[0] }] }],
      UserPromptSubmit: [{ hooks: [{ type: 'command', command: 'mine' }] }],
    },
  };

  test.each(FORMER_HOOK_COMMANDS)('is renewed, once, and nothing else changes: %s', (command) => {
    for (const indent of [undefined, 2, '\t']) {
      const settings = structuredClone(others);
      settings.hooks.UserPromptSubmit.push({ hooks: [{ type: 'command', command }] });
      const before = JSON.stringify(settings, null, indent);
      const merge = mergeHook(before);
      if (merge.kind !== 'renewed') throw new Error(merge.kind);
      // In SessionStart it never refused anything, and it may be there for another reason.
      const at = before.lastIndexOf(JSON.stringify(command));
      const end = at + JSON.stringify(command).length;
      expect(merge.text).toBe(before.slice(0, at) + JSON.stringify(HOOK_COMMAND) + before.slice(end));
      expect(mergeHook(merge.text)).toEqual({ kind: 'there' });
    }
  });

  test('stays if it was changed by hand, and so does that of somebody else', () => {
    for (const command of [`${FORMER_HOOK_COMMANDS[0]} # mine`, `cd x; ${FORMER_HOOK_COMMANDS[1]}`])
      expect(mergeHook(JSON.stringify({ hooks: { UserPromptSubmit: [{ hooks: [{ command }] }] } }))).toEqual({
        kind: 'there',
      });
    expect(mergeHook(JSON.stringify(others))).toMatchObject({ kind: 'merged' });
  });
});

test('a change is shown with the lines around it', () => {
  expect(changedLines('a\nb\nc\nd\n', 'a\nb\nc,\nx\nd\n')).toEqual([
    '  a',
    '  b',
    '- c',
    '+ c,',
    '+ x',
    '  d',
    '  ',
  ]);
  expect(changedLines('a\n', 'a\n')).toEqual([]);
});
