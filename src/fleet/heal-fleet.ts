/**
 * `--fix --on`: planned here, agreed to here, and carried out by the doctor of the machine that took each lock. A second diagnosis
 * of all of them decides the exit code.
 */
import { joinReports } from '../core/fleet/join-reports.ts';
import { onlyOf } from '../core/fleet/only-of.ts';
import { type Plan, type PlanStep, planRepair } from '../core/plan.ts';
import { interruptedReport, markDeclined, plannedReport, repairedReport } from '../core/report/repaired.ts';
import type { ReleaseOutcome } from '../core/report/report.ts';
import { HERE } from '../core/town/views.ts';
import type { Report } from '../core/types/report.ts';
import type { Preparation } from '../diagnose.ts';
import { type HealRun, refuseUnknown } from '../heal.ts';
import { builtInTable } from '../kinds-of.ts';
import { carryOut } from '../repair/carry-out.ts';
import { interrupted } from '../repair/outcomes.ts';
import { tidyPutsBack, withPutBack } from '../repair/put-back.ts';
import { askRepair } from './ask-repair.ts';
import { examineFleet, type FleetLook, type TownSeen } from './examine-fleet.ts';

/** How to repair on several machines. */
export interface FleetHeal
  extends FleetLook,
    Pick<HealRun, 'asked' | 'force' | 'kinds' | 'consent' | 'signal' | 'dryRun' | 'onPlan' | 'onChange'> {
  /** Names of the machines on which anything may be released. */
  readonly named: readonly string[];
}

/** What is to be done in one town. */
interface Part {
  readonly view: TownSeen;
  readonly plan: Plan;
}

/** The machine that took a lock: the only one whose doctor may release it. */
const takerOf = ({ name, seenBy }: TownSeen, { verdict }: Pick<PlanStep, 'verdict'>): string =>
  seenBy?.get(verdict.lock.id)?.machine ?? name;

const planFor = (
  view: TownSeen,
  force: boolean,
  kinds: readonly string[],
  named: readonly string[],
): Part => {
  const { diagnosis } = view;
  if (diagnosis === null) throw new Error('the evidence was not kept');
  const { steps, left, leftovers } = planRepair({ ...diagnosis, force, kinds });
  const isNamed = (step: PlanStep): boolean => named.includes(takerOf(view, step));
  // A repair of a shared directory also reports the locks that other machines have to release.
  const elsewhere = steps
    .filter((step) => !isNamed(step) && view.seenBy !== undefined)
    .map((step) => ({ ...step, why: `it is ${takerOf(view, step)}'s to release: name it with --on` }));
  return {
    view,
    plan: {
      steps: steps.filter(isNamed),
      left: [...left.filter(isNamed), ...elsewhere],
      leftovers: view.name === HERE && named.includes(HERE) ? leftovers : [],
    },
  };
};

/** A lock under a name that no other machine and no other town has. */
const keyOf = (view: TownSeen, step: Pick<PlanStep, 'verdict'>): string =>
  `${takerOf(view, step)}:${view.root}:${step.verdict.lock.id}`;

/** All locks that were judged in one town. */
const keysIn = (view: TownSeen): readonly string[] =>
  (view.diagnosis?.examination.verdicts ?? []).map((verdict) => keyOf(view, { verdict }));

/** All parts as one plan for people: workers are prefixed with the names of their machines. */
const asOnePlan = (parts: readonly Part[]): Plan => {
  const named = <Step extends PlanStep>(view: TownSeen, step: Step): Step => {
    const { lock } = step.verdict;
    const machine = takerOf(view, step);
    const worker = machine === HERE ? lock.worker : `${machine}:${lock.worker}`;
    return {
      ...step,
      verdict: { ...step.verdict, lock: { ...lock, worker, id: keyOf(view, step) } },
    };
  };
  return {
    steps: parts.flatMap(({ view, plan }) => plan.steps.map((step) => named(view, step))),
    left: parts.flatMap(({ view, plan }) => plan.left.map((step) => named(view, step))),
    leftovers: parts.flatMap(({ plan }) => plan.leftovers),
  };
};

