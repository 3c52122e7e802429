/**
 * One diagnosis over several machines: this one is looked at, the others are asked, all at once; each town is judged by the
 * evidence of its own machine, and a directory that several share by that of all of them.
 */
import { messageOf } from '../core/failure.ts';
import { joinReports } from '../core/fleet/join-reports.ts';
import { type CommandThere, labelled, type SeenBy } from '../core/fleet/label.ts';
import { mergeSightings } from '../core/fleet/merge-sightings.ts';
import type { MachineView } from '../core/fleet/taker.ts';
import { examineSnapshot } from '../core/judge/examine.ts';
import { HERE } from '../core/town/views.ts';
import type { Snapshot } from '../core/types/evidence.ts';
import type { Examination } from '../core/types/judgement.ts';
import type { Report } from '../core/types/report.ts';
import {
  type Diagnosis,
  type DiagnosisLook,
  diagnose,
  findWorker,
  type Preparation,
  reportOn,
} from '../diagnose.ts';
import { elapsedMs } from '../io/clock.ts';
import { inParallel } from '../io/programs/in-parallel.ts';
import { tryOr } from '../io/try-or.ts';
import { type Account, accountFor, rowOf, rowOfHere, type Task, tasksOf } from './accounts.ts';
import { askEvidence, type EvidenceOptions } from './ask-evidence.ts';
import { commandThere } from './command-there.ts';
import { MACHINES_AT_ONCE, type Machine } from './machine.ts';

/** How to look at several machines. */
export interface FleetLook extends DiagnosisLook, Pick<EvidenceOptions, 'deadlineMs' | 'collector'> {
  readonly machines: readonly Machine[];
  /** The views keep what they are based on; without it only the reports stay in memory. */
  readonly keepEvidence?: boolean | undefined;
}

/** One town: on one machine, or a directory that several share. */
export interface TownSeen {
  /** The machine whose town it is, or the first of those that share it. */
  readonly name: string;
  readonly root: string;
  /** Its rows are prefixed with the names of their machines. */
  readonly report: Report;
  /** Those of the named workers that it has; null where none was named. */
  readonly workers: readonly string[] | null;
  /** What the report is based on, where that was to be kept. */
  readonly diagnosis: Diagnosis | null;
  /** Whose judgement each lock has, by its id; absent where one machine sees the town. */
  readonly seenBy?: SeenBy | undefined;
  /** Roots of the town by machine. */
  readonly roots: ReadonlyMap<string, string>;
  readonly commandThere: CommandThere;
}

/** A diagnosis of many machines. */
export interface FleetDiagnosis {
  readonly report: Report;
  /** One for each town that could be looked at, this machine's first. */
  readonly views: readonly TownSeen[];
}

/** Those of the named workers that a town has; null where none was named. Here a path names one too. */
const workersIn = (
  names: readonly string[] | undefined,
  snapshot: Snapshot,
  cwd: string | null,
): readonly string[] | null => {
  if (names === undefined) return null;
  const known = new Set([...snapshot.locks.map(({ worker }) => worker), ...snapshot.town.workers]);
  return names.flatMap((name) => {
    if (known.has(name)) return [name];
    return tryOr(() => (cwd === null ? [] : [findWorker(name, snapshot, cwd)]), []);
  });
};

/** Evidence that makes the judge throw, as forged evidence may, is an answer too: this one. */
const unjudged = (error: unknown): string => `its evidence cannot be judged: ${messageOf(error)}`;

/** One run over many machines. */
interface FleetRun extends Pick<FleetLook, 'workers' | 'command' | 'keepEvidence' | 'onExamined'> {
  readonly preparation: Preparation;
  readonly machines: FleetLook['machines'];
  readonly cwd: string;
  readonly startedAt: number;
}

/** The report of one town, seen by one machine or by several that share it; it has the name of the first. */
const viewOf = async (
  { preparation, machines, cwd, startedAt, workers: names, command, keepEvidence, onExamined }: FleetRun,
  examination: Examination,
  sightings: readonly [MachineView, ...MachineView[]],
  seenBy?: SeenBy,
): Promise<TownSeen> => {
  await onExamined?.(examination, sightings);
  const base = sightings[0].machine;
  const roots = new Map(sightings.map((one) => [one.machine, one.examination.snapshot.town.root]));
  const workers = workersIn(names, examination.snapshot, base === HERE ? cwd : null);
  const diagnosis = await reportOn(preparation, examination, workers, { command, startedAt });
  const there = commandThere(machines, roots, preparation);
  return {
    name: base,
    root: examination.snapshot.town.root,
    report: labelled(diagnosis.report, { base, seenBy, commandThere: there }),
    workers,
    diagnosis: keepEvidence === true ? diagnosis : null,
    seenBy,
    roots,
    commandThere: there,
  };
};

