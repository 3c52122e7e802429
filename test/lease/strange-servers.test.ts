/** What is no etcd, or a broken one: whatever it answers, nobody is called free because of it, and nothing is started. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readAddress } from '../../src/lease/address.ts';
import { etcdEngine } from '../../src/lease/etcd.ts';
import { cleanUp, onCleanUp } from '../support/index.ts';

afterEach(cleanUp);

/** Answers every question in the same way; resolves with the address of leases there. */
const serve = (answer: (response: ServerResponse) => void): Promise<string> =>
  new Promise((resolve) => {
    const server: Server = createServer((_question, response) => answer(response)).listen(
      0,
      '127.0.0.1',
      () => {
        const address = server.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        resolve(`etcd://127.0.0.1:${port}/gt`);
      },
    );
    onCleanUp(() => {
      server.closeAllConnections();
      server.close();
    });
  });

const RECORD = {
  ...{ worker: 'w', hostname: 'h', bootId: null, pidNamespace: null, root: '/', pid: 1, startToken: null },
  ...{ sessionId: '', acquiredAt: '2026-01-01T00:00:00Z', nonce: 'n' },
};

const HEADER = '"header":{"cluster_id":"1","revision":"9"}';

/** Held by somebody is as good a refusal as not to know. */
const everyAnswer = async (address: string): Promise<readonly string[]> => {
  const engine = etcdEngine(readAddress(address, false, {}));
  const read = await engine.read('gt/w');
  const { status } = await engine.take('gt/w', RECORD, 5);
  const lease = { key: 'gt/w', id: '5', epoch: '9', ttlMs: 5000 };
  return [read.status, (await engine.list('gt')).status, status, (await engine.keep(lease, 2000)).status];
};

describe('an answer that no etcd gives', () => {
  test.each([
    ['{}'],
    ['null'],
    ['[]'],
    ['7'],
    ['<html>'],
    [''],
    ['{"header":null}'],
    ['{"header":{"cluster_id":1}}'],
    ['{"kvs":[]}'],
    [`{${HEADER},"kvs":"x"}`],
    [`{${HEADER},"kvs":[null,5,{"key":7}]}`],
    [`{${HEADER},"kvs":[{"key":"b3RoZXI="}]}`],
  ])('%s makes nobody free', async (text) => {
    const [read, list, take, keep] = await everyAnswer(await serve((response) => response.end(text)));
    expect([read, list, take]).toEqual(['failed', 'failed', 'failed']);
    expect(keep).not.toBe('kept');
  });

  test.each([
    [
      'half of a document',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': 500 });
        response.write('{"he', () => response.destroy());
      },
    ],
    ['an end in the middle', (response: ServerResponse) => response.destroy()],
    ['another code', (response: ServerResponse) => response.writeHead(503).end(`{${HEADER}}`)],
    [
      'more than leases take',
      (response: ServerResponse) => {
        const chunk = Buffer.alloc(1024 * 1024, 'x');
        const more = (): void => {
          while (!response.destroyed && response.write(chunk));
          response.once('drain', more);
        };
        more();
      },
    ],
  ])('%s makes nobody free', async (_what, answer) => {
    const [read, list, take, keep] = await everyAnswer(await serve(answer));
    expect([read, list, take]).toEqual(['failed', 'failed', 'failed']);
    expect(keep).not.toBe('kept');
  });

  test('is waited for no longer than it is worth', async () => {
    const engine = etcdEngine(readAddress(await serve(() => {}), false, {}));
    const lease = { key: 'gt/w', id: '5', epoch: '9', ttlMs: 5000 };
    const before = performance.now();
    expect(await engine.keep(lease, 300)).toMatchObject({
      status: 'failed',
      why: expect.stringContaining('did not answer within 0.3 s'),
    });
    expect(performance.now() - before).toBeLessThan(5000);
  });

  test('as a watch says nothing, and is not kept in memory', async () => {
    let asked = 0;
    const address = await serve((response) => {
      asked += 1;
      response.write('null\n{"result":{"events":[{"type":"DELETE","kv":{"key":"eA=="}}]}}\nnonsense\n');
      response.end('x'.repeat(2 * 1024 * 1024));
    });
    const stop = new AbortController();
    let gone = false;
    const lease = { key: 'gt/w', id: '5', epoch: '9', ttlMs: 5000 };
    etcdEngine(readAddress(address, false, {})).watch(lease, () => (gone = true), stop.signal);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    stop.abort();
    // It is not of our cluster, as far as it says: somebody else's word ends no command.
    expect([gone, asked > 0]).toEqual([false, true]);
  });
});
