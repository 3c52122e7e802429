/** Leases in etcd 3.4 and newer, through its JSON gateway: lease and key in one, taken by a transaction, dropped by the server. */

import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../core/failure.ts';
import { type Fields, fieldsOf } from '../core/unchecked.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import type { LeaseAddress } from './address.ts';
import type { HeldLease, Kept, LeaseEngine, LeaseRecord, Taken } from './engine.ts';
import { postJson, type Secrets } from './post-json.ts';
import { streamJson } from './stream-json.ts';

/** Milliseconds for a request without a deadline: a healthy cluster answers in milliseconds, one that elects a leader in a second. */
const PATIENCE_MS = 5000;

/** Before a server that ended a watch is asked for another one. */
const WATCH_AGAIN_MS = 1000;

const GONE = { status: 'lost', why: 'the server knows no such lease any more' } as const;

const KEY_GONE = { status: 'lost', why: "its key was deleted, or is another one's" } as const;

const STRANGE_KEYS = 'the server answers with keys that it was not asked for';

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

type Answer = { readonly document: Fields } | { readonly why: string };

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');

const readSecrets = ({ caFile, certFile, keyFile }: LeaseAddress): Secrets => {
  const read = (file: string | null): Buffer | undefined => {
    if (file === null) return undefined;
    try {
      return readFileSync(file);
    } catch (cause) {
      throw new Failure('E_USAGE', `${file} cannot be read: ${describeFailure(cause)}`, null, { cause });
    }
  };
  return { ca: read(caFile), cert: read(certFile), key: read(keyFile) };
};

/** True for a number as etcd's gateway writes it: text, because it has 64 bits. */
const isNumber = (text: string | null): text is string => text !== null && /^\d+$/.test(text);

/** Opens no connection yet: each request goes to the endpoint that answered last, else to the next. Throws E_USAGE for unreadable files. */
export const etcdEngine = (address: LeaseAddress): LeaseEngine => {
  const secrets = readSecrets(address);
  const endpoints = [...address.endpoints];
  let token: string | null = null;
  let cluster: string | null = null;

  /** Null for an answer of our cluster: another one's does not count, nor what a server of another kind says. */
  const strangeness = ({ header }: Fields): string | null => {
    const id = textOf(fieldsOf(header).cluster_id);
    if (id === null) return 'does not answer as etcd does';
    cluster ??= id;
    return id === cluster ? null : 'answers for another cluster';
  };

  const askOne = async (endpoint: string, path: string, body: object, withinMs: number): Promise<Answer> => {
    const headers: Record<string, string> = token === null ? {} : { authorization: token };
    const posted = await postJson(`${endpoint}/v3/${path}`, body, headers, withinMs, secrets);
    if (posted.status === 'failed') return { why: `${endpoint} ${posted.why}` };
    const document = fieldsOf(posted.document);
    const problem =
      textOf(document.error) ?? textOf(document.message) ?? textOf(fieldsOf(document.error).message);
    if (posted.code !== 200 || problem !== null)
      return { why: `${endpoint} refused: ${problem ?? `code ${posted.code}`}` };
    const strange = strangeness(fieldsOf(document.result ?? document));
    return strange === null ? { document } : { why: `${endpoint} ${strange}` };
  };

  /** Asks every endpoint once, the one that answered last first; all within the time. Where none answers, each is named. */
  const ask = async (path: string, body: object, withinMs: number): Promise<Answer> => {
    const untilMs = performance.now() + withinMs;
    const failures: string[] = [];
    for (const endpoint of [...endpoints]) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) {
        failures.push(`there was no time to ask ${endpoint}`);
        continue;
      }
      const answer = await askOne(
        endpoint,
        path,
        body,
        endpoints.length > 1 ? Math.max(leftMs / 2, 50) : leftMs,
      );
      if ('document' in answer) {
        endpoints.splice(endpoints.indexOf(endpoint), 1);
        endpoints.unshift(endpoint);
        return answer;
      }
      failures.push(answer.why);
    }
    return { why: failures.join('; ') };
  };

  /** The same for clusters with users: logs in once, and again where the token has expired. */
  const askAsUser = async (path: string, body: object, withinMs: number): Promise<Answer> => {
    const { user, password } = address;
    if (user === null) return ask(path, body, withinMs);
    for (const isLast of [false, true]) {
      if (token === null) {
        const login = await ask('auth/authenticate', { name: user, password: password ?? '' }, withinMs);
        if ('why' in login) return login;
        token = textOf(login.document.token);
      }
      const answer = await ask(path, body, withinMs);
      if ('document' in answer || isLast || !/auth|token/i.test(answer.why)) return answer;
      token = null;
    }
    return { why: 'the login was refused' };
  };

  const take: LeaseEngine['take'] = async (key, record, ttlSeconds) => {
    const granted = await askAsUser('lease/grant', { TTL: String(ttlSeconds) }, PATIENCE_MS);
    if ('why' in granted) return { status: 'failed', why: granted.why };
    const id = textOf(granted.document.ID);
    const seconds = Number(granted.document.TTL);
    if (!isNumber(id) || !(seconds > 0)) return { status: 'failed', why: 'the server granted no lease' };
    const name = base64(key);
    const put = { key: name, value: base64(JSON.stringify(record)), lease: id };
    const answer = await askAsUser(
      'kv/txn',
      {
        compare: [{ key: name, target: 'CREATE', result: 'EQUAL', create_revision: '0' }],
        success: [{ request_put: put }],
        failure: [{ request_range: { key: name } }],
      },
      PATIENCE_MS,
    );
    const taken =
      'why' in answer ? ({ status: 'failed', why: answer.why } as const) : readTaken(answer.document, record);
    if (taken.status === 'taken')
      return { status: 'taken', lease: { key, id, epoch: taken.epoch, ttlMs: seconds * 1000 } };
    // Also where the answer was lost: a key that was made after all is dropped with its lease.
    await askAsUser('lease/revoke', { ID: id }, PATIENCE_MS);
    return taken;
  };

  const keep: LeaseEngine['keep'] = async ({ id, key, epoch }, withinMs): Promise<Kept> => {
    const untilMs = performance.now() + withinMs;
    const answer = await askAsUser('lease/keepalive', { ID: id }, withinMs);
    if ('why' in answer)
      return /lease not found/.test(answer.why) ? GONE : { status: 'failed', why: answer.why };
    if (!(Number(fieldsOf(answer.document.result).TTL) > 0)) return GONE;
    // A lease may live on without its key, which somebody deleted or wrote over: then another one may take that.
    const leftMs = Math.max(untilMs - performance.now(), 50);
    const found = await askAsUser('kv/range', { key: base64(key) }, leftMs);
    if ('why' in found) return { status: 'failed', why: found.why };
    return isStillOurs(firstOf(found.document), id, epoch) ? { status: 'kept' } : KEY_GONE;
  };

  const giveBack: LeaseEngine['giveBack'] = async ({ id }) => {
    const answer = await askAsUser('lease/revoke', { ID: id }, PATIENCE_MS);
    return 'document' in answer || /not found/.test(answer.why) ? null : answer.why;
  };

  const read: LeaseEngine['read'] = async (key) => {
    const answer = await askAsUser('kv/range', { key: base64(key) }, PATIENCE_MS);
    if ('why' in answer) return { status: 'failed', why: answer.why };
    const found = keysOf(answer.document, key);
    if (found === null) return { status: 'failed', why: STRANGE_KEYS };
    const [lease] = found;
    return lease === undefined ? { status: 'free' } : { status: 'held', lease };
  };

  const list: LeaseEngine['list'] = async (prefix) => {
    // The character after the slash ends the range of all keys that begin with prefix and slash.
    const range = { key: base64(`${prefix}/`), range_end: base64(`${prefix}0`) };
    const answer = await askAsUser('kv/range', range, PATIENCE_MS);
    if ('why' in answer) return { status: 'failed', why: answer.why };
    const leases = keysOf(answer.document, `${prefix}/`);
    return leases === null ? { status: 'failed', why: STRANGE_KEYS } : { status: 'ok', leases };
  };

  const secondsLeft: LeaseEngine['secondsLeft'] = async (id) => {
    const answer = await askAsUser('lease/timetolive', { ID: id }, PATIENCE_MS);
    const seconds = 'document' in answer ? Number(answer.document.TTL) : Number.NaN;
    return seconds > 0 ? seconds : null;
  };

  const watch: LeaseEngine['watch'] = async ({ key, epoch, id }, onGone, signal) => {
    const create = { create_request: { key: base64(key), start_revision: String(BigInt(epoch) + 1n) } };
    const hear = (message: unknown): void => {
      const result = fieldsOf(fieldsOf(message).result);
      if (strangeness(result) !== null || !Array.isArray(result.events)) return;
      for (const event of result.events) {
        const { kv } = fieldsOf(event);
        if (!signal.aborted && !isStillOurs(fieldsOf(kv), id, epoch)) onGone(KEY_GONE.why);
      }
    };
    while (!signal.aborted) {
      const [endpoint] = endpoints;
      const headers: Record<string, string> = token === null ? {} : { authorization: token };
      await streamJson(`${endpoint}/v3/watch`, create, headers, hear, signal, secrets);
      await sleep(WATCH_AGAIN_MS, undefined, { signal }).catch(() => {});
    }
  };

  return { take, keep, read, list, secondsLeft, watch, giveBack };
};

