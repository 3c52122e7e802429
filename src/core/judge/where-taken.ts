/** Where a record was taken: on this host and in this PID namespace, or elsewhere. */
import type { HostFacts, LockRecord, TrueHolder } from '../types/evidence.ts';

/** Host names are compared without case and domain: macOS changes `.local` and `.lan` with the network. */
export const plainHostname = (hostname: string): string =>
  (hostname.toLowerCase().split('.')[0] ?? '').trim();

export type Place = 'here' | 'other-host' | 'other-namespace';

/** The kernel instance a holder was recorded on is ours. */
export const isThisBoot = (holder: TrueHolder, host: HostFacts): boolean =>
  holder.bootId !== null && holder.bootId === host.bootId;

/** Decides where a record was taken. A record that names no host counts as local (older writers leave it out). */
export const placeOf = (record: LockRecord, host: HostFacts): Place => {
  const { holder, hostname } = record;
  const sameName =
    hostname === '' || hostname === host.hostname || plainHostname(hostname) === plainHostname(host.hostname);
  if (!sameName && !(holder !== null && isThisBoot(holder, host))) return 'other-host';
  const namespace = holder?.pidNamespace ?? null;
  return namespace !== null && host.pidNamespace !== null && namespace !== host.pidNamespace
    ? 'other-namespace'
    : 'here';
};
