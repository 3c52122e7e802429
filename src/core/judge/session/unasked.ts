/** Which tmux servers of strangers, who are never asked, leave it open whether the session of a lock still stands. Pure. */
import { LATE_MS } from '../../pid.ts';
import { bySocket } from '../../town/unreached.ts';
import type { LockRecord, TmuxServer } from '../../types/evidence.ts';

/** The servers of strangers that ran when the lock was taken, as far as the clocks tell; in the order of their sockets. */
export const unaskedFor = (
  { acquiredAtMs }: Pick<LockRecord, 'acquiredAtMs'>,
  servers: readonly TmuxServer[],
): readonly TmuxServer[] =>
  servers
    .filter(
      ({ strangersUid, startedAtMs }) =>
        strangersUid !== undefined &&
        (acquiredAtMs === null || startedAtMs === null || startedAtMs - acquiredAtMs <= LATE_MS),
    )
    .sort(bySocket);
