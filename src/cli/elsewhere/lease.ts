/** The lease that a command line or the environment asks `exec` for. Loaded only where one does. */
import type { Besides } from '../../exec/run-under-lock.ts';
import { readAddress } from '../../lease/address.ts';
import { etcdEngine } from '../../lease/etcd.ts';
import { holdLease } from '../../lease/hold-lease.ts';
import { escapeControls } from '../../reporters/screen/safe-text.ts';
import type { Arguments } from '../arguments/arguments.ts';
import { usage } from '../arguments/usage.ts';
import type { Terminal } from '../terminal/terminal.ts';

const TTL_SECONDS = 60;
/** Below this neither a network nor a command has the time that it takes to end one in order. */
const SHORTEST_SECONDS = 5;
const LONGEST_SECONDS = 86_400;

/** Prepares the lease of an address; `address` is `--lease`, else `$LOCK_DOCTOR_LEASE`. Throws `E_USAGE`. */
export const leaseAt = (address: string, { options }: Arguments, { env, stderr }: Terminal): Besides => {
  const parsed = readAddress(address, options.lease !== null, env);
  const ttlSeconds = options.ttl ?? TTL_SECONDS;
  if (ttlSeconds < SHORTEST_SECONDS || ttlSeconds > LONGEST_SECONDS)
    throw usage(`--ttl must be from ${SHORTEST_SECONDS} to ${LONGEST_SECONDS} seconds`);
  return holdLease({
    engine: etcdEngine(parsed),
    prefix: parsed.prefix,
    ttlSeconds: Math.ceil(ttlSeconds),
    onLost: options.onLost ?? 'warn',
    onNote: (note) => stderr.write(`doctor: ${escapeControls(note)}\n`),
  });
};
