/**
 * Processes that do not count only because no registry names them, where their user's registry could not be read: doubt. So are
 * those of any other name whose own record could not be read.
 */
import { programOf } from '../../programs/classify.ts';
import { SPARE_PROCESS } from '../../programs/known-programs.ts';
import { relativeTo } from '../../town/roles.ts';
import type { TownIndex, WorkerView } from '../../town/views.ts';
import type { ProcessInfo } from '../../types/evidence.ts';
import { isAtPlaceOf } from './at-work.ts';

/** Why a process at this worker's place may still be an agent; null where none may. */
export type ClosedRegistryReader = (worker: WorkerView) => string | null;

export const closedRegistryReader = (index: TownIndex): ClosedRegistryReader => {
  const { asker, processes } = index.machine.seen;
  const { town } = index.snapshot;
  const { closedRegistries: closed = [] } = processes;
  if (closed.length === 0) return () => null;
  const isNobodyForNow = (process: ProcessInfo): boolean =>
    process.role?.why === SPARE_PROCESS || index.machine.classify(process).class === 'left-behind';
  // An agent counts in any case, and the asker does not.
  const isNobodyByName = (process: ProcessInfo): boolean =>
    index.machine.classify(process).class !== 'agent' && !asker.pids.includes(process.pid);
  const suspects = processes.list.flatMap((process) => {
    const registry = closed.find(
      ({ uid, pid }) =>
        uid === process.uid &&
        (pid === undefined || pid === process.pid) &&
        (isNobodyForNow(process) || (pid !== undefined && isNobodyByName(process))),
    );
    if (registry === undefined) return [];
    const path = process.cwd?.seen === true ? relativeTo(town.root, process.cwd.value) : null;
    return path === null ? [] : [{ path, process, registry }];
  });
  return (worker) => {
    const suspect = suspects.find(({ path }) => isAtPlaceOf(path, worker, index));
    if (suspect === undefined) return null;
    const { process, registry } = suspect;
    const who = `${programOf(process)} (process ${process.pid})`;
    return `${who} may be one, but its user's registry of sessions ${registry.path} could not be read: ${registry.why}`;
  };
};
