/** Process evidence: is the process that a record names still the one that took the lock? */
import type { TownIndex } from '../../town/views.ts';
import type { LockFile, LockRecord, TrueHolder } from '../../types/evidence.ts';
import type { ProcessFinding } from './process-finding.ts';
import { judgePid, judgeVoidNumber } from './recorded-number.ts';
import { judgeTrueHolder } from './true-holder.ts';
import { placeOf } from './where-taken.ts';

/**
 * Process evidence for a record taken here; null for one taken elsewhere, whose number means nothing here. The
 * companion record is believed unless its holder is proven dead: it outlasts the lock that it was written for.
 */
export const judgeProcess = (lock: LockFile, record: LockRecord, index: TownIndex): ProcessFinding | null => {
  const place = placeOf(lock, record, index.snapshot);
  if (place === 'former-host') {
    const behind = lock.companion === null ? null : judgeCompanion(lock.companion, index);
    return behind ?? judgeVoidNumber(lock, record, index);
  }
  if (place !== 'here') return null;
  if (record.holder !== null) return judgeTrueHolder(record.holder, lock, record, index);
  if (lock.companion !== null) {
    const behind = judgeTrueHolder(lock.companion, lock, record, index);
    if (behind.state === 'alive' || behind.state === 'unknown') return behind;
  }
  return judgePid(lock, record, index);
};

/**
 * Who stands behind a lock that is no record, or was removed, by the second record beside it: a holder who lives, or of
 * whom nobody can tell; null where there is none any more. A second record of another boot says nothing of this one.
 */
export const judgeCompanion = (companion: TrueHolder, index: TownIndex): ProcessFinding | null => {
  const { bootId } = index.machine.seen.host;
  if (companion.bootId !== null && bootId !== null && companion.bootId !== bootId) return null;
  const unnamed = { pid: 0, acquiredAt: '', acquiredAtMs: null, sessionId: '', hostname: '', holder: null };
  const behind = judgeTrueHolder(companion, null, unnamed, index);
  return behind.state === 'alive' || behind.state === 'unknown' ? behind : null;
};