/** The key as it was taken, and bound to the lease; another value of the same holder's is none of our business. */
const isStillOurs = (found: Fields | null, id: string, epoch: string): boolean =>
  found !== null && textOf(found.create_revision) === epoch && textOf(found.lease) === id;

/** What a range found, below where it was asked for; null for an answer that cannot be one. */
const keysOf = ({ kvs = [] }: Fields, from: string): readonly HeldLease[] | null => {
  if (!Array.isArray(kvs)) return null;
  const found = kvs.map((each) => heldLease(fieldsOf(each)));
  return found.every(({ key }) => key.startsWith(from)) ? found : null;
};

const heldLease = ({ key, value, lease, create_revision }: Fields): HeldLease => {
  const id = textOf(lease);
  return {
    key: Buffer.from(textOf(key) ?? '', 'base64').toString('utf8'),
    by: readRecord(value),
    epoch: textOf(create_revision) ?? '0',
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
  const revision = textOf(fieldsOf(header).revision);
  if (succeeded === true && isNumber(revision)) return { status: 'taken', epoch: revision };
  const [first] = Array.isArray(responses) ? responses : [];
  const found = firstOf(fieldsOf(fieldsOf(first).response_range)) ?? {};
  const by = readRecord(found.value);
  const created = textOf(found.create_revision);
  if (by?.nonce === nonce && isNumber(created)) return { status: 'taken', epoch: created };
  return created === null
    ? { status: 'failed', why: 'the server did not say who holds the lease' }
    : { status: 'held', by };
};

/** A record that a doctor wrote; null for anything else that stands there. What it lacks is what older versions did not write. */
const readRecord = (value: unknown): LeaseRecord | null => {
  try {
    const record = fieldsOf(JSON.parse(Buffer.from(textOf(value) ?? '', 'base64').toString('utf8')));
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
