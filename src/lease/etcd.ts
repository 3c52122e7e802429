/** Leases in etcd 3.4 and newer, through its JSON gateway: lease and key in one, taken by a transaction, dropped by the server. */
import { Buffer } from 'node:buffer';
import { type Fields, fieldsOf } from '../core/unchecked.ts';
import type { LeaseAddress } from './address.ts';
import type { HeldLease, Kept, Lease, LeaseEngine, LeaseRecord, Listed, Read, Taken } from './engine.ts';
import { type EtcdClient, etcdClient, wordOf } from './etcd-client.ts';

const GONE = { status: 'lost', why: 'the server no longer has this lease' } as const;

const KEY_GONE = { status: 'lost', why: "its key was deleted, or is another one's" } as const;

const STRANGE_KEYS = 'the server answers with keys that it was not asked for';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

/** True for a number as etcd's gateway writes it: text, because it has 64 bits. */
const isNumber = (text: string | null): text is string => text !== null && /^\d+$/.test(text);

/** Opens no connection yet. Throws E_USAGE for unreadable files. */
export const etcdEngine = (address: LeaseAddress): LeaseEngine => {
  const client = etcdClient(address);
  return {
    take: (key, record, ttlSeconds) => take(client, key, record, ttlSeconds),
    keep: (lease, withinMs) => keep(client, lease, withinMs),
    read: (key) => read(client, key),
    list: (prefix) => list(client, prefix),
    secondsLeft: async (id) => {
      const answer = await client.ask('lease/timetolive', { ID: id });
      const seconds = 'document' in answer ? Number(answer.document.TTL) : Number.NaN;
      return seconds > 0 ? seconds : null;
    },
    watch: (lease, onGone, signal) => void watch(client, lease, onGone, signal),
    giveBack: async ({ id }) => {
      const answer = await client.ask('lease/revoke', { ID: id });
      return 'document' in answer || /not found/.test(answer.why) ? null : answer.why;
    },
  };
};

const take = async (
  { ask }: EtcdClient,
  key: string,
  record: LeaseRecord,
  ttlSeconds: number,
): Promise<Taken> => {
  const granted = await ask('lease/grant', { TTL: String(ttlSeconds) });
  if ('why' in granted) return { status: 'failed', why: granted.why };
  const id = wordOf(granted.document.ID);
  const seconds = Number(granted.document.TTL);
  if (!isNumber(id) || !(seconds > 0)) return { status: 'failed', why: 'the server granted no lease' };
  const name = base64(key);
  const answer = await ask('kv/txn', {
    compare: [{ key: name, target: 'CREATE', result: 'EQUAL', create_revision: '0' }],
    success: [{ request_put: { key: name, value: base64(JSON.stringify(record)), lease: id } }],
    failure: [{ request_range: { key: name } }],
  });
  const taken =
    'why' in answer ? ({ status: 'failed', why: answer.why } as const) : readTaken(answer.document, record);
  if (taken.status === 'taken')
    return { status: 'taken', lease: { key, id, epoch: taken.epoch, ttlMs: seconds * 1000 } };
  // Also where the answer was lost: a key that was made after all is dropped with its lease.
  await ask('lease/revoke', { ID: id });
  return taken;
};

const keep = async ({ ask }: EtcdClient, { id, key, epoch }: Lease, withinMs: number): Promise<Kept> => {
  const untilMs = performance.now() + withinMs;
  const answer = await ask('lease/keepalive', { ID: id }, withinMs);
  if ('why' in answer)
    return /lease not found/.test(answer.why) ? GONE : { status: 'failed', why: answer.why };
  if (!(Number(fieldsOf(answer.document.result).TTL) > 0)) return GONE;
  // A lease may live on without its key, which somebody deleted or wrote over: then another one may take that.
  const found = await ask('kv/range', { key: base64(key) }, Math.max(untilMs - performance.now(), 50));
  if ('why' in found) return { status: 'failed', why: found.why };
  return isStillOurs(firstOf(found.document), id, epoch) ? { status: 'kept' } : KEY_GONE;
};

const read = async (client: EtcdClient, key: string): Promise<Read> => {
  const found = await rangeOf(client, { key: base64(key) }, key);
  if (found.status === 'failed') return found;
  const [lease] = found.leases;
  return lease === undefined ? { status: 'free' } : { status: 'held', lease };
};

