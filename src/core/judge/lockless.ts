/** Agents at work where no lock is: what `doctor locks` shows besides the locks. Pure. */
import { groupBy } from '../group-by.ts';
import { agentNameOf } from '../programs/classify.ts';
import { workersClaimed } from '../town/lock-rules.ts';
import { paneOf } from '../town/machine-index.ts';
import { inNameOrder } from '../town/name-order.ts';
import { processKey, type TownIndex } from '../town/views.ts';
import type { ProcessInfo } from '../types/evidence.ts';
import type { LocklessAgent, Occupant, Verdict } from '../types/judgement.ts';
import { listAtWork, worksAt } from './occupants/at-work.ts';
import type { CrowdedPlaces } from './occupants/crowded-places.ts';
import { type OccupantReader, occupantReader } from './occupants/occupants.ts';

/** Every agent that no lock's verdict accounts for, once, at the innermost place. */
export const findLockless = (
  { places, inhabited, index }: CrowdedPlaces,
  verdicts: readonly Verdict[],
  readOccupants: OccupantReader | null,
): readonly LocklessAgent[] => {
  const locked = workersClaimed(verdicts);
  const open = withoutLock([places, inhabited], locked);
  if (open.length === 0) return [];
  const read = readOccupants ?? occupantReader(index);
  const apart = apartIn(index);
  const known = new Set(
    verdicts.flatMap(({ lock, occupants }) =>
      occupants.flatMap((occupant) => apart(occupant, lock.worker).map(({ key }) => key)),
    ),
  );
  const found: LocklessAgent[] = [];
  // The longest path first: an agent is shown where it stands, not in a directory above.
  for (const worker of open.sort((a, b) => b.length - a.length))
    for (const seen of read(index.viewOf(worker), null, null).occupants)
      for (const occupant of seen.visiting ? [] : apart(seen, worker)) {
        if (known.has(occupant.key)) continue;
        known.add(occupant.key);
        found.push({ worker, occupant });
      }
  return inNameOrder(found, ({ worker }) => worker);
};

const withoutLock = (lists: readonly Iterable<string>[], locked: ReadonlySet<string>): string[] => {
  const open = new Set<string>();
  for (const places of lists) for (const place of places) if (!locked.has(place)) open.add(place);
  return [...open];
};

/** How to tell agents apart that run side by side in one pane: as an occupant the pane is one. */
const apartIn = (index: TownIndex): ((occupant: Occupant, worker: string) => readonly Occupant[]) => {
  const { key: machine } = index.machine;
  const agents = listAtWork('agent', index);
  const pids = new Set(agents.map(({ process }) => process.pid));
  const sideBySide = groupBy(agents, (agent) =>
    // Whoever was started by an agent is a part of that one.
    agent.pids.some((pid) => pid !== agent.process.pid && pids.has(pid))
      ? null
      : (paneOf(agent.pids, index)?.key ?? null),
  );
  return (occupant, worker) => {
    const all = sideBySide.get(occupant.key) ?? [];
    const here =
      all.length < 2 ? [] : all.filter((agent) => worksAt(agent, index.viewOf(worker), null, index));
    return here.length === 0 ? [occupant] : here.map(({ process }) => oneOf(occupant, process, machine));
  };
};

const oneOf = (occupant: Occupant, process: ProcessInfo, machine: string): Occupant => {
  const { pid } = process;
  const command = agentNameOf(process);
  const where = occupant.pane === null ? 'here' : `in pane ${occupant.pane.id}`;
  const text = `${command} (process ${pid}) is running ${where}`;
  return { ...occupant, key: processKey(machine, pid), pid, command, text };
};
