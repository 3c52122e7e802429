/** Why a pane with the recorded name is not, or not any more, the one that the lock means. Pure. */
import { LATE_MS } from '../../pid.ts';
import { homeOf, isPlainlyAnothers, sessionSays } from '../../town/belonging.ts';
import { isWithin } from '../../town/roles.ts';
import type { PaneView, TownIndex, WorkerView } from '../../town/views.ts';
import type { LockFile, TmuxServer } from '../../types/evidence.ts';
import type { Case } from '../case.ts';
import { MUCH_LATER_MS } from '../holder/recorded-number.ts';
import { isAtPlaceOf } from '../occupants/at-work.ts';

export type Rejection = 'dead' | 'younger-server' | 'anothers' | 'other-server';

/** True for an absolute path in a working tree outside of the root that has a copy of the lock. */
export const isAtCopy = (path: string, { copies = [] }: LockFile, { snapshot }: TownIndex): boolean =>
  copies.some((copy) => isWithin(path, copy.path) || isWithin(path, `${snapshot.town.root}/${copy.name}`));

/** The worker's places whose locks carry the same bytes: whichever of them the pane is seen in owns the lock. */
const isSeenAtTwin = (view: PaneView, { lock, worker, twins, index }: Case): boolean => {
  const { path } = view;
  const sittingHere = path !== null && isWithin(path, worker.worker);
  const isOurs = sessionSays(view, worker) === 'mine';
  if (!isOurs && !sittingHere && view.pane.path !== null && isAtCopy(view.pane.path, lock, index))
    return true;
  const isNear = (twin: WorkerView): boolean =>
    sessionSays(view, twin) === 'mine' || (path !== null && isWithin(path, twin.worker));
  return twins.among(view, isNear).some((twin) => {
    const isTheirs = sessionSays(view, twin) === 'mine';
    // Agents visit other directories: where a session says whose it is, the place does not contradict it.
    if (isOurs !== isTheirs) return isTheirs;
    return path !== null && !sittingHere && isWithin(path, twin.worker);
  });
};

/**
 * When the server started, by its own clock reading then or by the kernel's now, whichever is earlier: where the clock was
 * set since, the two differ, and a server is younger than a lock only if both say so.
 */
const startOf = ({ pid, startedAtMs }: TmuxServer, index: TownIndex): number | null => {
  const byKernel = pid === null ? null : (index.machine.processes.get(pid)?.startedAtMs ?? null);
  return startedAtMs === null || byKernel === null ? startedAtMs : Math.min(startedAtMs, byKernel);
};

/** It works outside the town, or at another worker. */
const isElsewhere = ({ path, pane, environmentKnown }: PaneView, { worker, index }: Case): boolean => {
  if (pane.path === null || !environmentKnown) return false;
  const home = path === null ? null : homeOf(path, index);
  return path === null || (home !== null && !isWithin(worker.worker, home));
};

/**
 * A pane on a server that is younger than the lock has its number, or its session's name, by chance. Clocks step, so
 * the place has to say so too, as for recorded processes: nobody works in it or it is elsewhere, or the server is much
 * younger and nothing says that the pane is this worker's.
 */
const isOfYoungerServer = (view: PaneView, one: Case): boolean => {
  const { record, worker, index } = one;
  const startedAtMs = startOf(view.server, index);
  if (record.acquiredAtMs === null || startedAtMs === null) return false;
  const lateMs = startedAtMs - record.acquiredAtMs;
  if (lateMs <= LATE_MS) return false;
  if (view.idle) return true;
  const isHere = view.path !== null && isAtPlaceOf(view.path, worker, index);
  if (isHere || sessionSays(view, worker) === 'mine') return false;
  return lateMs > MUCH_LATER_MS || isElsewhere(view, one);
};

/** Null for a pane that is there and may be this worker's. */
export const reject = (view: PaneView, one: Case): Rejection | null => {
  if (view.pane.dead) return 'dead';
  if (isOfYoungerServer(view, one)) return 'younger-server';
  if (isPlainlyAnothers(view, one.worker, one.index) || isSeenAtTwin(view, one)) return 'anothers';
  return one.index.machine.townServers.has(view.server) ? null : 'other-server';
};
