/** Process evidence: is the process that a record names still the one that took the lock? */
import type { TownIndex } from '../../town/views.ts';
import type { TrueHolder } from '../../types/evidence.ts';
import type { Case } from '../case.ts';
import type { ProcessFinding } from './process-finding.ts';
import { judgePid, judgeVoidNumber } from './recorded-number.ts';
import { judgeTrueHolder } from './true-holder.ts';

/**
 * Process evidence for a record taken here; null for one taken elsewhere, whose number means nothing here. The
 * companion record is believed unless its holder is proven dead: it outlasts the lock that it was written for.
 */
export const judgeProcess = (one: Case): ProcessFinding | null => {
  const { lock, record, taken } = one;
  if (taken === 'former-host') {
    const behind = lock.companion === null ? null : judgeCompanion(lock.companion, one.index);
    return behind ?? judgeVoidNumber(one);
  }
  if (taken !== 'here') return null;
  if (record.holder !== null) return judgeTrueHolder(record.holder, one);
  if (lock.companion !== null) {
    const behind = judgeTrueHolder(lock.companion, one);
    if (behind.state === 'alive' || behind.state === 'unknown') return behind;
  }
  return judgePid(one);
};

/**
 * The holder that the second record names, where the lock is not a record or was removed: a live holder, or one of whom it cannot
 * be told; null where the holder is gone. A second record of another boot says nothing about this one.
 */
export const judgeCompanion = (companion: TrueHolder, index: TownIndex): ProcessFinding | null => {
  const { bootId } = index.machine.seen.host;
  if (companion.bootId !== null && bootId !== null && companion.bootId !== bootId) return null;
  const record = { pid: 0, acquiredAt: '', acquiredAtMs: null, sessionId: '', hostname: '', holder: null };
  const behind = judgeTrueHolder(companion, { lock: null, record, index });
  return behind.state === 'alive' || behind.state === 'unknown' ? behind : null;
};
