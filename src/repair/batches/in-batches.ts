/**
 * Does many things in batches, each thing under the guard of its lock. While guards are held none is waited for: things whose
 * guard is busy come last, where the first of each batch is waited for while no other guard is held.
 */
import { errnoOf } from '../../io/errno.ts';
import type { LockFiles } from '../../lock/files/names.ts';
import { type Guard, type GuardOutcome, tryGuards } from '../../lock/guard/guard.ts';
import { takeGuard } from '../../lock/guard/take-guard.ts';
import type { RepairContext } from '../repair-context.ts';
import { type BatchSize, batchSize } from './batch-size.ts';
import { guardedFiles, guardFor, prepareGuards } from './guard-of.ts';

/** A thing to do, with its guard held. */
export interface Held<Item> {
  readonly item: Item;
  readonly guard: Guard;
}

export type Refused = Exclude<GuardOutcome, { kind: 'held' }>;

export interface BatchWork<Item> {
  /** Absolute path of the lock. */
  readonly lockOf: (item: Item) => string;
  /** Does everything in the batch, while the guards are held. */
  readonly act: (batch: readonly Held<Item>[]) => void | Promise<void>;
  /** Called for a thing whose guard could not be taken. */
  readonly refuse: (item: Item, why: Refused) => void;
}

/**
 * Calls `act` or `refuse` once for each thing. Neighbours under the same guard share a batch. Begins no further batch once
 * the signal is aborted, and returns the things that were not reached. Throws what `act` throws.
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
    return { item, lock, files: guardedFiles(lock, context) };
  });
  for (let isEnd = false; waiting.length > 0; isEnd = true) {
    const busy: Placed<Item>[] = [];
    for (let from = 0; from < waiting.length; ) {
      // Yields to the event loop, so that signals are noticed.
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
  readonly files: LockFiles;
}

/** Does one batch; returns the things to be tried again. */
const doBatch = async <Item>(
  batch: readonly Placed<Item>[],
  isEnd: boolean,
  size: BatchSize,
  { act, refuse }: Pick<BatchWork<Item>, 'act' | 'refuse'>,
  context: RepairContext,
): Promise<readonly Placed<Item>[]> => {
  const { guard: options } = context;
  const guarded = [...new Map(batch.map(({ files }) => [files.guard, files])).values()];
  const [first, ...others] = guarded;
  const waits = isEnd || others.length === 0;
  const known = first !== undefined && waits ? [await takeGuard(first, options)] : [];
  const startedAt = performance.now();
  const outcomes = [...known, ...tryGuards(waits ? others : guarded, options)];
  const guards = new Map<string, GuardOutcome>();
  for (const [index, outcome] of outcomes.entries()) guards.set(guarded[index]?.guard ?? '', outcome);
  const held: Held<Item>[] = [];
  const again: Placed<Item>[] = [];
  for (const one of batch) {
    const outcome = guards.get(one.files.guard);
    if (outcome === undefined) continue;
    if (outcome.kind === 'held') {
      const ours = guardFor(one.lock, outcome.guard, context);
      if (ours.kind === 'held') held.push({ item: one.item, guard: ours.guard });
      else refuse(one.item, ours);
    } else if (outcome === known[0] || !isForNow(outcome)) refuse(one.item, outcome);
    else again.push(one);
  }
  try {
    if (held.length > 0) await act(held);
  } finally {
    for (const { guard } of held) guard.letGo();
    // Releases the guard of a lock that was refused with its guard held.
    for (const outcome of outcomes) if (outcome.kind === 'held') outcome.guard.letGo();
    size.took(batch.length, performance.now() - startedAt);
  }
  return again;
};

/** True where trying later helps: somebody else has the guard, or we had no descriptors left to open it. */
const isForNow = (outcome: Refused): boolean =>
  outcome.kind === 'busy' || ['EMFILE', 'ENFILE'].includes(errnoOf(outcome.error) ?? '');
