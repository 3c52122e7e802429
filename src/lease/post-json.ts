/** JSON requests to an HTTP server: one whose answer is limited in time and bytes, and one that is answered line by line. */
import { Buffer } from 'node:buffer';
import { request as askPlainly, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as askSecretly } from 'node:https';
import { describeErrno, errnoOf } from '../io/errno.ts';
import { tryOr } from '../io/try-or.ts';

/** More than the leases of ten thousand workers take. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** TLS files besides the system's trusted certificates. */
export interface Secrets {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

export type Posted =
  | { readonly status: 'ok'; readonly code: number; readonly document: unknown }
  | { readonly status: 'failed'; readonly why: string };

/** Sends a document; what becomes of it is for the caller to listen to, errors included. */
const beginPost = (
  url: string,
  body: object,
  headers: Readonly<Record<string, string>>,
  secrets: Secrets,
  onAnswer: (answer: IncomingMessage) => void,
): ClientRequest => {
  const text = JSON.stringify(body);
  const ask = url.startsWith('https:') ? askSecretly : askPlainly;
  const length = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  const question = ask(url, { method: 'POST', headers: { ...length, ...headers }, ...secrets }, onAnswer);
  question.end(text);
  return question;
};

/** Posts a document. Never throws, and settles within `withinMs`. */
export const postJson = (
  url: string,
  body: object,
  headers: Readonly<Record<string, string>>,
  withinMs: number,
  secrets: Secrets = {},
): Promise<Posted> =>
  new Promise((resolve) => {
    const end = (answer: Posted): void => {
      clearTimeout(timer);
      question.destroy();
      resolve(answer);
    };
    const fail = (why: string): void => end({ status: 'failed', why });
    const question = beginPost(url, body, headers, secrets, (answer) => {
      const chunks: Buffer[] = [];
      let length = 0;
      answer.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > MAX_ANSWER_BYTES) fail('said more than leases take');
        else chunks.push(chunk);
      });
      answer.on('error', ({ message }) => fail(message));
      answer.on('end', () => {
        try {
          const document: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
          end({ status: 'ok', code: answer.statusCode ?? 0, document });
        } catch {
          fail(`answered with code ${answer.statusCode ?? 0} and no JSON`);
        }
      });
    });
    const timer = setTimeout(
      () => fail(`did not answer within ${Math.round(withinMs / 100) / 10} s`),
      withinMs,
    );
    question.on('error', (error: NodeJS.ErrnoException) =>
      fail(`could not be reached: ${errnoOf(error) === null ? error.message : describeErrno(error)}`),
    );
  });

/** Longer than any event of one key. */
const MAX_LINE = 1024 * 1024;

/** Posts a document and hands each line of the answer on. Never throws; settles when the answer ends, fails, or is not wanted any more. */
export const streamJson = (
  url: string,
  body: object,
  headers: Readonly<Record<string, string>>,
  onDocument: (document: unknown) => void,
  signal: AbortSignal,
  secrets: Secrets = {},
): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      signal.removeEventListener('abort', end);
      question.destroy();
      resolve();
    };
    const question = beginPost(url, body, headers, secrets, (answer) => {
      let rest = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > MAX_LINE) return end();
        for (const line of lines) {
          const document: unknown = tryOr(() => JSON.parse(line), undefined);
          if (document !== undefined) onDocument(document);
        }
      });
      answer.on('error', end);
      answer.on('end', end);
    });
    question.on('error', end);
    signal.addEventListener('abort', end, { once: true });
  });
