/** Who works at a place, and by what evidence: the occupants of `judge/occupants`, and whoever else is seen there. Pure. */
import { groupBy } from './group-by.ts';
import { countingTheAsker } from './judge/asker.ts';
import { judgeAll } from './judge/judge.ts';
import { type AtWork, isAtPlaceOf, listAtWork } from './judge/occupants/at-work.ts';
import { nobodyReader } from './judge/occupants/bystanders.ts';
import { placesOf } from './judge/occupants/collision.ts';
import { describeUnseen, type OccupantReader, occupantReader } from './judge/occupants/occupants.ts';
import { strangerReader } from './judge/occupants/strangers.ts';
import { occupantsWithoutLock } from './judge/without-record.ts';
import { gapAt } from './preflight/clear-to-start.ts';
import { agentNameOf, programOf } from './programs/classify.ts';
import { isAgentLock, lockBeside } from './record/lock-names.ts';
import { doubtOf } from './report/doubt.ts';
import { homeOf } from './town/belonging.ts';
import { claimsWorker, isAsked } from './town/lock-rules.ts';
import { lineage, paneOf } from './town/machine-index.ts';
import { describeAside, isLockMovedAside } from './town/moved-aside.ts';
import { inNameOrder } from './town/name-order.ts';
import { isWithin } from './town/roles.ts';
import { indexSnapshot } from './town/town-index.ts';
import { paneName, type TownIndex, type WorkerView } from './town/views.ts';
import type { LockFile, Snapshot } from './types/evidence.ts';
import type { Occupant, Verdict } from './types/judgement.ts';
import type { Person, PersonClass, PlaceOfWork, Sighted } from './types/report.ts';

/** In this order they are listed: those who count come first. */
const CLASSES: readonly PersonClass[] = ['agent', 'unknown', 'bystander', 'infrastructure', 'left-behind'];

/** What is derived from one snapshot once, for all places. */
interface Witnesses {
  readonly index: TownIndex;
  readonly agents: readonly AtWork[];
  readonly occupants: OccupantReader;
  readonly strangers: ReturnType<typeof strangerReader>;
  readonly nobodies: ReturnType<typeof nobodyReader>;
  readonly verdictsAt: ReadonlyMap<string, readonly Verdict[]>;
  /** Numbers of the processes that ask. */
  readonly asking: readonly number[];
}

/**
 * Everybody at the places in or around a directory of the snapshot's town (`.`: all of it), and what could not be looked at.
 * An agent that asks works there as well, and is marked.
 *
 * @param isTree the directory is a working tree of its own: whoever stands around it does not work in it
 * @param treesInside working trees in the root that are places whether or not somebody works there
 */
export const whoIsThere = (
  given: Snapshot,
  directory: string,
  isTree: boolean,
  treesInside: readonly string[] = [],
): readonly PlaceOfWork[] => {
  const snapshot = countingTheAsker(given);
  const seen = indexSnapshot(snapshot);
  const verdicts = judgeAll(seen);
  const { places: known, inhabited, index } = placesOf(seen, verdicts);
  const witnesses: Witnesses = {
    index,
    agents: listAtWork('agent', index),
    occupants: occupantReader(index),
    strangers: strangerReader(index),
    nobodies: nobodyReader(index),
    verdictsAt: groupBy(verdicts, ({ lock }) => lock.worker),
    asking: given.machine.asker.pids,
  };
  const { trees = [], worktrees = [] } = snapshot.town;
  const locked = verdicts.map(({ lock }) => lock.worker);
  const all = [...known, ...inhabited, ...trees, ...treesInside, ...worktrees, ...locked];
  const inside = [...new Set(all)].filter(
    (place) => place !== directory && (directory === '.' || isWithin(place, directory)),
  );
  const places = innermostOnly(inside, index).map((place) => lookAround(place, witnesses));
  const around = lookAround(
    inside.length === 0 && !isTree ? placeAround(directory, index) : directory,
    witnesses,
  );
  const isTold = isElsewhere(around, places);
  return isTold ? places : [around, ...places];
};

