/** Leases in etcd 3.4 and newer, through its JSON gateway: lease and key in one, taken by a transaction, dropped by the server. */

import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { Failure } from '../core/failure.ts';
import { type Fields, fieldsOf } from '../core/unchecked.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import type { LeaseAddress } from './address.ts';
import type { Kept, Lease, LeaseEngine, LeaseRecord, Taken } from './engine.ts';
import { postJson, type Secrets } from './post-json.ts';

/** Milliseconds for a request without a deadline: a healthy cluster answers in milliseconds, one that elects a leader in a second. */
const PATIENCE_MS = 5000;

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

  /** An answer from another cluster does not count. */
  const isOurs = ({ header }: Fields): boolean => {
    const id = textOf(fieldsOf(header).cluster_id);
    cluster ??= id;
    return id === null || id === cluster;
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
    return isOurs(fieldsOf(document.result ?? document))
      ? { document }
      : { why: `${endpoint} answers for another cluster` };
  };

  /** Asks every endpoint once, the one that answered last first; all within the time. */
  const ask = async (path: string, body: object, withinMs: number): Promise<Answer> => {
    const untilMs = performance.now() + withinMs;
    let failure: Answer = { why: 'there was no time to ask' };
    for (const endpoint of [...endpoints]) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) break;
      failure = await askOne(endpoint, path, body, endpoints.length > 1 ? Math.max(leftMs / 2, 50) : leftMs);
      if ('document' in failure) {
        endpoints.splice(endpoints.indexOf(endpoint), 1);
        endpoints.unshift(endpoint);
        return failure;
      }
    }
    return failure;
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

  const keep: LeaseEngine['keep'] = async ({ id }, withinMs): Promise<Kept> => {
    const answer = await askAsUser('lease/keepalive', { ID: id }, withinMs);
    if ('why' in answer)
      return /lease not found/.test(answer.why)
        ? { status: 'lost', why: 'the server knows no such lease any more' }
        : { status: 'failed', why: answer.why };
    const { TTL } = fieldsOf(answer.document.result);
    return Number(TTL) > 0
      ? { status: 'kept' }
      : { status: 'lost', why: 'the server knows no such lease any more' };
  };

  const giveBack: LeaseEngine['giveBack'] = async ({ id }: Lease) => {
    const answer = await askAsUser('lease/revoke', { ID: id }, PATIENCE_MS);
    return 'document' in answer || /not found/.test(answer.why) ? null : answer.why;
  };

  const read: LeaseEngine['read'] = async (key) => {
    const answer = await askAsUser('kv/range', { key: base64(key) }, PATIENCE_MS);
    if ('why' in answer) return { status: 'failed', why: answer.why };
    const found = firstOf(answer.document);
    if (found === null) return { status: 'free' };
    return { status: 'held', by: readRecord(found.value) };
  };

  return { take, keep, read, giveBack };
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

/** A record that a doctor wrote; null for any other value. */
const readRecord = (value: unknown): LeaseRecord | null => {
  try {
    const record = fieldsOf(JSON.parse(Buffer.from(textOf(value) ?? '', 'base64').toString('utf8')));
    const { hostname, acquiredAt, nonce, pid } = record;
    return typeof hostname === 'string' &&
      typeof acquiredAt === 'string' &&
      typeof nonce === 'string' &&
      typeof pid === 'number'
      ? (record as unknown as LeaseRecord)
      : null;
  } catch {
    return null;
  }
};
