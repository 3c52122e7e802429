/** The decision table of the contract, section 3, with what surrounds it. A lock is stale only on proof, never on doubt. */
import type { ProcessState, SessionState, State } from '../types/judgement.ts';

/** The evidence about a readable record, reduced to what the decision depends on. */
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

/** The process that took the lock has ended. */
export const hasDied = (process: ProcessState): boolean => process === 'gone' || process === 'recycled';

/** The state of a lock. */
export const decide = (evidence: Weighing): State => {
  const { foreign, process, session, occupied, occupantsKnown } = evidence;
  if (occupied) return 'held';
  if (foreign) return session === 'live' ? 'held' : 'foreign';
  if (process === 'alive' && evidence.young) return 'held';
  // Our own token proves the holder dead: a session that is still open without an agent in it does not make it alive.
  const sessionCounts = !(evidence.own && hasDied(process) && session === 'live');
  const decided = DECISIONS[process][sessionCounts ? session : 'gone'];
  return decided === 'stale' && !occupantsKnown ? 'unknown' : decided;
};
