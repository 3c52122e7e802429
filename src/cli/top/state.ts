/** The state of the view beside its rows, and what each key changes in it. Pure: it returns what the caller has to do. */
import type { Key } from './keys.ts';
import { countTabs, type Tab, type TopRow, visibleRows } from './rows.ts';

/** Something to read that covers the rows. */
interface Sheet {
  /** As long as they are; wrapped when they are drawn. */
  readonly lines: readonly string[];
  /** How many lines are above the window. */
  readonly scroll: number;
}

export interface Question {
  /** What it is about. */
  readonly lines: readonly string[];
  readonly text: string;
  /** What may be typed, as it is shown. */
  readonly keys: string;
}

export interface TopState {
  /** Key of the row that actions apply to; null if no row is shown. */
  readonly selected: string | null;
  readonly tab: Tab;
  readonly filter: string;
  /** The filter is being typed. */
  readonly isTyping: boolean;
  readonly sheet: Sheet | null;
  readonly question: Question | null;
  /** What became of the last deed, or what goes on. */
  readonly message: string | null;
  /** Something is being done: nothing else begins. */
  readonly isBusy: boolean;
}

export const FIRST_STATE: TopState = {
  selected: null,
  tab: 'all',
  filter: '',
  isTyping: false,
  sheet: null,
  question: null,
  message: null,
  isBusy: false,
};

/** What a key asks for beyond the view itself. */
export type Wish =
  | { readonly kind: 'quit' }
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'help' }
  | { readonly kind: 'explain'; readonly row: TopRow }
  | { readonly kind: 'fix'; readonly row: TopRow | null }
  | { readonly kind: 'undo' }
  | { readonly kind: 'answer'; readonly text: string };

export interface Pressed {
  readonly state: TopState;
  readonly wish: Wish | null;
}

/** The view after a key; `page` is how many lines the window has. */
export const press = (state: TopState, key: Key, rows: readonly TopRow[], page: number): Pressed => {
  if (key.name === 'interrupt') return { state, wish: { kind: 'interrupt' } };
  if (state.question !== null) return answering(state, key);
  if (state.isTyping) return { state: typing(state, key), wish: null };
  if (state.sheet !== null) return reading(state, state.sheet, key, page);
  return browsing(state, key, rows, page);
};

/** The row that the deeds are about: the selected one where it is shown, else the first. */
export const selectedRow = (state: TopState, rows: readonly TopRow[]): TopRow | null => {
  const shown = visibleRows(rows, state.tab, state.filter);
  return shown.find(({ key }) => key === state.selected) ?? shown[0] ?? null;
};

/** What is selected once other rows have come: the same row, or where it went away, the one that stands in its place. */
export const stillSelected = (
  state: TopState,
  before: readonly TopRow[],
  now: readonly TopRow[],
): string | null => {
  const old = selectedRow(state, before)?.key ?? null;
  const shown = visibleRows(now, state.tab, state.filter);
  if (shown.some(({ key }) => key === old)) return old;
  const at = visibleRows(before, state.tab, state.filter).findIndex(({ key }) => key === old);
  return shown[Math.max(0, Math.min(at, shown.length - 1))]?.key ?? null;
};

/** One key is one answer; Enter and Escape mean no. */
const answering = (state: TopState, key: Key): Pressed => {
  if (key.name === 'enter' || key.name === 'escape') return { state, wish: { kind: 'answer', text: '' } };
  if (key.name !== 'character') return { state, wish: null };
  return { state, wish: { kind: 'answer', text: key.character.toLowerCase() } };
};

const typing = (state: TopState, key: Key): TopState => {
  switch (key.name) {
    case 'enter':
      return { ...state, isTyping: false };
    case 'escape':
      return { ...state, isTyping: false, filter: '' };
    case 'backspace':
      return { ...state, filter: [...state.filter].slice(0, -1).join('') };
    case 'character':
      return { ...state, filter: state.filter + key.character };
    default:
      return state;
  }
};

const reading = (state: TopState, sheet: Sheet, key: Key, page: number): Pressed => {
  const step = stepOf(key, page);
  if (step !== null) {
    const scroll = Math.max(0, Math.min(sheet.scroll + step, Math.max(0, sheet.lines.length - page)));
    return { state: { ...state, sheet: { ...sheet, scroll } }, wish: null };
  }
  const closes = key.name === 'escape' || key.name === 'enter' || isCharacter(key, 'q', 'e', '?');
  return { state: closes ? { ...state, sheet: null } : state, wish: null };
};

const browsing = (state: TopState, key: Key, rows: readonly TopRow[], page: number): Pressed => {
  const step = stepOf(key, page);
  if (step !== null) return { state: move(state, rows, step), wish: null };
  const turn = turnOf(key);
  if (turn !== 0) return { state: turnTab(state, rows, turn), wish: null };
  if (key.name === 'escape') return { state: { ...state, filter: '', message: null }, wish: null };
  const row = selectedRow(state, rows);
  if (isCharacter(key, 'e') || key.name === 'enter')
    return { state, wish: row === null ? null : { kind: 'explain', row } };
  if (isCharacter(key, 'q')) return { state, wish: { kind: 'quit' } };
  if (isCharacter(key, '?', 'h')) return { state, wish: { kind: 'help' } };
  if (isCharacter(key, '/')) return { state: { ...state, isTyping: true, message: null }, wish: null };
  if (state.isBusy) return { state, wish: null };
  if (isCharacter(key, 'f')) return { state, wish: row === null ? null : { kind: 'fix', row } };
  if (isCharacter(key, 'F')) return { state, wish: { kind: 'fix', row: null } };
  if (isCharacter(key, 'u')) return { state, wish: { kind: 'undo' } };
  return { state, wish: null };
};

const isCharacter = (key: Key, ...characters: readonly string[]): boolean =>
  key.name === 'character' && characters.includes(key.character);

/** How many lines a key moves; null for keys that do not. */
const stepOf = (key: Key, page: number): number | null => {
  if (key.name === 'up' || isCharacter(key, 'k')) return -1;
  if (key.name === 'down' || isCharacter(key, 'j')) return 1;
  if (key.name === 'page-up') return -page;
  if (key.name === 'page-down' || isCharacter(key, ' ')) return page;
  if (isCharacter(key, 'g')) return Number.NEGATIVE_INFINITY;
  return isCharacter(key, 'G') ? Number.POSITIVE_INFINITY : null;
};

const turnOf = (key: Key): -1 | 0 | 1 =>
  key.name === 'tab' || key.name === 'right' ? 1 : key.name === 'back-tab' || key.name === 'left' ? -1 : 0;

const move = (state: TopState, rows: readonly TopRow[], step: number): TopState => {
  const shown = visibleRows(rows, state.tab, state.filter);
  const at = shown.findIndex(({ key }) => key === selectedRow(state, rows)?.key);
  const next = shown[Math.max(0, Math.min(at + step, shown.length - 1))];
  return { ...state, selected: next?.key ?? null };
};

/** Tabs without rows are passed over. */
const turnTab = (state: TopState, rows: readonly TopRow[], turn: 1 | -1): TopState => {
  const tabs = countTabs(rows).map(([tab]) => tab);
  const at = Math.max(0, tabs.indexOf(state.tab));
  return { ...state, tab: tabs[(at + turn + tabs.length) % tabs.length] ?? 'all' };
};
