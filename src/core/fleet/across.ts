/** Agents of several machines at work in one shared directory: the collision that no machine can see alone. Pure. */
import { claimsWorker } from '../town/lock-rules.ts';
import type { Collision, LocklessAgent, Occupant, Verdict } from '../types/judgement.ts';
import type { MachineView } from './taker.ts';

/** An agent that one machine shows alive at one worker. */
interface Life {
  readonly machine: string;
  /** `%3`, `pid 4242` */
  readonly who: string;
  readonly text: string;
}

const nameOf = ({ pane, pid }: Pick<Occupant, 'pane' | 'pid'>): string => pane?.id ?? `pid ${pid}`;

/** The first agent that a verdict shows at work: several on one machine are that machine's own collision. */
const lifeSeen = ({ occupants, holder, state, reasons }: Verdict): Omit<Life, 'machine'> | null => {
  const agent = occupants.find(({ isAgent, visiting }) => isAgent && !visiting);
  if (agent !== undefined) return { who: nameOf(agent), text: agent.text };
  const isOwn = !reasons.includes('other-host') && !reasons.includes('other-namespace');
  if (state !== 'held' || holder?.process !== 'alive' || !isOwn) return null;
  return { who: `pid ${holder.truePid}`, text: `process ${holder.truePid} holds the lock` };
};

/** Machines that run on one kernel see each other's processes: an agent in a container is one agent, seen twice. */
const isSameKernel = (one: MachineView, other: MachineView): boolean => {
  const bootOf = ({ examination }: MachineView): string | null => examination.snapshot.machine.host.bootId;
  return bootOf(one) !== null && bootOf(one) === bootOf(other);
};

/** The agents that each machine shows at each worker, the first of each machine. */
const livesByWorker = (sightings: readonly MachineView[]): ReadonlyMap<string, readonly Life[]> => {
  const found = new Map<string, { readonly sighting: MachineView; readonly life: Life }[]>();
  const add = (worker: string, sighting: MachineView, life: Omit<Life, 'machine'> | null): void => {
    const known = found.get(worker) ?? [];
    const isTold = known.some((one) => one.sighting === sighting || isSameKernel(one.sighting, sighting));
    if (life === null || isTold) return;
    found.set(worker, [...known, { sighting, life: { ...life, machine: sighting.machine } }]);
  };
  for (const sighting of sightings) {
    for (const verdict of sighting.examination.verdicts)
      if (claimsWorker(verdict.lock)) add(verdict.lock.worker, sighting, lifeSeen(verdict));
    for (const { worker, occupant } of sighting.examination.lockless)
      if (occupant.isAgent && !occupant.visiting)
        add(worker, sighting, { who: nameOf(occupant), text: occupant.text });
  }
  return new Map([...found].map(([worker, lives]) => [worker, lives.map(({ life }) => life)]));
};

/** A collision for each worker in which agents of several machines are at work. */
const agentsAcross = (sightings: readonly MachineView[]): readonly Collision[] =>
  [...livesByWorker(sightings)].flatMap(([worker, lives]) =>
    lives.length < 2
      ? []
      : [
          {
            kind: 'agents' as const,
            workers: [worker],
            message: `agents on ${lives.length} machines share this worker (${lives.map(({ machine }) => machine).join(', ')})`,
            who: lives.map(({ machine, who }) => `${machine} ${who}`),
            facts: lives.map(({ machine, text }) => ({
              source: 'occupants' as const,
              text: `${machine}: ${text}`,
            })),
          },
        ],
  );

/** What all machines tell, each thing once where several machines run on one kernel. */
const toldOnce = <Told>(
  sightings: readonly MachineView[],
  told: (sighting: MachineView) => readonly Told[],
  keyOf: (one: Told) => string,
): readonly Told[] =>
  sightings.flatMap((sighting, at) => {
    const before = sightings.slice(0, at).filter((other) => isSameKernel(other, sighting));
    const known = new Set(before.flatMap((other) => told(other).map(keyOf)));
    return told(sighting).filter((one) => !known.has(keyOf(one)));
  });

/** All collisions in a shared directory: those across machines first, then what each machine sees alone. */
export const collisionsAmong = (sightings: readonly MachineView[]): readonly Collision[] => [
  ...agentsAcross(sightings),
  ...toldOnce(
    sightings,
    ({ examination }) => examination.collisions,
    ({ kind, workers }) => `${kind} ${workers.join('\0')}`,
  ),
];

/** Agents without a lock in a shared directory. */
export const locklessAmong = (sightings: readonly MachineView[]): readonly LocklessAgent[] =>
  toldOnce(
    sightings,
    ({ examination }) => examination.lockless,
    ({ worker }) => worker,
  );
