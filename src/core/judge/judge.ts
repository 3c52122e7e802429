/** The one judge. Every command and every repair asks here; no other code derives a state. */
import { isAsked } from '../town/lock-rules.ts';
import type { TownIndex, WorkerView } from '../town/views.ts';
import type { NumberClaim } from '../types/claim.ts';
import type { LockFile, LockRecord } from '../types/evidence.ts';
import type { Fact, Note, Reason, State, Verdict } from '../types/judgement.ts';
import { isFresh, isPriming, writtenSecondsAgo } from './ages.ts';
import type { Case, Twins } from './case.ts';
import { treeFact, treeNotes } from './claims/linked-tree.ts';
import { judgeNameless } from './claims/nameless.ts';
import { claimAsRecord, judgeNumber } from './claims/number.ts';
import { copyFact, isCopy, twinFinder, worksAtTwin } from './copies.ts';
import { decide } from './decide.ts';
import { holderOf } from './holder/holder-of.ts';
import { judgeProcess } from './holder/process.ts';
import type { ProcessFinding } from './holder/process-finding.ts';
import { seenFromWithin } from './holder/seen-from-within.ts';
import { hostFact, whereTaken } from './holder/where-taken.ts';
import { mayRelease } from './may-release.ts';
import { gitFact, isDrifted, isIdle, isTeam, placeNotes } from './notes.ts';
import { type OccupantFinding, type OccupantReader, occupantReader } from './occupants/occupants.ts';
import { occupantsAt } from './occupants/occupants-at.ts';
import { judgeSession, NO_SESSION_NAMED, type SessionFinding } from './session/session.ts';
import { judgeOther } from './without-record.ts';

const caseOf = (
  lock: LockFile,
  record: LockRecord,
  claim: NumberClaim | null,
  outer: TownIndex,
  readOccupants: OccupantReader,
  twinsOf: (lock: LockFile, worker: WorkerView, index: TownIndex) => Twins,
): Case => {
  const index = seenFromWithin(lock, record, outer);
  const worker = index.viewOf(lock.worker);
  const taken = whereTaken(lock, record, index.snapshot);
  const foreign = taken === 'other-host' || taken === 'other-namespace';
  const twins = twinsOf(lock, worker, index);
  return { lock, record, claim, index, worker, taken, foreign, twins, readOccupants };
};

const processOf = (one: Case): ProcessFinding | null =>
  one.claim === null ? judgeProcess(one) : judgeNumber(one, one.claim);

const claimFact = ({ pid, name }: NumberClaim): Fact => ({
  source: 'lock',
  text: name === null ? `names process ${pid}` : `names ${name}, process ${pid}`,
});

/** A case with everything that was found about it, before it is put into words. */
interface Weighed {
  readonly one: Case;
  /** Null where the kind of lock does not ask for processes. */
  readonly process: ProcessFinding | null;
  readonly session: SessionFinding;
  readonly around: OccupantFinding;
  readonly state: State;
  /** The holder is known by a record of ours. */
  readonly own: boolean;
  /** The live holder works at the place of a copy. */
  readonly elsewhere: boolean;
  readonly priming: boolean;
  readonly copied: boolean;
}

const weigh = (one: Case): Weighed => {
  const { lock, record, index, worker } = one;
  const process = isAsked(lock, 'process') ? processOf(one) : null;
  const session = isAsked(lock, 'session') ? judgeSession(one) : NO_SESSION_NAMED;
  const own = process?.own ?? false;
  const elsewhere = worksAtTwin(process, one);
  const alive = process?.state === 'alive' && !elsewhere;
  const around = occupantsAt(worker, lock, alive ? (process?.pid ?? null) : null, one.readOccupants);
  const priming = alive && isPriming(lock, record, index);
  const state = decide({
    foreign: one.foreign,
    process: elsewhere ? 'gone' : (process?.state ?? 'unknown'),
    own,
    session: session.state,
    occupied: around.occupants.length > 0,
    occupantsKnown: around.known,
    young: priming,
  });
  const copied = state === 'stale' && (elsewhere || isCopy(one));
  return { one, process, session, around, state, own, elsewhere, priming, copied };
};

