/** Which events of a history are asked for: by worker, time, state, kind and deed, and those that can still be undone. */
import { isWithin } from '../town/roles.ts';
import type { HistoryDeed, HistoryEvent } from '../types/history.ts';
import type { State } from '../types/judgement.ts';

/** An empty list asks for all. */
export interface EventFilter {
  /** A worker, or the beginning of its name up to a slash, such as a rig. */
  readonly workers: readonly string[];
  readonly sinceMs: number | null;
  /** Earlier than this moment. */
  readonly beforeMs: number | null;
  readonly states: readonly State[];
  readonly kinds: readonly string[];
  readonly deeds: readonly HistoryDeed[];
}

/** The events that are asked for, in the order in which they are given. */
export const chooseEvents = (
  events: readonly HistoryEvent[],
  { workers, sinceMs, beforeMs, states, kinds, deeds }: EventFilter,
): readonly HistoryEvent[] =>
  events.filter(
    ({ worker, at, lock, deed }) =>
      (workers.length === 0 || workers.some((name) => isWithin(worker, name))) &&
      (sinceMs === null || Date.parse(at) >= sinceMs) &&
      (beforeMs === null || Date.parse(at) < beforeMs) &&
      (states.length === 0 || (lock !== null && states.includes(lock.state))) &&
      (kinds.length === 0 || (lock !== null && kinds.includes(lock.kind))) &&
      (deeds.length === 0 || deeds.includes(deed)),
  );

/** An ID of a run, or of one of its releases. */
export const isRunId = (word: string): boolean => /^\d{8}T\d{6}Z-[0-9a-f]{6}(?:-\d+)?$/.test(word);

/** The id of a release's run. */
export const runOf = (id: string): string => id.slice(0, id.lastIndexOf('-'));

/** When a run began, by its id or that of one of its releases: to be compared as text. */
export const beganAt = (id: string): string => id.slice(0, id.indexOf('-'));

/** Those of a run, or of a single release, by its ID. */
export const eventsOfRun = (events: readonly HistoryEvent[], id: string): readonly HistoryEvent[] =>
  events.filter((event) => event.id !== null && (event.id === id || event.id.startsWith(`${id}-`)));

/** Ids of the releases that were restored. */
export const restoredIds = (events: readonly HistoryEvent[]): ReadonlySet<string> =>
  new Set(events.flatMap(({ deed, id }) => (deed === 'restored' && id !== null ? [id] : [])));
