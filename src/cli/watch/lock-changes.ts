/** What changed between two looks at locks, for `--watch`. Pure. */
import type { Report, ReportLock } from '../../core/types/report.ts';
import { essenceOf } from './looks.ts';

/** Locks by machine and place: an id is a town's own. */
export type KnownLocks = ReadonlyMap<string, ReportLock>;

/** What became of one lock. */
export interface LockChange {
  readonly change: 'present' | 'changed' | 'gone';
  readonly lock: ReportLock;
}

const keyOf = ({ machine, path, id }: ReportLock): string =>
  machine === undefined ? id : `${machine}:${path}`;

/** The changes since an earlier look (null: all are new), and what is known now. */
export const changesSince = (
  before: KnownLocks | null,
  { locks, machines = [] }: Report,
): { readonly changes: readonly LockChange[]; readonly known: KnownLocks } => {
  const known = new Map(locks.map((lock) => [keyOf(lock), lock]));
  const came = locks.flatMap((lock): readonly LockChange[] => {
    const old = before?.get(keyOf(lock));
    if (old === undefined) return [{ change: 'present', lock }];
    return essenceOf(old) === essenceOf(lock) ? [] : [{ change: 'changed', lock }];
  });
  // No lock of a machine that does not answer counts as gone: nobody knows.
  const silent = new Set(machines.flatMap(({ name, status }) => (status === 'ok' ? [] : [name])));
  const went: LockChange[] = [];
  for (const [key, lock] of before ?? []) {
    if (known.has(key)) continue;
    if (silent.has(lock.machine ?? '')) known.set(key, lock);
    else went.push({ change: 'gone', lock });
  }
  return { changes: [...came, ...went], known };
};