const reasonsOf = ({ one, process, elsewhere, session, around, state }: Weighed): Reason[] => {
  const { taken, claim } = one;
  const reasons: Reason[] = [];
  if (taken === 'other-host' || taken === 'other-namespace') reasons.push(taken);
  if (process !== null) reasons.push(elsewhere ? 'process-elsewhere' : process.reason);
  if (claim === null) reasons.push(session.reason);
  if (around.occupants.length > 0) reasons.push('occupied');
  else if (!around.known && state === 'unknown') reasons.push('occupants-unknown');
  return reasons;
};

const notesOf = (weighed: Weighed, outer: TownIndex): Note[] => {
  const { one, process, session, around, state, own, priming, copied } = weighed;
  const { lock, record, claim, index } = one;
  const notes = placeNotes(lock, one.worker, index);
  if (lock.tree !== undefined) notes.push(...treeNotes(lock));
  if (claim === null && isDrifted(one, session, around)) notes.push('drifted');
  if (claim === null && priming && !own) notes.push('priming');
  if (isTeam(around, one)) notes.push('team');
  if (state === 'held' && isIdle(process, session, around)) notes.push('idle');
  if (state === 'stale' && !own && isFresh(lock, index)) notes.push('fresh');
  if (copied) notes.push('copy');
  if (claim === null && outer.machine.lookups.get(record.pid)?.signalable === true) notes.push('would-block');
  return notes;
};

const factsOf = ({ one, process, session, around, copied }: Weighed, outer: TownIndex): Fact[] => {
  const { lock, record, claim } = one;
  const facts: Fact[] = claim === null ? [] : [claimFact(claim)];
  if (one.foreign) facts.push(hostFact(one.taken, record, outer.machine.seen.host));
  if (one.index !== outer)
    facts.push({ source: 'host', text: `taken in a container of this machine (${record.hostname})` });
  if (process !== null) facts.push(process.fact);
  if (claim === null) facts.push(session.fact);
  else if (lock.tree !== undefined) facts.push(...treeFact(lock));
  facts.push(...around.facts);
  if (copied) facts.push(copyFact(one));
  facts.push(...gitFact(lock));
  return facts;
};

const judgeRecord = (one: Case, outer: TownIndex): Verdict => {
  const weighed = weigh(one);
  const { process, session, around, state, own } = weighed;
  const { lock } = one;
  // Sliced: an array that grew keeps room for sixteen more values, and there may be ten thousand arrays.
  return {
    lock,
    state,
    reasons: shared(reasonsOf(weighed)),
    notes: shared(notesOf(weighed, outer)),
    holder: holderOf(one, process, session),
    writtenSecondsAgo: writtenSecondsAgo(lock, outer),
    occupants: around.occupants,
    occupantsKnown: around.known,
    strangers: around.strangers,
    facts: factsOf(weighed, outer).slice(),
    release: mayRelease(lock, state, own, around, one.index),
  };
};

/** Few combinations of words are in use: thousands of locks share each list. */
const lists = new Map<string, readonly (Reason | Note)[]>();

const shared = <Word extends Reason | Note>(words: readonly Word[]): readonly Word[] => {
  const key = words.join(' ');
  const known = lists.get(key) as readonly Word[] | undefined;
  if (known !== undefined) return known;
  const list = Object.freeze(words.slice());
  lists.set(key, list);
  return list;
};

/** Judges every lock of a snapshot, in the snapshot's order. */
export const judgeAll = (
  index: TownIndex,
  readOccupants: OccupantReader = occupantReader(index),
): readonly Verdict[] => {
  const twinsOf = twinFinder();
  return index.snapshot.locks.map((lock) => {
    const { content } = lock;
    if (content.kind === 'record')
      return judgeRecord(caseOf(lock, content.record, null, index, readOccupants, twinsOf), index);
    if (content.kind !== 'claim') return judgeOther(lock, index, readOccupants);
    const { claim } = content;
    if (claim.by !== 'number') return judgeNameless(lock, claim, index, readOccupants);
    const record = claimAsRecord(claim, lock);
    return judgeRecord(caseOf(lock, record, claim, index, readOccupants, twinsOf), index);
  });
};