const list = (client: EtcdClient, prefix: string): Promise<Listed> =>
  // The character after the slash ends the range of all keys that begin with prefix and slash.
  rangeOf(client, { key: base64(`${prefix}/`), range_end: base64(`${prefix}0`) }, `${prefix}/`);

/** The leases in a range, whose keys all begin with `from`. */
const rangeOf = async ({ ask }: EtcdClient, range: object, from: string): Promise<Listed> => {
  const answer = await ask('kv/range', range);
  if ('why' in answer) return { status: 'failed', why: answer.why };
  const leases = keysOf(answer.document, from);
  return leases === null ? { status: 'failed', why: STRANGE_KEYS } : { status: 'ok', leases };
};

const watch = (
  client: EtcdClient,
  { key, epoch, id }: Lease,
  onGone: (why: string) => void,
  signal: AbortSignal,
): Promise<void> => {
  const create = { create_request: { key: base64(key), start_revision: String(BigInt(epoch) + 1n) } };
  const hear = ({ events }: Fields): void => {
    for (const event of Array.isArray(events) ? events : []) {
      const { kv } = fieldsOf(event);
      if (!signal.aborted && !isStillOurs(fieldsOf(kv), id, epoch)) onGone(KEY_GONE.why);
    }
  };
  return client.watch(create, hear, signal);
};

/** The key as it was taken, and bound to the lease; another value of the same holder does not matter. */
const isStillOurs = (found: Fields | null, id: string, epoch: string): boolean =>
  found !== null && wordOf(found.create_revision) === epoch && wordOf(found.lease) === id;

/** What a range found, below where it was asked for; null for an answer that cannot be one. */
const keysOf = ({ kvs = [] }: Fields, from: string): readonly HeldLease[] | null => {
  if (!Array.isArray(kvs)) return null;
  const found = kvs.map((each) => heldLease(fieldsOf(each)));
  return found.every(({ key }) => key.startsWith(from)) ? found : null;
};

const heldLease = ({ key, value, lease, create_revision }: Fields): HeldLease => {
  const id = wordOf(lease);
  return {
    key: Buffer.from(wordOf(key) ?? '', 'base64').toString('utf8'),
    by: readRecord(value),
    epoch: wordOf(create_revision) ?? '0',
    id: isNumber(id) && id !== '0' ? id : null,
  };
};

/** The key that a range found; null where there is none. */
const firstOf = ({ kvs }: Fields): Fields | null =>
  Array.isArray(kvs) && kvs.length > 0 ? fieldsOf(kvs[0]) : null;

/** Reads a transaction's answer: ours now, or somebody else's. A repeated request whose first answer was lost finds its own record. */
const readTaken = (
  { succeeded, header, responses }: Fields,
  { nonce }: LeaseRecord,
): Exclude<Taken, { status: 'taken' }> | { readonly status: 'taken'; readonly epoch: string } => {
  const revision = wordOf(fieldsOf(header).revision);
  if (succeeded === true && isNumber(revision)) return { status: 'taken', epoch: revision };
  const [first] = Array.isArray(responses) ? responses : [];
  const found = firstOf(fieldsOf(fieldsOf(first).response_range)) ?? {};
  const by = readRecord(found.value);
  const created = wordOf(found.create_revision);
  if (by?.nonce === nonce && isNumber(created)) return { status: 'taken', epoch: created };
  return created === null
    ? { status: 'failed', why: 'the server did not say who holds the lease' }
    : { status: 'held', by };
};

/** A record that a doctor wrote; null for anything else that stands there. What it lacks is what older versions did not write. */
const readRecord = (value: unknown): LeaseRecord | null => {
  try {
    const record = fieldsOf(JSON.parse(Buffer.from(wordOf(value) ?? '', 'base64').toString('utf8')));
    const text = (name: string): string => (typeof record[name] === 'string' ? record[name] : '');
    const { pid } = record;
    if (text('hostname') === '' || text('acquiredAt') === '' || text('nonce') === '') return null;
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid)) return null;
    return {
      worker: text('worker'),
      hostname: text('hostname'),
      bootId: text('bootId') || null,
      pidNamespace: text('pidNamespace') || null,
      root: text('root'),
      pid,
      startToken: text('startToken') || null,
      sessionId: text('sessionId'),
      acquiredAt: text('acquiredAt'),
      nonce: text('nonce'),
    };
  } catch {
    return null;
  }
};
