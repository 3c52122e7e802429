/** The part of a report over several machines that concerns some of them: a repair answers for those that it acts on. Pure. */
import { countUp, exitCodeOf } from '../report/report.ts';
import type { Severity } from '../types/check.ts';
import { EXIT, type Report } from '../types/report.ts';

/** The rows of these machines, with the sums and the exit code of these alone. */
export const onlyOf = (report: Report, names: readonly string[], failOn: Severity): Report => {
  const isOf = ({ machine }: { readonly machine?: string }): boolean =>
    machine === undefined || names.includes(machine);
  const locks = report.locks.filter(isOf);
  const agents = report.agents.filter(isOf);
  const findings = report.findings.filter(isOf);
  const gaps = report.gaps.filter(isOf);
  const collisions = report.collisions.filter(isOf);
  const complete =
    gaps.length === 0 &&
    report.checks.every(({ status }) => status !== 'crashed') &&
    locks.every(({ state }) => state !== 'unknown') &&
    findings.every(({ doubt }) => !doubt);
  const exitCode = exitCodeOf(findings, complete, failOn);
  return {
    ...report,
    ok: exitCode === EXIT.ok,
    complete,
    exitCode,
    summary: countUp(locks, agents, findings, collisions.length),
    locks,
    findings,
    gaps,
    collisions,
    agents,
  };
};
