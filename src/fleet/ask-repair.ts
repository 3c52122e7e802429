/** Repairs on another machine: its own doctor releases there, under its guard and with its own second look, what was agreed to here. */
import type { PlanStep } from '../core/plan.ts';
import { isRunId } from '../core/report/choose-events.ts';
import type { ReleaseOutcome } from '../core/report/report.ts';
import { type Fields, fieldsOf, isText } from '../core/unchecked.ts';
import { changed, failed, skipped } from '../repair/outcomes.ts';
import { type AskOptions, ask } from './ask.ts';
import { HAS_NO_DOCTOR, type Machine } from './machine.ts';

/** What another machine's doctor did. */
export interface RepairThere {
  /** By the id of the lock. */
  readonly outcomes: ReadonlyMap<string, ReleaseOutcome>;
  /** The id of the run there, for `doctor undo`; null where it released nothing. */
  readonly run: string | null;
}

/** Has exactly these locks released there: each by its id and the digest of its bytes, and no other. */
export const askRepair = async (
  machine: Machine,
  town: string,
  steps: readonly PlanStep[],
  options: AskOptions,
): Promise<RepairThere> => {
  const everyOne = (outcome: ReleaseOutcome): RepairThere => ({
    run: null,
    outcomes: new Map(steps.map(({ verdict }) => [verdict.lock.id, outcome])),
  });
  if (machine.send) return everyOne(skipped(HAS_NO_DOCTOR));
  const forced = steps.flatMap(({ force, verdict }) => (force ? [verdict.lock.worker] : []));
  const command = [
    ...machine.doctor,
    ...['--fix', '--yes', '--json', `--town=${town}`],
    // With the equals sign no name from there can be an option.
    ...(forced.length > 0 ? ['--force', ...forced.map((worker) => `--worker=${worker}`)] : []),
    ...steps.flatMap(({ verdict: { lock } }) => [`--lock=${lock.id}`, `--stamp=${lock.stamp?.sha256 ?? ''}`]),
  ];
  const answer = await ask(machine, command, options);
  if (answer.status === 'failed')
    return everyOne(failed(`${answer.why}; whether it was released there is not known`));
  const { findings, undo, error } = readReport(answer.document);
  if (error !== null && findings.length === 0) return everyOne(failed(error));
  return {
    run: undo,
    outcomes: new Map(
      steps.map(({ verdict: { lock } }) => [
        lock.id,
        findings.find((finding) => finding.lock === lock.id)?.outcome ??
          changed('it was not there any more as it was seen'),
      ]),
    ),
  };
};

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Of a report from there what counts here, each field checked where it is read: it may be of another version, or made up. */
const readReport = (document: unknown) => {
  const { findings, undo, error } = fieldsOf(document);
  const list = Array.isArray(findings) ? findings.map(fieldsOf) : [];
  const words = Array.isArray(undo) ? undo.filter(isText) : [];
  return {
    findings: list.flatMap(({ lock, fix }) => {
      const outcome = outcomeOf(fieldsOf(fix));
      return typeof lock === 'string' && outcome !== null ? [{ lock, outcome }] : [];
    }),
    undo: words.find(isRunId) ?? null,
    error: textOf(fieldsOf(error).message) ?? (Array.isArray(findings) ? null : 'its answer is not a report'),
  };
};

const outcomeOf = ({ action, status, reason, backup }: Fields): ReleaseOutcome | null => {
  if (action !== 'release') return null;
  const why = textOf(reason) ?? '';
  if (status === 'fixed') return { status, reason: textOf(reason), backup: textOf(backup) ?? '' };
  return status === 'skipped' || status === 'changed' || status === 'failed'
    ? { status, reason: why, backup: null }
    : null;
};