/** What was seen of a town that no other machine shares, judged alone; of a shared one, its sighting. */
interface AskedTown {
  readonly account: Account;
  readonly view: TownSeen | null;
  readonly sighting: MachineView | null;
}

/** Asks one machine about one town, and judges what it answers. Never rejects for that. */
const askAbout = async (
  task: Task,
  run: FleetRun,
  question: Parameters<typeof askEvidence>[2],
): Promise<AskedTown> => {
  const { machine, town, group } = task;
  const evidence = await askEvidence(machine, town, question);
  const answered = { account: accountFor(task, evidence), view: null, sighting: null };
  if (evidence.status === 'failed') return answered;
  const { name, hosts } = machine;
  try {
    const examination = examineSnapshot(evidence.snapshot);
    const sighting: MachineView = { machine: name, isHere: false, names: hosts, examination };
    return group === null
      ? { ...answered, view: await viewOf(run, examination, [sighting]) }
      : { ...answered, sighting };
  } catch (error) {
    return { ...answered, account: accountFor(task, evidence, unjudged(error)) };
  }
};

/** The town that one group of machines shares, judged by all of them; `own` is this machine's sighting where it is one of them. */
const viewGroup = async (
  members: readonly AskedTown[],
  own: MachineView | null,
  run: FleetRun,
): Promise<readonly TownSeen[]> => {
  const [base, ...others] = [own, ...members.map(({ sighting }) => sighting)].filter((one) => one !== null);
  if (base === undefined) return [];
  if (members.length === 0) return [await viewOf(run, base.examination, [base])];
  const unreached = members.flatMap(({ sighting, account }) =>
    sighting === null ? [account.task.machine.name] : [],
  );
  const { examination, seenBy } = mergeSightings([base, ...others], unreached);
  return [await viewOf(run, examination, [base, ...others], seenBy)];
};

/** Looks here, asks everybody else, judges, and reports as one. Throws as `diagnose` does, and E_USAGE for a worker that no machine has. */
export const examineFleet = async (
  preparation: Preparation,
  { machines, deadlineMs, collector, ...options }: FleetLook,
): Promise<FleetDiagnosis> => {
  const startedAt = elapsedMs();
  const { cwd = process.cwd(), env = process.env, scan = 'default', workers: names } = options;
  // First, so that what is started to ask the others is not among what is seen here.
  const here = await diagnose(preparation, { ...options, workers: undefined, onExamined: undefined });
  const { snapshot } = here.examination;
  const tasks = machines.flatMap((machine) => tasksOf(machine, snapshot.town.root));
  const run: FleetRun = { ...options, preparation, machines, cwd, startedAt };
  const asked = await inParallel(tasks, MACHINES_AT_ONCE, (task) =>
    askAbout(task, run, { deadlineMs, env, scan, collector }),
  );

  const membersOf = (group: Task['group']): readonly AskedTown[] =>
    asked.filter(({ account }) => account.task.group === group);
  const groups = [...new Set(tasks.map(({ group }) => group))].filter((group) => typeof group === 'string');
  const own: MachineView = { machine: HERE, isHere: true, names: [], examination: here.examination };
  const ours = await viewGroup(membersOf(true), own, run);
  const shared = (await Promise.all(groups.map((group) => viewGroup(membersOf(group), null, run)))).flat();
  const views = [...ours, ...shared, ...asked.flatMap(({ view }) => view ?? [])];
  const accounts = asked.map(({ account }) => account);
  const rows = machines.map((machine) =>
    rowOf(
      machine,
      accounts.filter(({ task }) => task.machine === machine),
    ),
  );
  const [first, ...others] = views.map((view) => view.report) as [Report, ...Report[]];
  const report = joinReports([first, ...others], [rowOfHere(snapshot), ...rows], elapsedMs() - startedAt);
  const known = [...new Set(views.flatMap((view) => view.workers ?? []))];
  // An unknown name is a mistake, unless a machine that might know it could not be asked.
  if (names !== undefined && known.length === 0 && accounts.every(({ why }) => why === null))
    for (const name of names) findWorker(name, snapshot, cwd);
  return { report: { ...report, workers: names === undefined ? null : known }, views };
};
