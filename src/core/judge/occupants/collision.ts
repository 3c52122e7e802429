/**
 * Collisions: two or more distinct live agents on one worker, or one live agent that several workers' locks claim.
 * A collision is between live agents and never a state of one lock: dead locks that share a number do not collide.
 */
import { groupBy } from '../../group-by.ts';
import { claimsWorker, workersClaimed } from '../../town/lock-rules.ts';
import { isFrom } from '../../town/machine-index.ts';
import { inNameOrder } from '../../town/name-order.ts';
import { isWithin, ownerOf } from '../../town/roles.ts';
import { paneKey, pidOfKey, processKey, type TownIndex, type WorkerView } from '../../town/views.ts';
import type { Collision, Fact, Occupant, Verdict } from '../../types/judgement.ts';
import { type CrowdedPlaces, crowdedPlaces } from './crowded-places.ts';
import { type OccupantReader, occupantReader } from './occupants.ts';
import { type Party, partiesOf } from './parties.ts';

/** One live agent, or a party of them. */
type Agent = Pick<Party, 'keys' | 'text'>;

/** The lock's own live holder, where something other than an occupant shows it: a token of ours, or a busy pane. */
const holdersOf = (verdict: Verdict, index: TownIndex): readonly Agent[] => {
  const { holder } = verdict;
  if (verdict.state !== 'held' || holder === null) return [];
  if (holder.pane !== null) {
    const key = paneKey(index.machine.key, holder.pane.socket, holder.pane.id);
    const view = index.machine.panes.find((candidate) => candidate.key === key);
    if (view === undefined || view.idle) return [];
    return [
      {
        keys: [key],
        text: `${view.agent ?? view.pane.command} runs in pane ${holder.pane.id}, which the lock names`,
      },
    ];
  }
  const { content } = verdict.lock;
  const own = content.kind === 'record' ? (content.record.holder ?? verdict.lock.companion) : null;
  if (own === null || holder.process !== 'alive') return [];
  return [{ keys: [processKey(index.machine.key, own.pid)], text: `process ${own.pid} holds the lock` }];
};

/** A holder process that runs inside a seen agent's pane, or is that agent's parent, is the same agent. */
const isSameAgent = (
  holder: Agent,
  agents: readonly Agent[],
  occupants: readonly Occupant[],
  index: TownIndex,
): boolean => {
  if (agents.some((agent) => agent.keys.some((key) => holder.keys.includes(key)))) return true;
  const [key = ''] = holder.keys;
  const pid = pidOfKey(index.machine.key, key);
  if (pid === null) {
    const view = index.machine.panes.find((candidate) => candidate.key === key);
    return view?.agent === null && occupants.some((occupant) => occupant.group === view.group);
  }
  return occupants.some((other) => isFrom(pid, other.pid, index) || isFrom(other.pid, pid, index));
};

/** An agent's key for people: `%3` for a pane, `pid 4242` for a process. */
const labelOf = (machine: string, key: string): string => {
  const pid = pidOfKey(machine, key);
  return pid === null ? key.slice(key.lastIndexOf(':') + 1) : `pid ${pid}`;
};

/** Who works at a worker, seen by its first lock. */
type Reader = (worker: WorkerView, verdict: Verdict | null) => readonly Occupant[];

const occupantsIn =
  (read: OccupantReader): Reader =>
  (worker, verdict) =>
    read(worker, verdict?.lock ?? null, null).occupants;

/** The same for the reader that the judge has asked, which gave it the same answer where the holder is not alive. */
const occupantsAgain = (read: OccupantReader): Reader => {
  const readAnew = occupantsIn(read);
  return (worker, verdict) => {
    const process = verdict?.holder?.process ?? 'alive';
    return verdict === null || process === 'alive' ? readAnew(worker, verdict) : verdict.occupants;
  };
};

