import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  parseListeningSockets,
  socketReader,
} from '../../../../src/evidence/processes/linux/unix-sockets.ts';
import { cleanUp, makeTmuxTmpdir, onCleanUp } from '../../../support/index.ts';

const onLinux = process.platform === 'linux' ? test : test.skip;

describe('Unix sockets', () => {
  afterEach(cleanUp);

  test('that listen are distinguished from connected, unnamed and abstract ones', () => {
    const text = readFileSync(
      new URL('../../../../fixtures/proc/net-unix-linux-6.18.txt', import.meta.url),
      'utf8',
    );
    expect([...parseListeningSockets(text)]).toEqual([['45550', '/tmp/fx sock']]);
  });

  onLinux('are found by the process that listens on them (skipped without /proc)', async () => {
    const path = `${makeTmuxTmpdir()}/a socket`;
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    onCleanUp(() => {
      server.close();
    });
    const read = socketReader((pid) => `/proc/${pid}`);
    expect(read(process.pid)).toContain(path);
    expect(read(process.ppid)).not.toContain(path);
    expect(read(2 ** 22 + 1)).toEqual([]);
  });

  onLinux('are all found if a process has hundreds of them (skipped without /proc)', async () => {
    const directory = makeTmuxTmpdir();
    const paths = Array.from({ length: 300 }, (_, index) => `${directory}/${'s'.repeat(40)}-${index}`);
    for (const path of paths) {
      const server = createServer();
      await new Promise<void>((resolve) => {
        server.listen(path, resolve);
      });
      onCleanUp(() => {
        server.close();
      });
    }
    const found = new Set(socketReader((pid) => `/proc/${pid}`)(process.pid));
    expect(paths.filter((path) => !found.has(path))).toEqual([]);
  });
});
