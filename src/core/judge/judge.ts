/** The one judge. Every command and every repair asks here; nobody derives a state again. */

import { claimsWorker } from '../town/claims-worker.ts';
import { isWithin, relativeTo } from '../town/roles.ts';
import { processKey, type TownIndex, type WorkerView } from '../town/views.ts';
import type { HostFacts, LockFile, LockRecord, TrueHolder, Witness } from '../types/evidence.ts';
import type {
  Fact,
  Holder,
  Note,
  ProcessState,
  Reason,
  SessionState,
  State,
  Verdict,
} from '../types/judgement.ts';
import { ageOf, isFresh, isPriming } from './ages.ts';
import { seenFromWithin } from './holder/containers.ts';
import { judgeCompanion, judgeProcess } from './holder/process.ts';
import type { ProcessFinding } from './holder/process-finding.ts';
import { tiesOf } from './holder/ties.ts';
import { type Place, placeOf } from './holder/where-taken.ts';
import { isTracked, mayRelease } from './may-release.ts';
import {
  NOBODY_FOR_CERTAIN,
  type OccupantFinding,
  type OccupantReader,
  occupantReader,
} from './occupants/occupants.ts';
import { partiesOf } from './occupants/parties.ts';
import { judgeSession, NO_SESSION_NAMED, namingOf, type SessionFinding } from './session.ts';

/** The evidence about a readable record, reduced to what the decision turns on. */
export interface Weighing {
  /** Taken on another host or in another PID namespace. */
  readonly foreign: boolean;
  readonly process: ProcessState;
  /** The process evidence rests on a start token of our own. */
  readonly own: boolean;
  readonly session: SessionState;
  readonly occupied: boolean;
  readonly occupantsKnown: boolean;
  /** The lock was taken less than a minute ago. */
  readonly young: boolean;
}

const DECISIONS: Readonly<Record<ProcessState, Readonly<Record<SessionState, State>>>> = {
  alive: { live: 'held', gone: 'orphaned', unnamed: 'held', unknown: 'held' },
  gone: { live: 'held', gone: 'stale', unnamed: 'stale', unknown: 'unknown' },
  recycled: { live: 'held', gone: 'stale', unnamed: 'stale', unknown: 'unknown' },
  unknown: { live: 'held', gone: 'unknown', unnamed: 'unknown', unknown: 'unknown' },
};

const isDead = (process: ProcessState): boolean => process === 'gone' || process === 'recycled';

/** The decision table of the contract, section 3, with what surrounds it. A lock is stale only on proof, never on doubt. */
export const decide = (evidence: Weighing): State => {
  const { foreign, process, session, occupied, occupantsKnown } = evidence;
  if (occupied) return 'held';
  if (foreign) return session === 'live' ? 'held' : 'foreign';
  if (process === 'alive' && evidence.young) return 'held';
  // Our own token proves the holder dead: a session that stands without an agent in it is no life.
  const sessionCounts = !(evidence.own && isDead(process) && session === 'live');
  const decided = DECISIONS[process][sessionCounts ? session : 'gone'];
  return decided === 'stale' && !occupantsKnown ? 'unknown' : decided;
};

/** The workers whose locks have the same bytes, unless they are this one's own places. */
const twinsOf = (lock: LockFile, worker: WorkerView, index: TownIndex): readonly WorkerView[] => {
  const group =
    lock.stamp === null || !claimsWorker(lock) ? undefined : index.locksByDigest.get(lock.stamp.sha256);
  // Nearly always the group is the lock itself.
  return group === undefined || group.length === 1 ? NO_TWINS : twinsAmong(group, lock, worker, index);
};

const NO_TWINS: readonly WorkerView[] = [];

