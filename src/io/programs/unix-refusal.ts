/**
 * Asks the kernel whether anybody listens on a Unix socket: a client takes 5 ms to learn that its server is dead, this 0.1 ms.
 * Node's `net` is not used, because it loads streams.
 */
import { Buffer } from 'node:buffer';
import { bindingOfNode } from './node-binding.ts';

/** What `net` calls, in Node 20 to 26. */
interface Binding {
  readonly Pipe: new (type: number) => Pipe;
  readonly PipeConnectWrap: new () => { oncomplete: (status: number) => void };
  readonly constants: { readonly SOCKET: number };
}

interface Pipe {
  /** Zero where `oncomplete` will be called, else a negative error number. */
  readonly connect: (request: object, path: string) => number;
  readonly close: (closed: () => void) => void;
}

/** The error number of ECONNREFUSED, as both systems have it. */
const REFUSED: Readonly<Partial<Record<NodeJS.Platform, number>>> = { linux: -111, darwin: -61 };

/** Bytes of a socket's path that fit into every system's address; a longer one would be cut off. */
const MAX_PATH_BYTES = 100;

/**
 * True where the kernel refuses a connection to this socket file: nobody listens on it, in any network namespace, for such a file
 * is found by its inode. False where somebody does, and where it cannot be told: a missing file, a closed one, a full queue, a
 * runtime that has no such call. A listener sees a connection that ends at once.
 *
 * @param path absolute
 */
export const isRefused = async (path: string): Promise<boolean> => {
  const refused = REFUSED[process.platform];
  if (refused === undefined || Buffer.byteLength(path) > MAX_PATH_BYTES || path.includes('\0')) return false;
  const binding = bindingOfNode<Binding>('pipe_wrap');
  // Another runtime may have a binding of that name without what is needed.
  if (typeof binding?.Pipe !== 'function' || typeof binding.PipeConnectWrap !== 'function') return false;
  const { Pipe, PipeConnectWrap, constants } = binding;
  const pipe = new Pipe(constants.SOCKET);
  const status = await new Promise<number>((resolve) => {
    const request = new PipeConnectWrap();
    request.oncomplete = resolve;
    const failed = pipe.connect(request, path);
    if (failed !== 0) resolve(failed);
  });
  // Node exits sooner when no handle is open.
  await new Promise<void>((resolve) => pipe.close(resolve));
  return status === refused;
};
