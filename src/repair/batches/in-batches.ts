/**
 * Many things to do, each under the guard of its lock, a batch at a time. While guards are held none is waited for: what is
 * busy is left for the end, where the first of each batch is waited for while nothing else is held.
 */
import { errnoOf } from '../../io/errno.ts';
import type { Place } from '../../lock/files/names.ts';
import { type Guard, type GuardOutcome, tryGuards } from '../../lock/guard/guard.ts';
import { takeGuard } from '../../lock/guard/take-guard.ts';
import type { RepairContext } from '../context.ts';
import { type BatchSize, batchSize } from './batch-size.ts';
import { guardedPlace, guardFor, prepareGuards } from './guard-of.ts';

/** A thing to do whose guard is held. */
export interface Held<Item> {
  readonly item: Item;
  readonly guard: Guard;
}

export type Refused = Exclude<GuardOutcome, { kind: 'held' }>;

export interface BatchWork<Item> {
  /** Absolute path of the lock. */
  readonly lockOf: (item: Item) => string;
  /** Does all of them, while the guards are held. */
  readonly act: (batch: readonly Held<Item>[]) => void | Promise<void>;
  /** The guard could not be had. */
  readonly refuse: (item: Item, why: Refused) => void;
}

/**
 * Does everything, each thing once: `act` or `refuse`. Things under one guard come in one batch where they are neighbours.
 * Begins no further batch once the signal is aborted, and answers what was not reached then. Throws what `act` throws.
 */
export const inBatches = async <Item>(
  items: readonly Item[],
  { lockOf, act, refuse }: BatchWork<Item>,
  context: RepairContext,
): Promise<readonly Item[]> => {
  const size = batchSize(context.calls);
  const failure = prepareGuards(items.map(lockOf), context);
  if (failure !== null) {
    for (const item of items) refuse(item, failure);
    return [];
  }
  let waiting = items.map((item): Placed<Item> => {
    const lock = lockOf(item);
    return { item, lock, place: guardedPlace(lock, context) };
  });
  for (let isEnd = false; waiting.length > 0; isEnd = true) {
    const busy: Placed<Item>[] = [];
    for (let from = 0; from < waiting.length; ) {
      // A signal is heard only where others get their turn.
      await new Promise((resolve) => setImmediate(resolve));
      if (context.signal?.aborted === true) return [...waiting.slice(from), ...busy].map(({ item }) => item);
      const batch = waiting.slice(from, from + size.next());
      from += batch.length;
      busy.push(...(await doBatch(batch, isEnd, size, { act, refuse }, context)));
    }
    waiting = busy;
  }
  return [];
};

interface Placed<Item> {
  readonly item: Item;
  readonly lock: string;
  readonly place: Place;
}

/** Answers what is to be tried again. */
const doBatch = async <Item>(
  batch: readonly Placed<Item>[],
  isEnd: boolean,
  size: BatchSize,
  { act, refuse }: Pick<BatchWork<Item>, 'act' | 'refuse'>,
  context: RepairContext,
): Promise<readonly Placed<Item>[]> => {
  const { guard: options } = context;
  const places = [...new Map(batch.map(({ place }) => [place.guard, place])).values()];
  const [first, ...others] = places;
  const waits = isEnd || others.length === 0;
  const known = first !== undefined && waits ? [await takeGuard(first, options)] : [];
  const startedAt = performance.now();
  const outcomes = [...known, ...tryGuards(waits ? others : places, options)];
  const guards = new Map<string, GuardOutcome>();
  for (const [index, outcome] of outcomes.entries()) guards.set(places[index]?.guard ?? '', outcome);
  const held: Held<Item>[] = [];
  const again: Placed<Item>[] = [];
  for (const one of batch) {
    const outcome = guards.get(one.place.guard);
    if (outcome === undefined) continue;
    if (outcome.kind === 'held') {
      const guarded = guardFor(one.lock, outcome.guard, context);
      if (guarded.kind === 'held') held.push({ item: one.item, guard: guarded.guard });
      else refuse(one.item, guarded);
    } else if (outcome === known[0] || !isForNow(outcome)) refuse(one.item, outcome);
    else again.push(one);
  }
  try {
    if (held.length > 0) await act(held);
  } finally {
    for (const { guard } of held) guard.letGo();
    // Of a lock that was refused with its guard held.
    for (const outcome of outcomes) if (outcome.kind === 'held') outcome.guard.letGo();
    size.took(batch.length, performance.now() - startedAt);
  }
  return again;
};

/** Somebody else has it, or we hold so much that we could not open it. */
const isForNow = (outcome: Refused): boolean =>
  outcome.kind === 'busy' || ['EMFILE', 'ENFILE'].includes(errnoOf(outcome.error) ?? '');