const twinsAmong = (
  group: readonly LockFile[],
  lock: LockFile,
  worker: WorkerView,
  index: TownIndex,
): readonly WorkerView[] =>
  group
    .filter((other) => other.worker !== lock.worker)
    .filter((other) => !isWithin(other.worker, lock.worker) && !isWithin(lock.worker, other.worker))
    .map((other) => index.viewOf(other.worker))
    .filter((other) => other.owner === null || other.owner.role !== worker.owner?.role);

/** A live holder that works at the place of a lock with the same bytes, and not here, holds that one: this is the copy. */
const isElsewhere = (
  finding: ProcessFinding | null,
  worker: WorkerView,
  twins: readonly WorkerView[],
  index: TownIndex,
): boolean => {
  const cwd = finding?.state === 'alive' ? finding.process?.cwd : null;
  if (cwd?.seen !== true) return false;
  const path = relativeTo(index.snapshot.town.root, cwd.value);
  if (path === null || isWithin(path, worker.worker)) return false;
  return twins.some((twin) => isWithin(path, twin.worker));
};

const isAsked = ({ rules }: LockFile, witness: Witness): boolean =>
  rules === undefined || rules.witnesses.includes(witness);

/** Who works at the worker of a lock, where that says anything about it. */
const occupantsAt = (
  worker: WorkerView,
  lock: LockFile,
  ownPid: number | null,
  readOccupants: OccupantReader,
): OccupantFinding => (isAsked(lock, 'agents') ? readOccupants(worker, lock, ownPid) : NOBODY_FOR_CERTAIN);

const gitFact = ({ git }: LockFile): Fact | null => {
  if (git === null) return null;
  if (!git.tracked.seen)
    return { source: 'git', text: `git could not say whether it tracks the lock: ${git.tracked.why}` };
  return git.tracked.value ? { source: 'git', text: 'git tracks this lock file' } : null;
};

/** Whose a live process is, where it is plainly somebody else's, or somebody else's lock names it as well. */
const claimOn = ({ pid, process }: ProcessFinding, lock: LockFile, index: TownIndex): string | null => {
  const worker = index.viewOf(lock.worker);
  const ties = process === null ? null : tiesOf(process, lock, worker, index);
  if (ties?.mine === true) return null;
  return ties?.claimedBy ?? index.locksNaming(pid).find((other) => other !== lock)?.worker ?? null;
};

const describeHolder = (
  lock: LockFile,
  record: LockRecord,
  process: ProcessFinding | null,
  session: SessionFinding,
  index: TownIndex,
): Holder => {
  const [view] = session.panes;
  const ageMs = ageOf(record.acquiredAtMs, index);
  return {
    pid: record.pid,
    truePid: process?.pid ?? record.holder?.pid ?? record.pid,
    process: process?.state ?? null,
    claimedBy: process?.state === 'alive' ? claimOn(process, lock, index) : null,
    command: process?.process?.names[0] ?? null,
    sessionId: record.sessionId === '' ? null : record.sessionId,
    session: session.state,
    hostname: record.hostname === '' ? null : record.hostname,
    acquiredAt: record.acquiredAt === '' ? null : record.acquiredAt,
    ageSeconds: ageMs === null ? null : Math.round(ageMs / 1000),
    pane:
      view === undefined
        ? null
        : { socket: view.server.socket, id: view.pane.id, sessionName: view.pane.sessionName },
  };
};

/** An occupant in another pane than the lock names: the agent moved on and the lock did not. */
const isDrifted = (record: LockRecord, session: SessionFinding, around: OccupantFinding): boolean => {
  const naming = namingOf(record.sessionId);
  if (around.occupants.length === 0 || naming === 'none' || naming === 'identity') return false;
  const named = new Set(session.panes.map((view) => view.key));
  return !around.occupants.some(
    ({ key, pane }) => named.has(key) || (naming === 'name' && pane?.sessionName === record.sessionId),
  );
};

const isTeam = ({ occupants }: OccupantFinding, index: TownIndex): boolean =>
  partiesOf(occupants, index).some(({ agents }) => agents > 1);

