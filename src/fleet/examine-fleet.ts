/**
 * One diagnosis over several machines: this one is looked at, the others are asked, all at once; each town is judged by the
 * evidence of its own machine, and a directory that several share by that of all of them.
 */
import { joinReports } from '../core/fleet/join-reports.ts';
import { type CommandThere, HERE, labelled, type SeenBy } from '../core/fleet/label.ts';
import { mergeSightings } from '../core/fleet/merge-sightings.ts';
import type { MachineView } from '../core/fleet/taker.ts';
import { examineSnapshot } from '../core/judge/examine.ts';
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
import { accountFor, rowOf, rowOfHere, type Task, tasksOf } from './accounts.ts';
import { askEvidence, type EvidenceOptions } from './ask-evidence.ts';
import { commandThere } from './command-there.ts';
import type { Machine } from './machine.ts';

/** Machines that are asked at once: enough that the slowest one decides how long it takes, few enough for one host. */
const AT_ONCE = 32;

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
  /** Its rows bear the names of their machines. */
  readonly report: Report;
  /** Of the workers that were named those that it has; null where none was named. */
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
    try {
      return cwd === null ? [] : [findWorker(name, snapshot, cwd)];
    } catch {
      return [];
    }
  });
};

/** What becomes of evidence that was made up to break us: an answer as well. */
const unjudged = (error: unknown): string =>
  `its evidence cannot be judged: ${error instanceof Error ? error.message : String(error)}`;

/** Looks here, asks everybody else, judges, and reports as one. Throws as `diagnose` does, and E_USAGE for a worker that nobody has. */
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

  const viewed = async (
    base: string,
    examination: Examination,
    roots: ReadonlyMap<string, string>,
    sightings: readonly MachineView[],
    seenBy?: SeenBy,
  ): Promise<TownSeen> => {
    await options.onExamined?.(examination, sightings);
    const workers = workersIn(names, examination.snapshot, base === HERE ? cwd : null);
    const diagnosis = await reportOn(preparation, examination, workers, {
      command: options.command,
      startedAt,
    });
    const there = commandThere(machines, roots, preparation);
    return {
      name: base,
      root: examination.snapshot.town.root,
      report: labelled(diagnosis.report, { base, seenBy, commandThere: there }),
      workers,
      diagnosis: options.keepEvidence === true ? diagnosis : null,
      seenBy,
      roots,
      commandThere: there,
    };
  };

  const sharing = new Map<Task, MachineView>();
  const results = await inParallel(tasks, AT_ONCE, async (task) => {
    const { machine, town, group } = task;
    const evidence = await askEvidence(machine, town, { deadlineMs, env, scan, collector });
    if (evidence.status === 'failed') return { account: accountFor(task, evidence), view: null };
    const { name, hosts } = machine;
    try {
      const examination = examineSnapshot(evidence.snapshot);
      const account = accountFor(task, evidence);
      if (group === null)
        return {
          account,
          view: await viewed(name, examination, new Map([[name, evidence.snapshot.town.root]]), [
            { machine: name, isHere: false, names: hosts, examination },
          ]),
        };
      sharing.set(task, { machine: name, isHere: false, names: hosts, examination });
      return { account, view: null };
    } catch (error) {
      return { account: accountFor(task, evidence, unjudged(error)), view: null };
    }
  });

  const viewGroup = async (group: boolean | string): Promise<readonly TownSeen[]> => {
    const members = tasks.filter((task) => task.group === group);
    const own: MachineView = { machine: HERE, isHere: true, names: [], examination: here.examination };
    const [base, ...others] = [
      ...(group === true ? [own] : []),
      ...members.flatMap((task) => sharing.get(task) ?? []),
    ];
    if (base === undefined) return [];
    const roots = new Map([base, ...others].map((one) => [one.machine, one.examination.snapshot.town.root]));
    if (group === true && members.length === 0) return [await viewed(HERE, here.examination, roots, [own])];
    const unreached = members.flatMap((task) => (sharing.has(task) ? [] : [task.machine.name]));
    const { examination, seenBy } = mergeSightings([base, ...others], unreached);
    return [await viewed(base.machine, examination, roots, [base, ...others], seenBy)];
  };

  const groups = [...new Set(tasks.map(({ group }) => group))].filter((group) => typeof group === 'string');
  const [ours] = await viewGroup(true);
  if (ours === undefined) throw new Error('this machine was not looked at');
  const shared = (await Promise.all(groups.map(viewGroup))).flat();
  const views = [ours, ...shared, ...results.flatMap(({ view }) => view ?? [])];
  const accounts = results.map(({ account }) => account);
  const rows = [
    rowOfHere(snapshot),
    ...machines.map((machine) =>
      rowOf(
        machine,
        accounts.filter(({ task }) => task.machine === machine),
      ),
    ),
  ];
  const [first, ...others] = views.map((view) => view.report) as [Report, ...Report[]];
  const report = joinReports([first, ...others], rows, elapsedMs() - startedAt);
  const known = [...new Set(views.flatMap((view) => view.workers ?? []))];
  // An unknown name is a mistake, unless a machine that might know it could not be asked.
  if (names !== undefined && known.length === 0 && accounts.every(({ why }) => why === null))
    for (const name of names) findWorker(name, snapshot, cwd);
  return { report: { ...report, workers: names === undefined ? null : known }, views };
};
