/** Asks an etcd cluster through its JSON gateway: each request goes to the endpoint that answered last, else to the next. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../core/failure.ts';
import { type Fields, fieldsOf } from '../core/unchecked.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import type { LeaseAddress } from './address.ts';
import { postJson, type Secrets, streamJson } from './post-json.ts';

/** Milliseconds for a request without a deadline: a healthy cluster answers in milliseconds, one that elects a leader in a second. */
const PATIENCE_MS = 5000;

/** Before a server that ended a watch is asked for another one. */
const WATCH_AGAIN_MS = 1000;

/** A text that says something; null for anything else. */
export const wordOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null;

type EtcdAnswer = { readonly document: Fields } | { readonly why: string };

/** A cluster; opens no connection before it is asked. */
export interface EtcdClient {
  /** Asks every endpoint once, all within the time (milliseconds). Never throws. */
  readonly ask: (path: string, body: object, withinMs?: number) => Promise<EtcdAnswer>;
  /** Hands on every message of a watch, and asks for another one where it ends, until the signal is aborted. */
  readonly watch: (body: object, hear: (result: Fields) => void, signal: AbortSignal) => Promise<void>;
}

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

/** What the gateway says went wrong; null where it answered. */
const problemIn = ({ error, message }: Fields): string | null =>
  wordOf(error) ?? wordOf(message) ?? wordOf(fieldsOf(error).message);

/** Tells answers of the first cluster that answers from all others: null for its own. */
const clusterCheck = (): ((answer: Fields) => string | null) => {
  let cluster: string | null = null;
  return ({ header }) => {
    const id = wordOf(fieldsOf(header).cluster_id);
    if (id === null) return 'does not answer as etcd does';
    cluster ??= id;
    return id === cluster ? null : 'answers for another cluster';
  };
};

/** Throws `E_USAGE` for files of credentials that cannot be read. */
export const etcdClient = (address: LeaseAddress): EtcdClient => {
  const secrets = readSecrets(address);
  const endpoints = [...address.endpoints];
  const strangeness = clusterCheck();
  let token: string | null = null;
  const headers = (): Readonly<Record<string, string>> => (token === null ? {} : { authorization: token });

  const askOne = async (
    endpoint: string,
    path: string,
    body: object,
    withinMs: number,
  ): Promise<EtcdAnswer> => {
    const posted = await postJson(`${endpoint}/v3/${path}`, body, headers(), withinMs, secrets);
    if (posted.status === 'failed') return { why: `${endpoint} ${posted.why}` };
    const document = fieldsOf(posted.document);
    const problem = problemIn(document);
    if (posted.code !== 200 || problem !== null)
      return { why: `${endpoint} refused: ${problem ?? `code ${posted.code}`}` };
    const strange = strangeness(fieldsOf(document.result ?? document));
    return strange === null ? { document } : { why: `${endpoint} ${strange}` };
  };

  /** Where no endpoint answers, each is named. */
  const askAll = async (path: string, body: object, withinMs: number): Promise<EtcdAnswer> => {
    const untilMs = performance.now() + withinMs;
    const failures: string[] = [];
    for (const endpoint of [...endpoints]) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) {
        failures.push(`there was no time to ask ${endpoint}`);
        continue;
      }
      const shareMs = endpoints.length > 1 ? Math.max(leftMs / 2, 50) : leftMs;
      const answer = await askOne(endpoint, path, body, shareMs);
      if ('document' in answer) {
        endpoints.splice(endpoints.indexOf(endpoint), 1);
        endpoints.unshift(endpoint);
        return answer;
      }
      failures.push(answer.why);
    }
    return { why: failures.join('; ') };
  };

  /** For clusters with users: logs in once, and again where the token has expired. */
  const askAs = async (name: string, path: string, body: object, withinMs: number): Promise<EtcdAnswer> => {
    for (const isLast of [false, true]) {
      if (token === null) {
        const login = await askAll('auth/authenticate', { name, password: address.password ?? '' }, withinMs);
        if ('why' in login) return login;
        token = wordOf(login.document.token);
      }
      const answer = await askAll(path, body, withinMs);
      if ('document' in answer || isLast || !/auth|token/i.test(answer.why)) return answer;
      token = null;
    }
    return { why: 'the login was refused' };
  };

  return {
    ask: (path, body, withinMs = PATIENCE_MS) =>
      address.user === null ? askAll(path, body, withinMs) : askAs(address.user, path, body, withinMs),
    watch: async (body, hear, signal) => {
      const hearMessage = (message: unknown): void => {
        const result = fieldsOf(fieldsOf(message).result);
        if (strangeness(result) === null) hear(result);
      };
      while (!signal.aborted) {
        await streamJson(`${endpoints[0]}/v3/watch`, body, headers(), hearMessage, signal, secrets);
        await sleep(WATCH_AGAIN_MS, undefined, { signal }).catch(() => {});
      }
    },
  };
};
