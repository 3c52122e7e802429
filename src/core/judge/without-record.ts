/** Locks without a readable record, and places whose lock is gone: judged by who works there and by a second record. Pure. */
import { processKey, type TownIndex } from '../town/views.ts';
import type { LockFile, TrueHolder } from '../types/evidence.ts';
import type { Fact, State, Verdict } from '../types/judgement.ts';
import { writtenSecondsAgo } from './ages.ts';
import { judgeCompanion } from './holder/process.ts';
import { mayRelease } from './may-release.ts';
import { gitFact, placeNotes } from './notes.ts';
import type { OccupantFinding, OccupantReader } from './occupants/occupants.ts';
import { occupantsAt } from './occupants/occupants-at.ts';

/** Adds what the second record of a damaged or removed lock tells: a live holder counts as seen at work, an uncertain one as doubt. */
const withHolder = (
  around: OccupantFinding,
  companion: TrueHolder | null,
  index: TownIndex,
): OccupantFinding => {
  const behind = companion === null ? null : judgeCompanion(companion, index);
  if (behind === null) return around;
  const text = `the second record of its lock names a holder: ${behind.fact.text}`;
  const facts: readonly Fact[] = [{ source: 'occupants', text }, ...around.facts];
  if (behind.state === 'unknown')
    return {
      ...around,
      known: false,
      doubts: [text, ...around.doubts],
      unseen: [text, ...around.unseen],
      facts,
    };
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

/** Judges a lock that is damaged or could not be read. */
export const judgeOther = (lock: LockFile, index: TownIndex, readOccupants: OccupantReader): Verdict => {
  const worker = index.viewOf(lock.worker);
  const around = withHolder(occupantsAt(worker, lock, null, readOccupants), lock.companion, index);
  const { content } = lock;
  const invalid = content.kind === 'invalid';
  const occupied = around.occupants.length > 0;
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
    writtenSecondsAgo: writtenSecondsAgo(lock, index),
    occupants: around.occupants,
    occupantsKnown: around.known,
    strangers: around.strangers,
    facts: [{ source: 'lock', text }, ...around.facts, ...gitFact(lock)],
    release: mayRelease(lock, state, false, around, index),
  };
};

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
