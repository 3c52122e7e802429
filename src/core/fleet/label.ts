/** Labels the rows of a report with their machine, and rewrites its commands so that they work when pasted here. Pure. */
import { HERE } from '../town/views.ts';
import type { Report } from '../types/report.ts';

/** A command as it is run here so that it happens on the machine of the row it stands with. */
export type CommandThere = (machine: string, command: readonly string[]) => readonly string[];

/** By the id of a lock: the machine whose judgement counts, and all machines that see the file. */
export type SeenBy = ReadonlyMap<string, { readonly machine: string; readonly witnesses: readonly string[] }>;

/** Which machine the rows of a report belong to. */
export interface Labels {
  /** The machine for all rows that `seenBy` does not name. */
  readonly base: string;
  /** By the id of a lock, where several machines share the town. */
  readonly seenBy?: SeenBy | undefined;
  readonly commandThere: CommandThere;
}

/** Names the machine in every row and rewrites the commands that run there. Finding ids get its name too, so that they stay unique. */
export const labelled = (report: Report, { base, seenBy, commandThere }: Labels): Report => {
  const machineOf = (lock: string | null): string =>
    (lock === null ? undefined : seenBy?.get(lock)?.machine) ?? base;
  return {
    ...report,
    locks: report.locks.map((lock) => {
      const seen = seenBy?.get(lock.id);
      return seen === undefined
        ? { ...lock, machine: base }
        : { ...lock, machine: seen.machine, witnesses: seen.witnesses };
    }),
    agents: report.agents.map((agent) => ({ ...agent, machine: machineOf(agent.lock) })),
    collisions: report.collisions.map((collision) => ({ ...collision, machine: base })),
    findings: report.findings.map((finding) => {
      const machine = machineOf(finding.lock);
      return {
        ...finding,
        id: machine === HERE ? finding.id : `${machine}:${finding.id}`,
        next: machine === HERE ? finding.next : finding.next.map((command) => commandThere(machine, command)),
        machine,
      };
    }),
    gaps: report.gaps.map((gap) => ({ ...gap, machine: gap.machine ?? base })),
  };
};

/**
 * The same report for people: workers and locks of other machines bear their name, `mini2:gastown/crew/ada`; a root that is a
 * worker itself is called by the name of its directory.
 */
export const inNames = (report: Report): Report => {
  const { machines } = report;
  if (machines === undefined) return report;
  const rootNames = new Map(
    machines.map(({ name, towns: [root = '.'] }) => [name, root.slice(root.lastIndexOf('/') + 1)]),
  );
  const isOurs = (machine: string | undefined): boolean => machine === undefined || machine === HERE;
  const lockName = <Id extends string | null>(id: Id, machine: string | undefined): Id =>
    isOurs(machine) || id === null ? id : (`${machine}:${id}` as Id);
  const workerName = (worker: string, machine: string | undefined): string =>
    isOurs(machine) ? worker : `${machine}:${worker === '.' ? rootNames.get(machine ?? '') : worker}`;
  return {
    ...report,
    locks: report.locks.map((lock) => ({
      ...lock,
      id: lockName(lock.id, lock.machine),
      worker: workerName(lock.worker, lock.machine),
    })),
    agents: report.agents.map((agent) => ({
      ...agent,
      worker: workerName(agent.worker, agent.machine),
      lock: lockName(agent.lock, agent.machine),
    })),
    collisions: report.collisions.map((collision) => ({
      ...collision,
      workers: collision.workers.map((worker) => workerName(worker, collision.machine)),
    })),
    findings: report.findings.map((finding) => ({
      ...finding,
      worker: isOurs(finding.machine) ? finding.worker : workerName(finding.worker ?? '.', finding.machine),
      lock: lockName(finding.lock, finding.machine),
    })),
    gaps: report.gaps.map((gap) => ({
      ...gap,
      what: isOurs(gap.machine) || gap.what.startsWith('machine:') ? gap.what : `${gap.machine}:${gap.what}`,
    })),
  };
};
