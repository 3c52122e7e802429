/** What the keys `f` and `u` do: they ask, and then the same use cases act as behind `doctor --fix` and `doctor undo`. */
import { count } from '../../core/report/amounts.ts';
import { refusalOf } from '../../core/report/refusals.ts';
import type { Examination } from '../../core/types/judgement.ts';
import type { Report } from '../../core/types/report.ts';
import type { DiagnoseOptions } from '../../diagnose.ts';
import { heal } from '../../heal.ts';
import { findReleases } from '../../repair/find-releases.ts';
import { contextOf, longPath } from '../../repair/repair-context.ts';
import { undoReleases } from '../../repair/undo.ts';
import { localTime } from '../../reporters/history/history-text.ts';
import { createPen, type Presentation } from '../../reporters/screen/style.ts';
import { nameOfReleased } from '../../reporters/screen/words.ts';
import { commandLine } from '../terminal/command-line.ts';
import { type Asking, agreeOn } from '../terminal/consent.ts';
import type { TopRow } from './rows.ts';

export interface DeedContext {
  readonly root: string;
  readonly options: DiagnoseOptions;
  readonly asking: Asking;
  readonly presentation: Presentation;
  /** Once aborted, nothing more begins. */
  readonly signal: AbortSignal;
}

/** Releases what may be released of one row, or of the town, after asking. Answers with what became of it, in a sentence. */
export const fix = async (
  row: TopRow | null,
  examination: Examination,
  { root, options, asking, presentation, signal }: DeedContext,
): Promise<string> => {
  const pen = createPen(presentation);
  if (row !== null && row.lock === null) return `${pen.safe(row.worker)} has no lock`;
  let agreed: number | null = null;
  const report = await heal(root, {
    ...options,
    workers: row === null ? undefined : [row.place],
    events: undefined,
    signal,
    asked: { command: commandLine(), consent: 'asked' },
    consent: async (plan) => {
      const steps = await agreeOn(plan, presentation, asking, root);
      agreed = steps?.length ?? 0;
      return steps?.map(({ verdict }) => verdict.lock.id) ?? null;
    },
  });
  if (agreed === 0) return 'Nothing was changed.';
  return agreed === null
    ? `Nothing to release: ${whyNot(row, examination, pen.safe)}.`
    : outcomeOf(report, pen.safe);
};

const whyNot = (row: TopRow | null, { verdicts }: Examination, safe: (text: string) => string): string => {
  if (row === null) return 'no lock here is proven stale';
  // In a crowd, whom it has says more than the rule.
  if (row.mark === 'error') return `${safe(row.worker)} is ${row.state}, ${safe(row.text)}`;
  const verdict = verdicts.find(({ lock }) => lock.id === row.lock?.id);
  const refusal = verdict === undefined ? null : refusalOf(verdict);
  return `${safe(row.worker)} is ${row.state}${refusal === null ? '' : `, ${safe(refusal)}`}`;
};

const outcomeOf = ({ findings, error }: Report, safe: (text: string) => string): string => {
  const tried = findings.filter(({ fix: done }) => done?.action === 'release' && done.status !== 'planned');
  const fixed = tried.filter(({ fix: done }) => done?.status === 'fixed');
  const left = tried.filter(({ fix: done }) => done?.status === 'changed' || done?.status === 'failed');
  return [
    `Released ${count(new Set(fixed.map(({ lock }) => lock)).size, 'lock')}${fixed.length > 0 ? ' (u restores)' : ''}.`,
    ...left.map(
      ({ worker, fix: done }) => `${safe(worker ?? '.')}: ${safe(done?.reason ?? 'not released')}.`,
    ),
    ...(error === null ? [] : [`${safe(error.message)}.`]),
  ].join(' ');
};

/** Puts back what the last run released, after asking. Answers with what became of it, in a sentence. */
export const undo = async ({ root, asking, presentation, signal }: DeedContext): Promise<string> => {
  const pen = createPen(presentation);
  const options = { townRoot: root, signal, asked: { command: commandLine(), consent: 'asked' as const } };
  const { run, releases } = findReleases(null, contextOf(options));
  const open = releases.filter(({ undone }) => !undone);
  if (run === null || open.length === 0) return 'Nothing to undo.';
  const names = open.map(({ entry }) =>
    pen.safe(nameOfReleased({ ...entry, lock: longPath(root, entry.lock) }, root)),
  );
  asking.say([`Released at ${localTime(open[0]?.entry.at ?? '')}:`, ...names.map((name) => `  ${name}`)]);
  const answer = await asking.ask(
    `Restore ${open.length === 1 ? 'this lock' : `these ${count(open.length, 'lock')}`}?`,
    '[y]es, [N]o: ',
  );
  if (answer !== 'y') return 'Nothing was changed.';
  const { outcomes } = await undoReleases(run, options);
  return outcomes
    .filter(({ status }) => status !== 'already')
    .map((outcome) => {
      const name = pen.safe(nameOfReleased(outcome, root));
      return outcome.status === 'restored' ? `Restored ${name}.` : `${name}: ${pen.safe(outcome.reason)}.`;
    })
    .join(' ');
};
