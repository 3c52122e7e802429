/** One question to an HTTP server that answers for as long as anybody listens, with a JSON document in each line. */

import { tryOr } from '../io/try-or.ts';
import { beginPost, type Secrets } from './post-json.ts';

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
          const document = parsed(line);
          if (document !== undefined) onDocument(document);
        }
      });
      answer.on('error', end);
      answer.on('end', end);
    });
    question.on('error', end);
    signal.addEventListener('abort', end, { once: true });
  });

const parsed = (line: string): unknown => tryOr(() => JSON.parse(line), undefined);