/** The directories of one agent are one place, named by the outermost of them. */
const innermostOnly = (places: readonly string[], index: TownIndex): readonly string[] => {
  const told = new Map<string, string>();
  for (const place of inNameOrder(places)) {
    const story = index.viewOf(place).owner?.role ?? place;
    if (!told.has(story)) told.set(story, place);
  }
  return [...told.values()];
};

/** The worker whose directory this is or lies in: its agent may work anywhere below. The directory itself where there is none. */
const placeAround = (directory: string, index: TownIndex): string => {
  const home = homeOf(directory, index);
  return home === null || (home === '.' && index.snapshot.town.marked) ? directory : home;
};

/** True where everybody and every doubt at the directory is told at one of the workers' places below it already. */
const isElsewhere = ({ people, unseen }: PlaceOfWork, places: readonly PlaceOfWork[]): boolean => {
  if (places.length === 0) return false;
  const pids = new Set(places.flatMap((place) => place.people.map(({ pid }) => pid)));
  const told = new Set(places.flatMap((place) => place.unseen));
  return people.every(({ pid }) => pids.has(pid)) && unseen.every((why) => told.has(why));
};

const lookAround = (worker: string, witnesses: Witnesses): PlaceOfWork => {
  const { index, asking } = witnesses;
  const { root } = index.snapshot.town;
  const view = index.viewOf(worker);
  const all = witnesses.verdictsAt.get(worker) ?? [];
  const verdicts = all.filter(({ lock }) => claimsWorker(lock));
  const around = occupantsWithoutLock(worker, index, witnesses.occupants);
  const agents = around.occupants.map((occupant) => personOf(occupant, view, verdicts, witnesses));
  const taken = new Set(agents.flatMap(({ pid }) => (pid === null ? [] : [pid])));
  const isPartOfOne = (pid: number | null): boolean =>
    pid !== null && [...lineage(pid, index)].some((above) => taken.has(above));
  const holders = verdicts.flatMap((verdict) => holderAsPerson(verdict, view, isPartOfOne, witnesses));
  for (const { pid } of holders) if (pid !== null) taken.add(pid);
  const strangers = witnesses
    .strangers(view, null)
    .filter(({ pid }) => !isPartOfOne(pid))
    .map(({ program, pid, text }): Person => person('unknown', program, pid, text, ['directory'], witnesses));
  const nobodies = witnesses
    .nobodies(view)
    .filter(({ process }) => !isPartOfOne(process.pid))
    .map(({ process, class: kind, why }): Person => {
      const program = programOf(process);
      return person(kind, program, process.pid, why, ['directory'], witnesses);
    });
  const people = [...agents, ...holders, ...strangers, ...nobodies];
  const unseen = [
    ...around.unseen.map((why) => (why.startsWith('the second record') ? why : describeUnseen(why))),
    ...all.flatMap(({ lock }) => unseenBeside(lock, view, witnesses)),
    ...verdicts.flatMap(doubtIn),
    ...gapsAt(worker, index.snapshot),
    ...asidesAt(worker, index.snapshot),
  ];
  return {
    path: worker === '.' ? root : `${root === '/' ? '' : root}/${worker}`,
    root,
    worker,
    people: CLASSES.flatMap((kind) => people.filter((each) => each.class === kind)).map((each) => ({
      ...each,
      asks: each.pid !== null && asking.includes(each.pid),
    })),
    unseen: [...new Set(unseen)],
  };
};

/** Whoever took a lock may hide where he works, and matters only because his lock is here. */
const unseenBeside = (lock: LockFile, view: WorkerView, { occupants }: Witnesses): readonly string[] =>
  isAsked(lock, 'agents') ? occupants(view, lock, null).unseen.map(describeUnseen) : [];

/** What a lock leaves open: where it was taken somewhere else, and where its holder could not be looked up. */
const doubtIn = (verdict: Verdict): readonly string[] => {
  const { state, facts, strangers, reasons } = verdict;
  if (state === 'foreign') return [`its lock was taken elsewhere: ${facts[0]?.text ?? 'on another host'}`];
  if (state !== 'unknown' || strangers.length > 0 || reasons.includes('occupants-unknown')) return [];
  return [`its lock cannot be judged: ${doubtOf(verdict)}`];
};

