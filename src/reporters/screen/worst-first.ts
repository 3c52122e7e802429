/** The order of everything that is shown to people: what is dangerous before what is merely untidy. Pure. */
import type { ReportFinding } from '../../core/types/report.ts';

/** 0 for a collision, then errors, warnings, doubt, what was fixed, and information. */
const rankOf = ({ check, severity, doubt, fix }: ReportFinding): number => {
  if (fix?.status === 'fixed') return 4;
  if (severity === 'info') return 5;
  if (check === 'collision') return 0;
  if (doubt) return 3;
  return severity === 'error' ? 1 : 2;
};

/** Findings in that order; among equals, in the order of the report. */
export const worstFirst = (findings: readonly ReportFinding[]): readonly ReportFinding[] =>
  [...findings].sort((a, b) => rankOf(a) - rankOf(b));
