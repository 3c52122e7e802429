/** A headless Chromium, controlled through pipes: no port, no network, a temporary profile. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { onCleanUp } from './clean-up.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

const program = NAMES.find((name) => spawnSync(name, ['--version']).status === 0) ?? null;

/** True if Chromium is installed. */
export const hasChromium = program !== null;

export interface Page {
  /** Shows HTML in a window of this width, in CSS pixels; `dark` is the preferred color scheme. */
  readonly show: (html: string, view: { readonly width: number; readonly dark?: boolean }) => Promise<void>;
  /** The value of an expression in the page; promises are awaited. The page's own policy does not apply. */
  readonly evaluate: <Value>(expression: string) => Promise<Value>;
  /** The whole page as PNG, in base64. */
  readonly screenshot: () => Promise<string>;
  /** The number of requests that the page made, besides its own document. */
  readonly requests: () => number;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly params?: unknown;
}

/** Starts a browser with one page; `cleanUp` ends it. */
export const openPage = async (): Promise<Page> => {
  if (program === null) throw new Error('there is no Chromium');
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const child = spawn(
    program,
    [
      ...['--headless=new', '--remote-debugging-pipe', `--user-data-dir=${profile}`, '--no-first-run'],
      ...['--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars', '--disable-background-networking'],
      // Chromium's sandbox does not work for root, and rarely in containers.
      '--no-sandbox',
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const [, , , input, output] = child.stdio as unknown as readonly [null, null, null, Writable, Readable];
  onCleanUp(async () => {
    // A graceful exit also ends its helpers, which would write into the profile.
    input.write(`${JSON.stringify({ id: 0, method: 'Browser.close' })}\0`);
    const late = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(late);
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });
  const waiting = new Map<number, (message: Message) => void>();
  const seen: Message[] = [];
  let rest = '';
  output.setEncoding('utf8').on('data', (text: string) => {
    const parts = `${rest}${text}`.split('\0');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const message = JSON.parse(part) as Message;
      if (message.id !== undefined) waiting.get(message.id)?.(message);
      else seen.push(message);
    }
  });
  let last = 0;
  let sessionId: string | undefined;
  const send = async <Result>(method: string, params: object = {}): Promise<Result> => {
    last += 1;
    const id = last;
    const answer = new Promise<Message>((resolve, reject) => {
      waiting.set(id, resolve);
      void ended.then(() => reject(new Error('Chromium has ended')));
    });
    input.write(
      `${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`,
    );
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as Result;
  };
  const { targetInfos } = await send<{ targetInfos: readonly { targetId: string; type: string }[] }>(
    'Target.getTargets',
  );
  const targetId = targetInfos.find(({ type }) => type === 'page')?.targetId;
  ({ sessionId } = await send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true }));
  for (const domain of ['Page', 'Runtime', 'Network']) await send(`${domain}.enable`);
  const { frameTree } = await send<{ frameTree: { frame: { id: string } } }>('Page.getFrameTree');
  return {
    show: async (html, { width, dark = false }) => {
      await send('Emulation.setDeviceMetricsOverride', {
        width,
        height: 900,
        deviceScaleFactor: 1,
        mobile: false,
      });
      await send('Emulation.setEmulatedMedia', {
        features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }],
      });
      await send('Page.setDocumentContent', { frameId: frameTree.frame.id, html });
    },
    evaluate: async <Value>(expression: string): Promise<Value> => {
      const { result, exceptionDetails } = await send<{
        result: { value: Value };
        exceptionDetails?: { exception?: { description?: string } };
      }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
      if (exceptionDetails !== undefined)
        throw new Error(exceptionDetails.exception?.description ?? 'it threw');
      return result.value;
    },
    screenshot: async () => {
      const { data } = await send<{ data: string }>('Page.captureScreenshot', {
        captureBeyondViewport: true,
      });
      return data;
    },
    requests: () => seen.filter(({ method }) => method === 'Network.requestWillBeSent').length,
  };
};