/** The named pane or session stands, its agent is known to be gone, and nobody works in it or around it. */
const isIdle = (process: ProcessFinding | null, session: SessionFinding, around: OccupantFinding): boolean =>
  process !== null &&
  isDead(process.state) &&
  session.state === 'live' &&
  session.panes.every(({ idle }) => idle) &&
  around.known &&
  around.occupants.length === 0;

const placeNotes = (lock: LockFile, worker: WorkerView, index: TownIndex): Note[] => {
  const notes: Note[] = [];
  if (claimsWorker(lock) && index.snapshot.town.marked && worker.owner?.canonical !== true)
    notes.push('misplaced');
  if (isTracked(lock)) notes.push('tracked');
  if (lock.layout === 'legacy') notes.push('legacy-path');
  return notes;
};

const judgeRecord = (
  lock: LockFile,
  record: LockRecord,
  outer: TownIndex,
  readOccupants: OccupantReader,
): Verdict => {
  const index = seenFromWithin(lock, record, outer);
  const { host } = outer.machine.seen;
  const worker = index.viewOf(lock.worker);
  const place = placeOf(lock, record, index.snapshot);
  const foreign = place === 'other-host' || place === 'other-namespace';
  const twins = twinsOf(lock, worker, index);
  const process = isAsked(lock, 'process') ? judgeProcess(lock, record, index) : null;
  const session = isAsked(lock, 'session')
    ? judgeSession(record, foreign, worker, twins, index)
    : NO_SESSION_NAMED;
  const elsewhere = isElsewhere(process, worker, twins, index);
  const alive = process?.state === 'alive' && !elsewhere;
  const around = occupantsAt(worker, lock, alive ? (process?.pid ?? null) : null, readOccupants);
  const priming = alive && isPriming(lock, record, index);
  const state = decide({
    foreign,
    process: elsewhere ? 'gone' : (process?.state ?? 'unknown'),
    own: process?.own ?? false,
    session: session.state,
    occupied: around.occupants.length > 0,
    occupantsKnown: around.known,
    young: priming,
  });

  const reasons: Reason[] = [];
  if (foreign) reasons.push(place);
  if (process !== null) reasons.push(elsewhere ? 'process-elsewhere' : process.reason);
  reasons.push(session.reason);
  if (around.occupants.length > 0) reasons.push('occupied');
  else if (!around.known && state === 'unknown') reasons.push('occupants-unknown');

  const copied =
    state === 'stale' && (elsewhere || isCopy(record, foreign, worker, twins, index, readOccupants));
  const notes = placeNotes(lock, worker, index);
  if (isDrifted(record, session, around)) notes.push('drifted');
  if (priming && process?.own !== true) notes.push('priming');
  if (around.occupants.length > 1 && isTeam(around, index)) notes.push('team');
  if (state === 'held' && isIdle(process, session, around)) notes.push('idle');
  if (state === 'stale' && process?.own !== true && isFresh(lock, index)) notes.push('fresh');
  if (copied) notes.push('copy');
  if (outer.machine.lookups.get(record.pid)?.signalable === true) notes.push('would-block');

  const facts: Fact[] = [];
  if (foreign) facts.push(hostFact(place, record, host));
  if (index !== outer)
    facts.push({ source: 'host', text: `taken in a container of this machine (${record.hostname})` });
  if (process !== null) facts.push(process.fact);
  facts.push(session.fact, ...around.facts);
  if (copied) facts.push(copyFact(twins));
  const git = gitFact(lock);
  if (git !== null) facts.push(git);
  // Sliced: a list that was added to keeps room for sixteen more, and there may be ten thousand of them.
  return {
    lock,
    state,
    reasons: reasons.slice(),
    notes: notes.slice(),
    holder: describeHolder(lock, record, process, session, index),
    occupants: around.occupants,
    occupantsKnown: around.known,
    strangers: around.strangers,
    facts: facts.slice(),
    release: mayRelease(lock, state, process?.own ?? false, around, index),
  };
};

