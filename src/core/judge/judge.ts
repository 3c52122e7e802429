/** The one judge. Every command and every repair asks here; nobody derives a state again. */

import type { TownIndex } from '../town/views.ts';
import type { LockFile, LockRecord } from '../types/evidence.ts';
import type { Fact, Reason, Verdict } from '../types/judgement.ts';
import { isFresh, isPriming } from './ages.ts';
import type { Case } from './case.ts';
import { copyFact, isCopy, twinsOf, worksAtTwin } from './copies.ts';
import { decide } from './decide.ts';
import { holderOf } from './holder/holder-of.ts';
import { judgeProcess } from './holder/process.ts';
import { seenFromWithin } from './holder/seen-from-within.ts';
import { hostFact, whereTaken } from './holder/where-taken.ts';
import { mayRelease } from './may-release.ts';
import { gitFact, isDrifted, isIdle, isTeam, placeNotes } from './notes.ts';
import { type OccupantReader, occupantReader } from './occupants/occupants.ts';
import { judgeSession, NO_SESSION_NAMED } from './session/session.ts';
import { judgeOther } from './without-record.ts';
import { isAsked, occupantsAt } from './witnesses.ts';

const caseOf = (
  lock: LockFile,
  record: LockRecord,
  outer: TownIndex,
  readOccupants: OccupantReader,
): Case => {
  const index = seenFromWithin(lock, record, outer);
  const worker = index.viewOf(lock.worker);
  const taken = whereTaken(lock, record, index.snapshot);
  const foreign = taken === 'other-host' || taken === 'other-namespace';
  return { lock, record, index, worker, taken, foreign, twins: twinsOf(lock, worker, index), readOccupants };
};

const judgeRecord = (one: Case, outer: TownIndex): Verdict => {
  const { lock, record, index, worker, foreign } = one;
  const process = isAsked(lock, 'process') ? judgeProcess(one) : null;
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
  reasons.push(session.reason);
  if (around.occupants.length > 0) reasons.push('occupied');
  else if (!around.known && state === 'unknown') reasons.push('occupants-unknown');

  const notes = placeNotes(lock, worker, index);
  if (isDrifted(one, session, around)) notes.push('drifted');
  if (priming && !own) notes.push('priming');
  if (isTeam(around, one)) notes.push('team');
  if (state === 'held' && isIdle(process, session, around)) notes.push('idle');
  if (state === 'stale' && !own && isFresh(lock, index)) notes.push('fresh');
  if (copied) notes.push('copy');
  if (outer.machine.lookups.get(record.pid)?.signalable === true) notes.push('would-block');

  const facts: Fact[] = [];
  if (foreign) facts.push(hostFact(one.taken, record, outer.machine.seen.host));
  if (index !== outer)
    facts.push({ source: 'host', text: `taken in a container of this machine (${record.hostname})` });
  if (process !== null) facts.push(process.fact);
  facts.push(session.fact, ...around.facts);
  if (copied) facts.push(copyFact(one));
  const git = gitFact(lock);
  if (git !== null) facts.push(git);
  // Sliced: a list that was added to keeps room for sixteen more, and there may be ten thousand of them.
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
): readonly Verdict[] =>
  index.snapshot.locks.map((lock) =>
    lock.content.kind === 'record'
      ? judgeRecord(caseOf(lock, lock.content.record, index, readOccupants), index)
      : judgeOther(lock, index, readOccupants),
  );
