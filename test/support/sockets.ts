import { createServer } from 'node:net';
import { onCleanUp } from './clean-up.ts';

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

/** Listens on a Unix socket until the end of the test. */
export const listenAt = async (path: string): Promise<void> => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  onCleanUp(() => {
    server.close();
  });
};
