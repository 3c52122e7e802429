/** The one judge. Every command and every repair asks here; no other code derives a state. */

import { isAsked } from '../town/lock-rules.ts';
import type { TownIndex, WorkerView } from '../town/views.ts';
import type { NumberClaim } from '../types/claim.ts';
import type { LockFile, LockRecord } from '../types/evidence.ts';
import type { Fact, Reason, Verdict } from '../types/judgement.ts';
import { isFresh, isPriming } from './ages.ts';
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
import { type OccupantReader, occupantReader } from './occupants/occupants.ts';
import { occupantsAt } from './occupants/occupants-at.ts';
import { judgeSession, NO_SESSION_NAMED } from './session/session.ts';
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

const judgeRecord = (one: Case, outer: TownIndex): Verdict => {
  const { lock, record, claim, index, worker, foreign } = one;
  const process = isAsked(lock, 'process') ? processOf(one) : null;
  const session = isAsked(lock, 'session') ? judgeSession(one) : NO_SESSION_NAMED;
  const own = process?.own ?? false;
  const elsewhere = worksAtTwin(process, one);
  const alive = process?.state === 'alive' && !elsewhere;
  const around = occupantsAt(worker, lock, alive ? (process?.pid ?? null) : null, one.readOccupants);
  const priming = alive && isPriming(lock, record, index);
  const state = decide({
    foreign,
    process: elsewhere ? 'gone' : (process?.state ?? 'unknown'),
    own,
    session: session.state,
    occupied: around.occupants.length > 0,
    occupantsKnown: around.known,
    young: priming,
  });
  const copied = state === 'stale' && (elsewhere || isCopy(one));

  const reasons: Reason[] = [];
  if (one.taken === 'other-host' || one.taken === 'other-namespace') reasons.push(one.taken);
  if (process !== null) reasons.push(elsewhere ? 'process-elsewhere' : process.reason);
  if (claim === null) reasons.push(session.reason);
  if (around.occupants.length > 0) reasons.push('occupied');
  else if (!around.known && state === 'unknown') reasons.push('occupants-unknown');

  const notes = placeNotes(lock, worker, index);
  if (lock.tree !== undefined) notes.push(...treeNotes(lock));
  if (claim === null && isDrifted(one, session, around)) notes.push('drifted');
  if (priming && !own) notes.push('priming');
  if (isTeam(around, one)) notes.push('team');
  if (state === 'held' && isIdle(process, session, around)) notes.push('idle');
  if (state === 'stale' && !own && isFresh(lock, index)) notes.push('fresh');
  if (copied) notes.push('copy');
  if (claim === null && outer.machine.lookups.get(record.pid)?.signalable === true) notes.push('would-block');

  const facts: Fact[] = claim === null ? [] : [claimFact(claim)];
  if (foreign) facts.push(hostFact(one.taken, record, outer.machine.seen.host));
  if (index !== outer)
    facts.push({ source: 'host', text: `taken in a container of this machine (${record.hostname})` });
  if (process !== null) facts.push(process.fact);
  if (claim === null) facts.push(session.fact);
  else if (lock.tree !== undefined) facts.push(...treeFact(lock));
  facts.push(...around.facts);
  if (copied) facts.push(copyFact(one));
  const git = gitFact(lock);
  if (git !== null) facts.push(git);
  // Sliced: an array that grew keeps room for sixteen more values, and there may be ten thousand arrays.
  return {
    lock,
    state,
    reasons: reasons.slice(),
    notes: notes.slice(),
    holder: holderOf(one, process, session),
    occupants: around.occupants,
    occupantsKnown: around.known,
    strangers: around.strangers,
    facts: facts.slice(),
    release: mayRelease(lock, state, own, around, index),
  };
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
