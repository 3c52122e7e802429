/**
 * Processes that do not count only because no registry names them, where their user's registry could not be read: doubt. So are
 * those of any other name whose own record could not be read. A record says where its session works, which need not be where its
 * process stands: one that was not read at all is doubt at every worker of its user.
 */
import { programOf } from '../../programs/classify.ts';
import { SPARE_PROCESS } from '../../programs/known-programs.ts';
import { relativeTo } from '../../town/roles.ts';
import type { TownIndex, WorkerView } from '../../town/views.ts';
import type { ClosedRegistry, LockFile, ProcessInfo } from '../../types/evidence.ts';
import { isAtPlaceOf, mayWorkAt } from './at-work.ts';

/** Why a process may still be an agent at this worker's place; null where none may. */
export type ClosedRegistryReader = (worker: WorkerView, lock: LockFile | null) => string | null;

export const closedRegistryReader = (index: TownIndex): ClosedRegistryReader => {
  const { asker, processes } = index.machine.seen;
  const { town } = index.snapshot;
  const { closedRegistries: closed = [] } = processes;
  if (closed.length === 0) return () => null;
  const isNobodyForNow = (process: ProcessInfo): boolean =>
    process.role?.why === SPARE_PROCESS || index.machine.classify(process).class === 'left-behind';
  // An agent counts where it stands in any case, and the asker does not.
  const isNobodyByName = (process: ProcessInfo): boolean => index.machine.classify(process).class !== 'agent';
  const isDoubted = (process: ProcessInfo, { uid, pid, isUnread }: ClosedRegistry): boolean =>
    uid === process.uid &&
    (pid === undefined || pid === process.pid) &&
    (isNobodyForNow(process) ||
      (pid !== undefined && !asker.pids.includes(pid) && (isUnread === true || isNobodyByName(process))));
  const suspects = processes.list.flatMap((process) => {
    const registry = closed.find((one) => isDoubted(process, one));
    if (registry === undefined) return [];
    const path = process.cwd?.seen === true ? relativeTo(town.root, process.cwd.value) : null;
    return [{ path, process, registry }];
  });
  return (worker, lock) => {
    const suspect = suspects.find(
      ({ path, process, registry }) =>
        (path !== null && isAtPlaceOf(path, worker, index)) ||
        (registry.isUnread === true && mayWorkAt(process, worker, lock, index)),
    );
    if (suspect === undefined) return null;
    const { process, registry } = suspect;
    const who = `${programOf(process)} (process ${process.pid})`;
    return `${who} may be one, but its user's registry of sessions ${registry.path} could not be read: ${registry.why}`;
  };
};