/** An agent's lock that a killed run had moved aside may be that of somebody who was not seen. */
const asidesAt = (worker: string, { leftovers, locks }: Snapshot): readonly string[] =>
  leftovers
    .filter((each) => each.worker === worker && isLockMovedAside(each, locks))
    .filter(({ path }) => isAgentLock(lockBeside(path)))
    .map(describeAside);

const gapsAt = (worker: string, snapshot: Snapshot): readonly string[] => {
  const gap = gapAt(worker, snapshot);
  return gap === undefined
    ? []
    : [`${gap.what.slice(gap.what.indexOf(':') + 1)} could not be looked at: ${gap.why}`];
};

const person = (
  kind: PersonClass,
  name: string,
  pid: number | null,
  why: string,
  seenBy: readonly Sighted[],
  { index }: Witnesses,
): Person => {
  const view = pid === null ? undefined : paneOf([...lineage(pid, index)], index);
  const pane = view === undefined ? null : paneName(view);
  return {
    class: kind,
    name,
    pid,
    pane,
    seenBy: pane === null ? seenBy : [...seenBy, 'tmux'],
    why,
    asks: false,
  };
};

/** The agents among the processes that belong to one occupant. */
const processesOf = ({ pid }: Occupant, { agents }: Witnesses): readonly AtWork[] =>
  agents.filter(({ process, pids }) => process.pid === pid || pids.includes(pid));

const personOf = (
  occupant: Occupant,
  view: WorkerView,
  verdicts: readonly Verdict[],
  witnesses: Witnesses,
): Person => {
  const { index } = witnesses;
  const own = processesOf(occupant, witnesses);
  // The agent from which the others descend.
  const [first = null] = [...own].sort((a, b) => a.pids.length - b.pids.length);
  const pid = first?.process.pid ?? occupant.pid;
  const isHere = own.some(
    ({ process, paths }) =>
      process.cwd?.seen === true && paths.some((path) => isAtPlaceOf(path, view, index)),
  );
  const isNamed = verdicts.some(
    ({ holder, state }) =>
      state === 'held' &&
      holder !== null &&
      ((occupant.pane !== null && holder.pane?.id === occupant.pane.id) ||
        holder.truePid === pid ||
        own.some(({ pids }) => pids.includes(holder.truePid))),
  );
  return {
    class: 'agent',
    name: first === null ? occupant.command : agentNameOf(first.process),
    pid,
    pane: occupant.pane,
    seenBy: [
      ...(isHere ? (['directory'] as const) : []),
      ...(occupant.pane === null ? [] : (['tmux'] as const)),
      ...(own.some(({ process }) => process.registered !== undefined) ? (['registry'] as const) : []),
      ...(isNamed ? (['lock'] as const) : []),
    ],
    why: occupant.text,
    asks: false,
  };
};

/** How such a holder counts. */
export const holdsLock = (path: string): string => `holds the lock ${path}`;

/** The live process that a lock names, unless it is listed already. */
const holderAsPerson = (
  { state, holder, lock, facts }: Verdict,
  view: WorkerView,
  isTold: (pid: number) => boolean,
  witnesses: Witnesses,
): readonly Person[] => {
  if (holder === null || holder.process !== 'alive' || (state !== 'held' && state !== 'orphaned')) return [];
  const { truePid: pid, command } = holder;
  if (isTold(pid)) return [];
  const process = witnesses.index.machine.processes.get(pid);
  const paths = process === undefined || process.cwd?.seen !== true ? [] : [process.cwd.value];
  const { root } = witnesses.index.snapshot.town;
  const isHere = paths.some(
    (path) => path === `${root}/${view.worker}` || path.startsWith(`${root}/${view.worker}/`),
  );
  const isOfContainer = facts.some(({ source, text }) => source === 'host' && text.includes('container'));
  const seenBy: readonly Sighted[] = [
    'lock',
    ...(isHere ? (['directory'] as const) : []),
    ...(isOfContainer ? (['container'] as const) : []),
  ];
  return [person('agent', command ?? 'a process', pid, holdsLock(lock.path), seenBy, witnesses)];
};