/** True where the holder is seen at a worker whose lock has the same bytes. */
const isCopy = (
  record: LockRecord,
  foreign: boolean,
  worker: WorkerView,
  twins: readonly WorkerView[],
  index: TownIndex,
  readOccupants: OccupantReader,
): boolean =>
  twins.some(
    (twin) =>
      judgeSession(record, foreign, twin, [worker], index).state === 'live' ||
      readOccupants(twin, null, null).occupants.length > 0,
  );

const hostFact = (place: Place, record: LockRecord, host: HostFacts): Fact => ({
  source: 'host',
  text:
    place === 'other-host'
      ? `taken on ${record.hostname}, this is ${host.hostname}`
      : 'taken in another PID namespace',
});

const copyFact = (twins: readonly WorkerView[]): Fact => ({
  source: 'lock',
  text: `same bytes as the lock of ${twins.map((twin) => twin.worker).join(', ')}, where its holder is`,
});

/** What a damaged or removed lock cannot say any more its second record does: a live holder is as good as seen at work. */
const withHolder = (
  around: OccupantFinding,
  companion: TrueHolder | null,
  index: TownIndex,
): OccupantFinding => {
  const behind = companion === null ? null : judgeCompanion(companion, index);
  if (behind === null) return around;
  const text = `the second record of its lock names a holder: ${behind.fact.text}`;
  const facts: readonly Fact[] = [{ source: 'occupants', text }, ...around.facts];
  if (behind.state === 'unknown') return { ...around, known: false, doubts: [text, ...around.doubts], facts };
  const key = processKey(index.machine.key, behind.pid);
  const command = behind.process?.names[0] ?? 'process';
  const holder = {
    key,
    group: key,
    pid: behind.pid,
    command,
    pane: null,
    isAgent: true,
    visiting: false,
    text,
  };
  return { ...around, occupants: [holder, ...around.occupants], facts };
};

const judgeOther = (lock: LockFile, index: TownIndex, readOccupants: OccupantReader): Verdict => {
  const worker = index.viewOf(lock.worker);
  const around = withHolder(occupantsAt(worker, lock, null, readOccupants), lock.companion, index);
  const { content } = lock;
  const invalid = content.kind === 'invalid';
  const occupied = around.occupants.length > 0;
  const git = gitFact(lock);
  const state: State = invalid ? 'invalid' : occupied ? 'held' : 'unknown';
  const text = invalid
    ? content.detail
    : content.kind === 'unread'
      ? `it could not be read: ${content.why}`
      : '';
  return {
    lock,
    state,
    reasons: [invalid ? content.problem : 'unreadable', ...(occupied ? (['occupied'] as const) : [])],
    notes: placeNotes(lock, worker, index),
    holder: null,
    occupants: around.occupants,
    occupantsKnown: around.known,
    strangers: around.strangers,
    facts: [{ source: 'lock', text }, ...around.facts, ...(git === null ? [] : [git])],
    release: mayRelease(lock, state, false, around, index),
  };
};

/** Judges every lock of a snapshot, in the snapshot's order. */
export const judgeAll = (
  index: TownIndex,
  readOccupants: OccupantReader = occupantReader(index),
): readonly Verdict[] =>
  index.snapshot.locks.map((lock) =>
    lock.content.kind === 'record'
      ? judgeRecord(lock, lock.content.record, index, readOccupants)
      : judgeOther(lock, index, readOccupants),
  );

/** The agents at work at a worker that has no lock (any more): what preflight asks. */
export const occupantsWithoutLock = (
  workerPath: string,
  index: TownIndex,
  readOccupants: OccupantReader,
): OccupantFinding => {
  const lone = index.snapshot.companions?.find(({ worker }) => worker === workerPath);
  const around = readOccupants(index.viewOf(workerPath), null, null);
  return withHolder(around, lone?.holder ?? null, index);
};
