/** Adds the hook to settings of Claude Code that are there, or renews an earlier one of ours: nothing else in the text changes. Pure. */
import { tryOr } from '../../io/try-or.ts';
import { FORMER_HOOK_COMMANDS, HOOK_COMMAND, HOOK_ENTRY } from './texts.ts';

/** `refused`: why it cannot be added, a sentence fragment. */
export type Merge =
  | { readonly kind: 'there' }
  | { readonly kind: 'merged' | 'renewed'; readonly text: string }
  | { readonly kind: 'refused'; readonly why: string };

const EVENT = 'UserPromptSubmit';

/**
 * The settings with the hook as the last one of its event, or in the place of one that an earlier version wrote. Formatting, order
 * and all other keys stay as they are, and so does a hook of ours that was changed by hand.
 */
export const mergeHook = (text: string): Merge => {
  let settings: unknown;
  try {
    settings = JSON.parse(text);
  } catch {
    return refused('it is not valid JSON');
  }
  if (!isObject(settings)) return refused('it is not a JSON object');
  const { hooks = {} } = settings;
  if (!isObject(hooks)) return refused('its "hooks" is not an object');
  const { [EVENT]: entries = [] } = hooks;
  if (!Array.isArray(entries)) return refused(`its "${EVENT}" is not a list`);
  const renewed = withHookRenewed(text);
  if (renewed !== text) return { kind: 'renewed', text: renewed };
  if (JSON.stringify(entries).includes('doctor preflight')) return { kind: 'there' };
  const merged = withHook(text);
  const wanted = { ...settings, hooks: { ...hooks, [EVENT]: [...entries, HOOK_ENTRY] } };
  return sameJson(merged, wanted)
    ? { kind: 'merged', text: merged }
    : refused('the place for the hook was not found in it');
};

const refused = (why: string): Merge => ({ kind: 'refused', why });

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const sameJson = (text: string, wanted: unknown): boolean =>
  tryOr(() => JSON.stringify(JSON.parse(text)) === JSON.stringify(wanted), false);

const STRING = /"(?:[^"\\]|\\.)*"/g;

/** With every earlier command of ours in the hooks of the event replaced; the same text where there is none. */
const withHookRenewed = (text: string): string => {
  const hooks = valueAt(text, skipSpace(text, 0), 'hooks');
  const entries = hooks === null ? null : valueAt(text, hooks, EVENT);
  if (entries === null) return text;
  const end = endOfValue(text, entries);
  const renewed = text
    .slice(entries, end)
    .replace(STRING, (token) =>
      FORMER_HOOK_COMMANDS.includes(JSON.parse(token)) ? JSON.stringify(HOOK_COMMAND) : token,
    );
  return text.slice(0, entries) + renewed + text.slice(end);
};

/** Into the innermost of the file, its hooks, and those of the event that is there. */
const withHook = (text: string): string => {
  const root = skipSpace(text, 0);
  const hooks = valueAt(text, root, 'hooks');
  if (hooks === null) return insert(text, root, 'hooks', { [EVENT]: [HOOK_ENTRY] });
  const entries = valueAt(text, hooks, EVENT);
  if (entries === null) return insert(text, hooks, EVENT, [HOOK_ENTRY]);
  return insert(text, entries, null, HOOK_ENTRY);
};

/** Adds a member to the object or list whose bracket opens here: on lines of its own, unless all others share one line. */
const insert = (text: string, open: number, key: string | null, value: unknown): string => {
  const close = endOfValue(text, open) - 1;
  const inside = text.slice(open + 1, close);
  const isEmpty = inside.trim() === '';
  const name = key === null ? '' : `${JSON.stringify(key)}: `;
  if (!isEmpty && !inside.includes('\n')) {
    const space = /\s*$/.exec(inside)?.[0] ?? '';
    return `${text.slice(0, close - space.length)}, ${name}${JSON.stringify(value)}${space}${text.slice(close)}`;
  }
  const unit = /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const base = indentAt(text, isEmpty ? open : close);
  const lines = JSON.stringify(value, null, unit).split('\n').join(`${end}${base}${unit}`);
  const before = isEmpty ? text.slice(0, open + 1) : `${text.slice(0, close).trimEnd()},`;
  return `${before}${end}${base}${unit}${name}${lines}${end}${base}${text.slice(close)}`;
};

const indentAt = (text: string, at: number): string =>
  /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', at - 1) + 1))?.[0] ?? '';

/** Where the value of a key of the object begins that opens here; of several the last one, which counts. */
const valueAt = (text: string, open: number, key: string): number | null => {
  let found: number | null = null;
  for (let at = skipSpace(text, open + 1); text[at] === '"'; ) {
    const end = endOfValue(text, at);
    const value = skipSpace(text, skipSpace(text, end) + ':'.length);
    if (JSON.parse(text.slice(at, end)) === key) found = value;
    const next = skipSpace(text, endOfValue(text, value));
    at = skipSpace(text, next + ','.length);
  }
  return found;
};

const skipSpace = (text: string, at: number): number => at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0);

const PIECE = /"(?:[^"\\]|\\.)*"|[[\]{}]|[^"[\]{}]+/y;

/** The place behind the JSON value that begins here. */
const endOfValue = (text: string, start: number): number => {
  let depth = 0;
  for (let at = start; at < text.length; ) {
    PIECE.lastIndex = at;
    const [piece] = PIECE.exec(text) ?? [text[at] ?? ''];
    if (depth === 0 && !/^["[{]/.test(piece))
      return start + (/^[^,\s\]}]*/.exec(text.slice(start))?.[0].length ?? 0);
    at += piece.length;
    if (piece === '{' || piece === '[') depth += 1;
    if (piece === '}' || piece === ']') depth -= 1;
    if (depth === 0) return at;
  }
  return text.length;
};
