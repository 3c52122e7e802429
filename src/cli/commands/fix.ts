import { Failure } from '../../core/failure.ts';
import { type Plan, type PlanStep, planRepair } from '../../core/plan.ts';
import { reportRepair } from '../../core/report/report.ts';
import type { Report, ReportFinding } from '../../core/types/report.ts';
import { carryOut } from '../../repair/carry-out.ts';
import { FORMATS } from '../../reporters/formats.ts';
import { renderReport } from '../../reporters/render.ts';
import { type Arguments, choiceOf, optionValues, usage } from '../arguments/arguments.ts';
import { diagnose } from '../diagnose.ts';
import { lookOptionsOf } from '../session.ts';
import { askConsent, describePlan } from '../terminal/consent.ts';
import { openEvents } from '../terminal/events.ts';
import { canAsk, presentationFor, type RunCommand, type Terminal } from '../terminal/terminal.ts';

/** `doctor --fix`: diagnose, plan, ask, act, and diagnose again; the second look decides the exit code. */
export const run: RunCommand = async (given, terminal) => {
  const { flags } = given;
  refuseMisuse(given, terminal);
  const format = flags.has('json') ? 'json' : (choiceOf(given, 'format', FORMATS) ?? 'text');
  const presentation = await presentationFor(given, terminal, terminal.stdout);
  const prompt = await presentationFor(given, terminal, terminal.stderr);
  const live = format === 'text' && terminal.stdout.isTTY ? prompt : null;
  const town = given.positionals[0] ?? null;

  const events = format === 'ndjson' ? openEvents(given.command, terminal) : null;
  const before = await diagnose(given, terminal, town, live, events?.onTown);
  const plan = planRepair({ ...before, force: flags.has('force') });
  if (flags.has('dry-run')) {
    const report = asPlanned(before.report, plan);
    const lines = format === 'text' ? describePlan(plan, presentation).map((line) => `${line}\n`) : [];
    return {
      exitCode: report.exitCode,
      stdout:
        renderReport(report, format, presentation) +
        (live !== null && lines.length > 0 ? '\n' : '') +
        lines.join(''),
      stderr: '',
    };
  }
  const isEmpty = plan.steps.length === 0 && plan.debris.length === 0;
  const asks = !flags.has('yes') && canAsk(terminal) && !isEmpty;
  const steps = asks ? await askConsent(plan, terminal, prompt) : plan.steps;
  const report = steps === null ? declined(before.report, plan) : await repair(steps);
  const stdout = events === null ? renderReport(report, format, presentation) : events.rest(report);
  const stderr = report.error === null || format !== 'text' ? '' : `doctor: ${report.error.message}\n`;
  return { exitCode: report.exitCode, stdout, stderr };

  async function repair(agreed: readonly PlanStep[]): Promise<Report> {
    if (before.place === null) throw new Error('evidence that was saved cannot be repaired');
    terminal.finishFirst();
    const record = await carryOut({ ...plan, steps: agreed }, before.examination, {
      ...lookOptionsOf(given, before.place, terminal),
      town: before.place.town.root,
      scan: undefined,
      signal: terminal.interrupted ?? undefined,
      onStep: ({ id, worker }, outcome) => {
        const finding = before.report.findings.find(
          ({ lock, fix }) => lock === id && fix?.action === 'release',
        );
        events?.onFix({ id: finding?.id ?? `forced:${worker}`, worker, lock: id }, outcome);
      },
    });
    const after = await diagnose(given, terminal, town, null);
    const repaired = reportRepair(before.report, after.report, record, before.failOn);
    const left = plan.steps.filter((step) => !agreed.includes(step));
    return interruptedOr(markSkipped(repaired, left), terminal);
  }
};

const refuseMisuse = (given: Arguments, terminal: Terminal): void => {
  const { flags } = given;
  if (given.values.has('from-snapshot')) throw usage('--fix needs a town, and not saved evidence');
  if (!flags.has('force')) return;
  if (optionValues(given, 'worker').length === 0)
    throw usage('--force needs the workers it is meant for', 'doctor --fix --force --worker WORKER');
  if (!flags.has('yes') && !flags.has('dry-run') && !canAsk(terminal))
    throw new Failure(
      'E_CONSENT',
      '--force needs --yes where nobody can be asked',
      'doctor --fix --force --yes --worker WORKER',
    );
};

/** A dry run's report: what force would release is planned as well. */
const asPlanned = (report: Report, plan: Plan): Report => {
  const forced = new Map(
    plan.steps.filter(({ force }) => force).map((step) => [step.verdict.lock.id, step.verdict]),
  );
  const planned = {
    action: 'release',
    safe: false,
    status: 'planned',
    reason: 'by force',
    text: null,
    backup: null,
  } as const;
  const findings = report.findings.map((finding) =>
    finding.lock !== null &&
    forced.has(finding.lock) &&
    finding.fix?.action === 'release' &&
    !finding.fix.safe
      ? { ...finding, fix: planned }
      : finding,
  );
  const told = new Set(findings.filter(({ fix }) => fix?.status === 'planned').map(({ lock }) => lock));
  const more = [...forced.values()].flatMap(({ lock, state, facts }): readonly ReportFinding[] =>
    told.has(lock.id)
      ? []
      : [
          {
            id: `forced:${lock.worker}`,
            check: 'forced',
            severity: 'info',
            doubt: false,
            worker: lock.worker,
            lock: lock.id,
            message: `${state} lock would be released by force`,
            evidence: facts,
            fix: planned,
            next: [],
          },
        ],
  );
  return { ...report, findings: [...findings, ...more] };
};

const declined = (report: Report, plan: Plan): Report => markSkipped(report, plan.steps);

/** Releases that the person did not agree to. */
const markSkipped = (report: Report, steps: readonly PlanStep[]): Report => {
  const left = new Set(steps.map(({ verdict }) => verdict.lock.id));
  return {
    ...report,
    findings: report.findings.map((finding) =>
      finding.lock !== null && left.has(finding.lock) && finding.fix?.action === 'release'
        ? { ...finding, fix: { ...finding.fix, status: 'skipped' as const, reason: 'not agreed to' } }
        : finding,
    ),
  };
};

/** An interrupted repair ends at a safe point, says what it did, and with the signal's code. */
const interruptedOr = (report: Report, { interrupted }: Terminal): Report =>
  interrupted?.aborted === true
    ? {
        ...report,
        ok: false,
        exitCode: interrupted.reason as number,
        error: { code: 'E_INTERRUPTED', message: 'interrupted: what was not begun was left', hint: null },
      }
    : report;
