/** The rows of the view: which of them a tab and a filter show, and which have changed recently. Pure. */
import { STATES } from '../../core/types/judgement.ts';
import type { Report } from '../../core/types/report.ts';
import { type Row, rowsOf } from '../../reporters/screen/lock-rows.ts';
import { essenceOf } from '../watch/looks.ts';

/** What a tab shows; `collision` whatever their states are. */
const TABS = ['all', 'collision', ...STATES, 'no lock'] as const;
export type Tab = (typeof TABS)[number];

export interface TopRow extends Row {
  /** The same for one lock, or one worker without a lock, in every look. */
  readonly key: string;
  /** It appeared, or became another, within the last minute. */
  readonly isNew: boolean;
}

/** `changedAtMs`: null for a row that was there from the start. */
interface SeenRow {
  readonly worker: string;
  readonly essence: string;
  readonly changedAtMs: number | null;
}

/** What was seen of each row, and when it was last seen to change. */
export interface Memory {
  readonly seen: ReadonlyMap<string, SeenRow>;
  /** Workers whose row went away, and when. */
  readonly gone: readonly { readonly worker: string; readonly atMs: number }[];
}

/** Changes are marked this long. */
const MARKED_MS = 60_000;

/** The rows of a report, and what is to be remembered of them; the first look remembers without marking. */
export const rememberRows = (
  report: Report,
  before: Memory | null,
  nowMs: number,
): { readonly rows: readonly TopRow[]; readonly memory: Memory } => {
  const seen = new Map<string, SeenRow>();
  const rows = rowsOf(report, false).map((row): TopRow => {
    const key = row.lock?.id ?? `${row.state}:${row.worker}`;
    const essence = `${row.mark} ${row.lock === null ? row.text : essenceOf(row.lock)}`;
    const old = before?.seen.get(key);
    const changedAtMs = before === null ? null : old?.essence === essence ? old.changedAtMs : nowMs;
    seen.set(key, { worker: row.worker, essence, changedAtMs });
    return { ...row, key, isNew: changedAtMs !== null && nowMs - changedAtMs < MARKED_MS };
  });
  const names = new Set(rows.map(({ worker }) => worker));
  const left = [...(before?.seen ?? [])]
    .filter(([key]) => !seen.has(key))
    .map(([, { worker }]) => ({ worker, atMs: nowMs }));
  const gone = [...(before?.gone ?? []), ...left].filter(
    ({ worker, atMs }) => nowMs - atMs < MARKED_MS && !names.has(worker),
  );
  return { rows, memory: { seen, gone } };
};

/** The rows of one tab whose worker, state or words hold the filter, in capitals or not. */
export const visibleRows = (rows: readonly TopRow[], tab: Tab, filter: string): readonly TopRow[] => {
  const wanted = filter.toLowerCase();
  return rows.filter(
    (row) => isOf(row, tab) && `${row.worker} ${row.state} ${row.text}`.toLowerCase().includes(wanted),
  );
};

/** How many locks, and agents without one, each tab has, as reports count them; `collision` counts places. Empty tabs but the first are left out. */
export const countTabs = (rows: readonly TopRow[]): readonly (readonly [tab: Tab, count: number])[] =>
  TABS.map((tab) => {
    const sizes = rows
      .filter((row) => isOf(row, tab))
      .map(({ agents = 1 }) => (tab === 'collision' ? 1 : agents));
    return [tab, sizes.reduce((sum, size) => sum + size, 0)] as const;
  }).filter(([tab, count]) => tab === 'all' || count > 0);

const isOf = ({ state, mark }: TopRow, tab: Tab): boolean =>
  tab === 'all' || (tab === 'collision' ? mark === 'error' : state === tab);