/** What became of the releases of one town, and how each is undone. */
interface Done {
  readonly outcomes: ReadonlyMap<string, ReleaseOutcome>;
  readonly undo: ReadonlyMap<string, readonly string[]>;
}

const NOTHING: Done = { outcomes: new Map(), undo: new Map() };

/** As `tidyPutsBack`, in this machine's town. */
const putBackHere = async (
  { view, plan }: Part,
  options: FleetHeal,
  { place }: Preparation,
): Promise<boolean> =>
  view.diagnosis !== null &&
  place !== null &&
  tidyPutsBack(plan, view.diagnosis.examination, { ...options, ...place, scan: undefined });

/** Releases what one machine took in one town. */
const releaseOn = async (
  name: string,
  { view, plan }: Part,
  steps: readonly PlanStep[],
  options: FleetHeal,
  { place }: Preparation,
): Promise<Done> => {
  const { machines, deadlineMs, env = process.env } = options;
  const machine = machines.find((one) => one.name === name);
  const root = view.roots.get(name) ?? view.root;
  const undoBy = (outcomes: Done['outcomes'], run: string | null): Done => ({
    outcomes,
    undo: new Map(
      [...outcomes].flatMap(([id, { status }]) =>
        status === 'fixed' && run !== null
          ? [[id, view.commandThere(name, ['doctor', 'undo', run, '--town', root])]]
          : [],
      ),
    ),
  });
  if (machine !== undefined) {
    const done = await askRepair(machine, root, steps, { deadlineMs, env });
    return undoBy(done.outcomes, done.run);
  }
  if (view.diagnosis === null || place === null) return NOTHING;
  const acting = { ...options, ...place, scan: undefined };
  const record = await carryOut({ ...plan, steps }, view.diagnosis.examination, acting);
  return undoBy(record.outcomes, record.id);
};

/** Releases the steps of one town, each on the machine that took the lock, one machine after the other. */
const release = async (
  part: Part,
  steps: readonly PlanStep[],
  options: FleetHeal,
  preparation: Preparation,
): Promise<Done> => {
  const outcomes = new Map<string, ReleaseOutcome>();
  const undo = new Map<string, readonly string[]>();
  const takers = new Set(steps.map((step) => takerOf(part.view, step)));
  const tidied = part.plan.leftovers.length > 0 ? [HERE] : [];
  for (const name of new Set([...tidied, ...takers])) {
    const own = steps.filter((step) => takerOf(part.view, step) === name);
    if (options.signal?.aborted === true) {
      for (const { verdict } of own) outcomes.set(verdict.lock.id, interrupted());
      continue;
    }
    const done = await releaseOn(name, part, own, options, preparation);
    for (const [id, outcome] of done.outcomes) outcomes.set(id, outcome);
    for (const [id, command] of done.undo) undo.set(id, command);
  }
  for (const { verdict, force, isAskers, why } of part.plan.left)
    if (force || isAskers) outcomes.set(verdict.lock.id, { status: 'skipped', reason: why, backup: null });
  return { outcomes, undo };
};

/** The report of one town after the repair: what was released says how it is undone. */
const reportAfter = (
  { view, plan }: Part,
  after: Report,
  { outcomes, undo }: Done,
  left: readonly PlanStep[],
  { failOn }: Preparation,
): Report => {
  const report = repairedReport(view.report, after, { id: null, outcomes }, failOn, plan);
  const told = {
    ...report,
    findings: report.findings.map((finding) => {
      const command = finding.fix?.status === 'fixed' ? undo.get(finding.lock ?? '') : undefined;
      return command === undefined ? finding : { ...finding, next: [command] };
    }),
  };
  return markDeclined(told, left);
};

