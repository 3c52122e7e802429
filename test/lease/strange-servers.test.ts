/**
 * Servers that are not etcd, or broken: whatever they answer, no worker counts as free and nothing is started.
 * Runs in a PID namespace: leases and our own records name their holder by more than a PID.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readAddress } from '../../src/lease/address.ts';
import { etcdEngine } from '../../src/lease/etcd.ts';
import { cleanUp, onCleanUp, until } from '../support/index.ts';

afterEach(cleanUp);

/** Gives the same answer to every request; resolves with an address for leases there. */
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

/** The outcomes of read, list, take and keep. */
const everyAnswer = async (address: string): Promise<readonly string[]> => {
  const engine = etcdEngine(readAddress(address, false, {}));
  const read = await engine.read('gt/w');
  const { status } = await engine.take('gt/w', RECORD, 5);
  const lease = { key: 'gt/w', id: '5', epoch: '9', ttlMs: 5000 };
  return [read.status, (await engine.list('gt')).status, status, (await engine.keep(lease, 2000)).status];
};

describe('an answer that etcd never gives', () => {
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
  ])('%j frees no worker', async (text) => {
    const [read, list, take, keep] = await everyAnswer(await serve((response) => response.end(text)));
    expect([read, list, take]).toEqual(['failed', 'failed', 'failed']);
    expect(keep).not.toBe('kept');
  });

  test.each([
    [
      'a truncated document',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': 500 });
        response.write('{"he', () => response.destroy());
      },
    ],
    ['a connection that is closed early', (response: ServerResponse) => response.destroy()],
    ['another status code', (response: ServerResponse) => response.writeHead(503).end(`{${HEADER}}`)],
    [
      'more bytes than leases need',
      (response: ServerResponse) => {
        const chunk = Buffer.alloc(1024 * 1024, 'x');
        const more = (): void => {
          while (!response.destroyed && response.write(chunk));
          response.once('drain', more);
        };
        more();
      },
    ],
  ])('%s frees no worker', async (_what, answer) => {
    const [read, list, take, keep] = await everyAnswer(await serve(answer));
    expect([read, list, take]).toEqual(['failed', 'failed', 'failed']);
    expect(keep).not.toBe('kept');
  });

  test('is waited for until the deadline only', async () => {
    const engine = etcdEngine(readAddress(await serve(() => {}), false, {}));
    const lease = { key: 'gt/w', id: '5', epoch: '9', ttlMs: 5000 };
    expect(await engine.keep(lease, 300)).toMatchObject({
      status: 'failed',
      why: expect.stringContaining('did not answer within 0.3 s'),
    });
  });

  test('to a watch is ignored, and not kept in memory', async () => {
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
    await until(() => asked > 1, 'the next watch');
    stop.abort();
    // The answer does not name our cluster, so it must not end a command.
    expect(gone).toBe(false);
  });
});

test('of members that do not answer, each is named', async () => {
  const engine = etcdEngine(readAddress('etcd://127.0.0.1:1,127.0.0.1:2/gt', false, {}));
  expect(await engine.read('gt/w')).toEqual({
    status: 'failed',
    why: expect.stringMatching(/^http:\/\/127\.0\.0\.1:1 [^;]+; http:\/\/127\.0\.0\.1:2 [^;]+$/),
  });
});

describe('the name of a town', () => {
  test.each(['gt', 'team/gt', 'gt-2', 'gt_2.x', 'stadt-ä'])('may be %s', (town) => {
    expect(readAddress(`etcd://localhost/${town}/`, true, {}).prefix).toBe(town);
  });

  test.each([
    'town?x=1',
    'a//b',
    '/a',
    'a b',
    '..',
    'a/../b',
    './a',
    'a#b',
    'a%2fb',
    'a\nb',
    'x@host:2379/gt',
  ])('is not %j', (town) => {
    expect(() => readAddress(`etcd://localhost/${town}`, true, {})).toThrow(
      expect.objectContaining({ code: 'E_USAGE', message: expect.not.stringContaining(town) }),
    );
  });
});
