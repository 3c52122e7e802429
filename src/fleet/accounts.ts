/** What became of the questions to each machine, and the row that tells it. */
import { HERE } from '../core/town/views.ts';
import type { Snapshot } from '../core/types/evidence.ts';
import type { ReportMachine } from '../core/types/report.ts';
import { VERSION } from '../version.ts';
import type { Evidence } from './ask-evidence.ts';
import type { Machine } from './machine.ts';

/** A question to one machine about one of its towns. */
export interface Task {
  readonly machine: Machine;
  readonly town: string;
  /** The group that shares it; null for a town of its own. */
  readonly group: boolean | string | null;
}

/** A machine with several towns shares the one that has our path, else its first one. */
export const tasksOf = (machine: Machine, ours: string): readonly Task[] => {
  const sharedTown = machine.towns.includes(ours) ? ours : machine.towns[0];
  return machine.towns.map((town) => ({
    machine,
    town,
    group: machine.shared === false || town !== sharedTown ? null : machine.shared,
  }));
};

/** What a machine's row is made of, for each of its towns. */
export interface Account
  extends Pick<ReportMachine, 'host' | 'version' | 'locks' | 'clockDifferenceMs' | 'roundTripMs'> {
  readonly task: Task;
  readonly why: string | null;
  readonly root: string | null;
}

/** What one answer says of its machine; `why` where it came and could not be judged. */
export const accountFor = (task: Task, evidence: Evidence, why: string | null = null): Account => {
  if (evidence.status === 'failed') {
    const nothing = { host: null, version: null, root: null, locks: 0 };
    return { task, why: evidence.why, ...nothing, clockDifferenceMs: null, roundTripMs: null };
  }
  const { snapshot, clockDifferenceMs, roundTripMs } = evidence;
  return {
    task,
    why,
    host: snapshot.machine.host.hostname,
    version: snapshot.version ?? null,
    root: snapshot.town.root,
    locks: why === null ? snapshot.locks.length : 0,
    clockDifferenceMs,
    roundTripMs,
  };
};

/** A machine's row, out of what became of all questions to it. */
export const rowOf = ({ name }: Machine, accounts: readonly Account[]): ReportMachine => {
  const failed = accounts.filter(({ why }) => why !== null);
  const answered = accounts.filter(({ why }) => why === null);
  const [first] = answered;
  const trips = answered.map(({ roundTripMs }) => roundTripMs ?? 0);
  const reasons = failed.map(({ task, why }) =>
    accounts.length === 1 ? (why ?? '') : `${task.town}: ${why ?? ''}`,
  );
  return {
    name,
    status: failed.length === 0 ? 'ok' : answered.length === 0 ? 'failed' : 'partial',
    reason: failed.length === 0 ? null : reasons.join('; '),
    host: first?.host ?? null,
    version: first?.version ?? null,
    towns: answered.map(({ task, root }) => root ?? task.town),
    locks: answered.reduce((sum, { locks }) => sum + locks, 0),
    clockDifferenceMs: first?.clockDifferenceMs ?? null,
    roundTripMs: trips.length === 0 ? null : Math.max(...trips),
  };
};

/** This machine's row. */
export const rowOfHere = ({ machine, town, locks }: Snapshot): ReportMachine => ({
  name: HERE,
  status: 'ok',
  reason: null,
  host: machine.host.hostname,
  version: VERSION,
  towns: [town.root],
  locks: locks.length,
  clockDifferenceMs: 0,
  roundTripMs: 0,
});