/** The reports of all towns as one, of the machines that the repair acts on. */
const join = (
  reports: readonly Report[],
  { machines = [], workers, durationMs }: Report,
  named: readonly string[],
  { failOn }: Preparation,
): Report => {
  const [first, ...others] = reports;
  if (first === undefined) throw new Error('no town was looked at');
  return { ...onlyOf(joinReports([first, ...others], machines, durationMs), named, failOn), workers };
};

/** Diagnoses, plans, asks, has each machine release what it took, and diagnoses again. Throws as `examineFleet` does. */
export const healFleet = async (preparation: Preparation, options: FleetHeal): Promise<Report> => {
  const { force = false, kinds = [], consent, signal, named } = options;
  // Another machine may look for more kinds: those that are configured there, and its plug-ins'.
  const isKnownElsewhere = (id: string): boolean => id.includes('/') || builtInTable().kinds.has(id);
  const isHereOnly = named.every((name) => name === HERE);
  refuseUnknown(isHereOnly ? kinds : kinds.filter((id) => !isKnownElsewhere(id)), preparation);
  const look: FleetLook = { ...options, keepEvidence: true };
  const before = await examineFleet(preparation, look);
  let parts = before.views.map((view) => planFor(view, force, kinds, named));
  const joined = (reports: readonly Report[], { report }: typeof before): Report =>
    join(reports, report, named, preparation);
  const whole = asOnePlan(parts);
  options.onPlan?.(whole);
  if (options.dryRun === true)
    return joined(
      parts.map(({ view, plan }) => plannedReport(view.report, plan)),
      before,
    );
  const isEmpty = whole.steps.length === 0 && whole.leftovers.length === 0;
  const agreed = consent === undefined || isEmpty ? undefined : await consent(whole);
  if (agreed === null)
    return joined(
      parts.map(({ view, plan }) => markDeclined(view.report, plan.steps)),
      before,
    );
  await options.onChange?.();
  const isDeclined = (key: string): boolean => agreed?.includes(key) === false;
  let toDo: Plan = { ...whole, steps: whole.steps.filter(({ verdict }) => !isDeclined(verdict.lock.id)) };
  const tidied = parts.find(({ plan }) => plan.leftovers.length > 0);
  if (tidied !== undefined && (await putBackHere(tidied, options, preparation))) {
    const { views } = await examineFleet(preparation, { ...look, events: undefined });
    const known = before.views.flatMap(keysIn);
    // What was agreed to of other machines stands, even where one does not answer again.
    const again = views.find(({ name }) => name === HERE) ?? tidied.view;
    const { plan } = planFor(again, force, kinds, named);
    const part: Part = { view: again, plan: { ...plan, leftovers: [] } };
    parts = parts.map((one) => (one === tidied ? part : one));
    toDo = await withPutBack(toDo, asOnePlan(parts), known, consent);
  }
  const wanted = new Set(toDo.steps.map(({ verdict }) => verdict.lock.id));
  const chosen = parts.map(({ view, plan }) => plan.steps.filter((step) => wanted.has(keyOf(view, step))));
  const done: Done[] = [];
  for (const [at, part] of parts.entries())
    done.push(await release(part, chosen[at] ?? [], options, preparation));
  const after = await examineFleet(preparation, { ...look, keepEvidence: false, events: undefined });
  const reportsAfter = parts.map((part, at) => {
    const { view, plan } = part;
    const again = after.views.find(({ name, root }) => name === view.name && root === view.root);
    const left = plan.steps.filter((step) => isDeclined(keyOf(view, step)));
    // A machine that stops answering is doubt; what it did before is reported all the same.
    return reportAfter(part, again?.report ?? view.report, done[at] ?? NOTHING, left, preparation);
  });
  const undoes = [
    ...new Map(done.flatMap(({ undo }) => [...undo.values()]).map((one) => [one.join('\0'), one])).values(),
  ];
  const [undo = null] = undoes;
  const report = {
    ...joined(reportsAfter, after),
    startedAt: before.report.startedAt,
    undo: undoes.length === 1 ? undo : null,
  };
  return interruptedReport(report, signal);
};
