/** The order of everything that is shown to people: what is dangerous before what is merely untidy. Pure. */
import type { ReportFinding } from '../../core/types/report.ts';
import type { Mark } from './style.ts';

export const RANK_OF_DOUBT = 3;

/** 0 for a collision, then errors, warnings, doubt, what was fixed, and information. */
export const rankOf = ({ check, severity, doubt, fix }: ReportFinding): number => {
  if (fix?.status === 'fixed') return 4;
  if (severity === 'info') return 5;
  if (check === 'collision') return 0;
  if (doubt) return RANK_OF_DOUBT;
  return severity === 'error' ? 1 : 2;
};

/** Findings in that order; among equals, in the order of the report. */
export const worstFirst = (findings: readonly ReportFinding[]): readonly ReportFinding[] =>
  [...findings].sort((a, b) => rankOf(a) - rankOf(b));

/** What gives way first where a screen is too short. */
export const LEAST_FIRST: readonly Mark[] = ['pass', 'info', 'unknown', 'warning', 'error'];

/** What a list shows in a line, below a heading. */
interface Marked {
  readonly mark: Mark;
  readonly heading: string;
}

const rankOfRow = ({ mark }: Marked): number => -LEAST_FIRST.indexOf(mark);

/** Rows under their headings: first the heading with the worst row, and the worst row below each; among equals, in their order. */
export const rowsWorstFirst = <Row extends Marked>(rows: readonly Row[]): readonly Row[] => {
  const worst = new Map<string, number>();
  for (const row of rows) worst.set(row.heading, Math.min(worst.get(row.heading) ?? 0, rankOfRow(row)));
  const headings = [...worst].sort(([, a], [, b]) => a - b).map(([heading]) => heading);
  const places = new Map(headings.map((heading, at) => [heading, at]));
  const placeOf = ({ heading }: Marked): number => places.get(heading) ?? 0;
  return [...rows].sort((a, b) => placeOf(a) - placeOf(b) || rankOfRow(a) - rankOfRow(b));
};
