/** Locks that were taken in a container of this machine are judged by its PIDs, as if the doctor ran in there. */
import { isSameName } from '../../town/host-names.ts';
import type { TownIndex } from '../../town/views.ts';
import type { ContainerEvidence, LockFile, LockRecord } from '../../types/evidence.ts';
import { isThisBoot } from './where-taken.ts';

/**
 * The evidence as it looks from where the record was taken: in a container of this machine its numbers are those of the
 * container, and all of its processes are seen from here. The same evidence for every other record.
 */
export const seenFromWithin = (lock: LockFile, record: LockRecord, index: TownIndex): TownIndex => {
  const container = containerOf(lock, record, index);
  if (container === undefined) return index;
  const { snapshot, machine } = index;
  const { listing } = machine.seen.processes;
  const host = {
    ...machine.seen.host,
    hostname: record.hostname,
    pidNamespace: container.pidNamespace,
    // Nothing in it is hidden from us, so a number without a process there is free.
    initialPidNamespace: listing.seen && listing.value === 'all',
    // Its start was not looked up.
    containerStartedAtMs: null,
  };
  const lookups = new Map(container.lookups.map((lookup) => [lookup.pid, lookup]));
  const seen = { ...machine.seen, host };
  return { ...index, snapshot: { ...snapshot, machine: seen }, machine: { ...machine, seen, lookups } };
};

const containerOf = (
  { companion, uid }: LockFile,
  { hostname, holder }: LockRecord,
  {
    machine: {
      seen: { host, processes },
    },
  }: TownIndex,
): ContainerEvidence | undefined => {
  if (processes.containers === undefined) return undefined;
  const named = holder ?? companion;
  const pidNamespace = named?.pidNamespace ?? null;
  // A namespace's number says nothing beyond this boot.
  if (named !== null && pidNamespace !== null && !isThisBoot(named, host)) return undefined;
  if (pidNamespace !== null ? pidNamespace === host.pidNamespace : isSameName(hostname, host.hostname))
    return undefined;
  return processes.containers.find(
    (container) =>
      container.hostname === hostname &&
      container.owner === uid &&
      (pidNamespace === null || container.pidNamespace === pidNamespace),
  );
};
