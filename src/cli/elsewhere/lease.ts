/** The lease that a command line, the environment or the configuration asks for. Loaded only where one does. */
import type { LeaseConfig } from '../../config.ts';
import type { PreflightReport } from '../../core/types/report.ts';
import { HOLD_MARK } from '../../evidence/processes/hold-mark.ts';
import type { Besides } from '../../exec/run-under-lock.ts';
import { readAddress } from '../../lease/address.ts';
import { etcdEngine } from '../../lease/etcd.ts';
import { holdLease } from '../../lease/hold-lease.ts';
import { type LeaseBook, openLeaseBook } from '../../lease/lease-book.ts';
import { type LeaseReading, withLeases } from '../../lease/read-leases.ts';
import type { Arguments } from '../arguments/arguments.ts';
import { usage } from '../arguments/usage.ts';
import { notice } from '../terminal/notice.ts';
import type { Terminal } from '../terminal/terminal.ts';

const TTL_SECONDS = 60;
/** In less time neither a slow network answers nor a command ends in order. */
const SHORTEST_SECONDS = 5;
const MAX_SECONDS = 86_400;

/** Prepares the lease of `exec`: of `--lease`, else of the environment, else of the configuration. Throws `E_USAGE`. */
export const leaseAt = (
  address: string,
  config: LeaseConfig | null,
  { options }: Arguments,
  { env, stderr }: Terminal,
): Besides => {
  const parsed = readAddress(address, options.lease !== undefined, env);
  const ttlSeconds = options.ttl ?? config?.ttl ?? TTL_SECONDS;
  if (ttlSeconds < SHORTEST_SECONDS || ttlSeconds > MAX_SECONDS)
    throw usage(`--ttl must be from ${SHORTEST_SECONDS} to ${MAX_SECONDS} seconds`);
  return holdLease({
    engine: etcdEngine(parsed),
    prefix: parsed.prefix,
    ttlSeconds: Math.ceil(ttlSeconds),
    onLost: options.onLost ?? config?.onLost ?? 'warn',
    onNote: (note) => stderr.write(notice(note, stderr)),
  });
};

/** Adds to an answer of preflight what the leases of its workers say. Throws `E_USAGE` for an invalid address. */
export const askLeases = (
  address: string,
  report: PreflightReport,
  given: Arguments,
  terminal: Terminal,
): Promise<PreflightReport> => withLeases(report, readingAt(address, given, terminal));

/** The leases of a diagnosis, not asked for yet. Throws `E_USAGE` for an invalid address. */
export const openLeases = (address: string, given: Arguments, terminal: Terminal): LeaseBook => {
  const reading = readingAt(address, given, terminal);
  return openLeaseBook(reading, `${reading.hosts}/${reading.prefix}`);
};

const readingAt = (
  address: string,
  { options }: Arguments,
  { env }: Terminal,
): LeaseReading & { readonly hosts: string } => {
  const parsed = readAddress(address, options.lease !== undefined, env);
  const hosts = parsed.endpoints.map((endpoint) => endpoint.replace(/^https?:\/\//, '')).join(',');
  const asked = options.lease === undefined ? [] : ['--lease', options.lease];
  const own = options.for === 'prompt' ? env[HOLD_MARK] : undefined;
  return { engine: etcdEngine(parsed), prefix: parsed.prefix, hosts, asked, own };
};