const crowdAt = (
  worker: WorkerView,
  verdicts: readonly Verdict[],
  index: TownIndex,
  readOccupants: Reader,
): Collision | null => {
  const occupants = readOccupants(worker, verdicts[0] ?? null);
  // A lock names one agent at the most.
  if (occupants.length + verdicts.length < 2) return null;
  const agents: Agent[] = [...partiesOf(occupants, index)];
  for (const holder of verdicts.flatMap((verdict) => holdersOf(verdict, index)))
    if (!isSameAgent(holder, agents, occupants, index)) agents.push(holder);
  if (agents.length < 2) return null;
  return {
    kind: 'agents',
    workers: [worker.worker],
    message: `${agents.length} live agents share this worker`,
    who: agents.map(({ keys: [key = ''] }) => labelOf(index.machine.key, key)),
    facts: agents.map(({ text }): Fact => ({ source: 'occupants', text })),
  };
};

/** What a held lock claims to be its holder, where that is alive: the pane, else the live process. */
const claimOf = (verdict: Verdict): string | null => {
  const { holder, lock } = verdict;
  if (verdict.state !== 'held' || holder === null) return null;
  if (holder.pane !== null)
    return `pane ${holder.pane.id} of session ${holder.pane.sessionName} (${holder.pane.socket})`;
  if (holder.process !== 'alive') return null;
  const own = lock.content.kind === 'record' ? lock.content.record.holder : null;
  return `process ${own?.pid ?? holder.pid}`;
};

/** One agent may own locks in directories above and below its own, and a copied lock makes no claim. */
const areOneAgents = (one: Verdict, other: Verdict): boolean => {
  const [a, b] = [one.lock.worker, other.lock.worker];
  if (isWithin(a, b) || isWithin(b, a)) return true;
  const [ownerA, ownerB] = [ownerOf(a), ownerOf(b)];
  if (ownerA !== null && ownerB !== null && ownerA.role === ownerB.role) return true;
  return one.lock.stamp !== null && one.lock.stamp.sha256 === other.lock.stamp?.sha256;
};

const rivalClaims = (verdicts: readonly Verdict[]): readonly Collision[] => {
  const claims = groupBy(verdicts, claimOf);
  return [...claims].flatMap(([claim, group]) => {
    const rivals = group.filter((one) => group.some((other) => other !== one && !areOneAgents(one, other)));
    if (rivals.length < 2) return [];
    // Each worker once, however many of its locks claim that agent.
    const named = [...new Set(rivals.map(({ lock }) => lock.worker))];
    const workers = inNameOrder(named);
    const facts = named.map((worker): Fact => ({ source: 'lock', text: `${worker} names ${claim}` }));
    return [
      {
        kind: 'claims' as const,
        workers,
        message: `${workers.length} workers' locks claim one agent: ${claim}`,
        who: [],
        facts,
      },
    ];
  });
};

/** The places at which agents may collide, given the verdicts. */
export const placesOf = (index: TownIndex, verdicts: readonly Verdict[]): CrowdedPlaces =>
  crowdedPlaces(index, workersClaimed(verdicts));

/** All collisions of a town: workers in path order first, then rival claims. */
export const findCollisions = (
  index: TownIndex,
  verdicts: readonly Verdict[],
  readOccupants: OccupantReader,
  { places, index: around }: CrowdedPlaces = placesOf(index, verdicts),
): readonly Collision[] => {
  const claims = verdicts.filter(({ lock }) => claimsWorker(lock));
  const byWorker = groupBy(claims, ({ lock }) => lock.worker);
  const readAgents = around === index ? occupantsAgain(readOccupants) : occupantsIn(occupantReader(around));
  const crowds = new Map<string, Collision>();
  for (const place of places) {
    const crowd = crowdAt(index.viewOf(place), byWorker.get(place) ?? [], around, readAgents);
    if (crowd !== null) crowds.set(place, crowd);
  }
  // A directory and its parent that belong to one agent would report the same collision twice: only the outermost does.
  const told = new Map<string, Collision>();
  for (const [place, crowd] of inNameOrder(crowds, ([place]) => place)) {
    const story = index.viewOf(place).owner?.role ?? place;
    if (!told.has(story)) told.set(story, crowd);
  }
  return [...told.values(), ...rivalClaims(claims)];
};
