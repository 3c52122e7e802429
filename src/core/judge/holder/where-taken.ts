/** Where a record was taken: on this host and in this PID namespace, under a former name of it, or elsewhere. */
import { isSameName } from '../../town/host-names.ts';
import type { HostFacts, LockFile, LockRecord, Snapshot, TrueHolder } from '../../types/evidence.ts';
import type { Fact } from '../../types/judgement.ts';

/**
 * `former-host`: the configuration says that this name is gone for good, or is another name of this machine. Its numbers
 * mean nothing then, and the lock is judged by everything else.
 */
export type WhereTaken = 'here' | 'former-host' | 'other-host' | 'other-namespace';

/** True where the holder was recorded on the kernel instance that runs now. */
export const isThisBoot = (holder: TrueHolder, host: HostFacts): boolean =>
  holder.bootId !== null && holder.bootId === host.bootId;

/** Milliseconds. A file this much older than a start was there before it, even if clocks stepped in between. */
const MARGIN_MS = 3_600_000;

/** True for a file that was last written before this kernel started. */
export const isOlderThanBoot = (mtimeMs: number | null, { bootedAtMs }: HostFacts): boolean =>
  mtimeMs !== null && bootedAtMs != null && mtimeMs + MARGIN_MS < bootedAtMs;

/**
 * True where a lock is from before the start of this kernel, or of the container with the recorded name: whoever
 * took it ended then. Both its times must say so, for a copy or a checkout has an old record and a young file.
 */
export const isFromBeforeRestart = (
  { mtimeMs }: LockFile,
  { hostname, acquiredAtMs, holder }: LockRecord,
  host: HostFacts,
): boolean => {
  if (hostname === '' || mtimeMs === null || acquiredAtMs === null) return false;
  const lastMs = Math.max(mtimeMs, acquiredAtMs) + MARGIN_MS;
  const isBefore = (startMs: number | null | undefined): boolean => startMs != null && lastMs < startMs;
  // A recorded boot id is exact, and no clock overrules it.
  const isOfThisBoot = holder !== null && isThisBoot(holder, host);
  if (!isOfThisBoot && isBefore(host.bootedAtMs) && isSameName(hostname, host.hostname)) return true;
  return isBefore(host.containerStartedAtMs) && hostname === host.hostname;
};

/** Decides where a record was taken. A record that names no host counts as local (older writers leave it out). */
export const whereTaken = (
  lock: LockFile,
  record: LockRecord,
  { machine: { host }, town }: Snapshot,
): WhereTaken => {
  const { holder, hostname } = record;
  const isFormer =
    hostname !== '' && town.formerHosts?.some((former) => isSameName(former, hostname)) === true;
  const sameName = hostname === '' || isSameName(hostname, host.hostname);
  if (!sameName && !(holder !== null && isThisBoot(holder, host)))
    return isFormer ? 'former-host' : 'other-host';
  const namespace = holder?.pidNamespace ?? null;
  if (namespace === null || host.pidNamespace === null || namespace === host.pidNamespace) return 'here';
  if (isFromBeforeRestart(lock, record, host)) return 'here';
  return isFormer ? 'former-host' : 'other-namespace';
};

/** What the report says of a record that was taken elsewhere. */
export const hostFact = (taken: WhereTaken, { hostname }: LockRecord, host: HostFacts): Fact => ({
  source: 'host',
  text:
    taken === 'other-host'
      ? `taken on ${hostname}; this host is ${host.hostname}`
      : 'taken in another PID namespace',
});
