/** The part of a report over several machines that concerns some of them: a repair answers for those that it acts on. Pure. */
import { exitCodeOf } from '../report/report.ts';
import type { Severity } from '../types/check.ts';
import type { State } from '../types/judgement.ts';
import { EXIT, type Report } from '../types/report.ts';

/** The rows of these machines, with the sums and the exit code of these alone. */
export const onlyOf = (report: Report, names: readonly string[], failOn: Severity): Report => {
  const isOf = ({ machine }: { readonly machine?: string }): boolean =>
    machine === undefined || names.includes(machine);
  const locks = report.locks.filter(isOf);
  const findings = report.findings.filter(isOf);
  const gaps = report.gaps.filter(isOf);
  const collisions = report.collisions.filter(isOf);
  const complete =
    gaps.length === 0 &&
    report.checks.every(({ status }) => status !== 'crashed') &&
    locks.every(({ state }) => state !== 'unknown') &&
    findings.every(({ doubt }) => !doubt);
  const exitCode = exitCodeOf(findings, complete, failOn);
  const count = (state: State): number => locks.filter((lock) => lock.state === state).length;
  const releases = (status: 'planned' | 'fixed'): number =>
    new Set(
      findings.flatMap(({ fix, lock, machine }) =>
        fix?.action === 'release' && fix.status === status ? [`${machine} ${lock}`] : [],
      ),
    ).size;
  return {
    ...report,
    ok: exitCode === EXIT.ok,
    complete,
    exitCode,
    summary: {
      locks: locks.length,
      held: count('held'),
      stale: count('stale'),
      orphaned: count('orphaned'),
      invalid: count('invalid'),
      foreign: count('foreign'),
      unknown: count('unknown'),
      collisions: collisions.length,
      fixable: releases('planned'),
      fixed: releases('fixed'),
    },
    locks,
    findings,
    gaps,
    collisions,
    agents: report.agents.filter(isOf),
  };
};
