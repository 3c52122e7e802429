/**
 * Runs a program while nothing else goes on. Node's `child_process` loads streams, sockets and datagrams for that, 3 ms of a
 * preflight: the call below its `spawnSync` is made without it where Node has it, and the arguments are plain.
 */
import type { Buffer } from 'node:buffer';
import type { SpawnSyncOptions } from 'node:child_process';
import { errnoOf } from '../errno.ts';
import type { Ended } from './ended.ts';
import { bindingOfNode } from './node-binding.ts';

export interface SyncSettings {
  /** Milliseconds until it is killed. */
  readonly timeout: number;
  readonly killSignal: 'SIGKILL';
  /** Bytes that it may say on each of its outputs. */
  readonly maxBuffer: number;
  readonly env: Readonly<Record<string, string>>;
  readonly stdio: readonly ('ignore' | 'pipe' | number)[];
  /** What it reads, where its standard input is a pipe. */
  readonly input: string | Uint8Array | undefined;
  readonly cwd?: string | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly detached?: boolean | undefined;
}

/** Throws what `spawnSync` throws for arguments that no program could be given. */
export const spawnAndWait = (file: string, args: readonly string[], settings: SyncSettings): Ended =>
  endOf(
    spawnByBun(file, args, settings) ??
      spawnPlainly(file, args, settings) ??
      spawnByModule(file, args, settings),
  );

/** What became of it, as both calls tell it. */
interface SyncEnd {
  readonly status: number | null;
  readonly signal: string | null;
  readonly code: string | undefined;
  readonly stdout: Uint8Array | undefined;
  readonly stderr: Uint8Array | undefined;
}

/** What Node's own `spawnSync` calls, the same from Node 0.12 to 26. It checks nothing, and ends us over a wrong type. */
interface Binding {
  readonly spawn: (options: {
    readonly file: string;
    readonly args: readonly string[];
    readonly envPairs: readonly string[];
    readonly cwd: string | undefined;
    readonly timeout: number;
    readonly maxBuffer: number;
    readonly killSignal: number;
    readonly stdio: readonly (
      | { readonly type: 'ignore' }
      | { readonly type: 'pipe'; readonly readable: boolean; readonly writable: boolean }
    )[];
  }) => {
    readonly status: number | null;
    readonly signal: string | null;
    readonly output: readonly (Buffer | null)[] | null;
    /** A negative error number. */
    readonly error?: number;
  };
}

const SIGKILL = 9;

/** Null where it cannot be had, and where more is asked for than a program, its words, environment and outputs. */
const spawnPlainly = (file: string, args: readonly string[], settings: SyncSettings): SyncEnd | null => {
  const { timeout, maxBuffer, env, stdio, input, cwd, ...user } = settings;
  const envPairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  if (input !== undefined || user.uid !== undefined || stdio.length > 3) return null;
  if ([file, cwd ?? '', ...args, ...envPairs].some((text) => text.includes('\0'))) return null;
  const binding = bindingOfNode<Binding>('spawn_sync');
  if (binding === null) return null;
  const { status, signal, output, error } = binding.spawn({
    file,
    args: [file, ...args],
    envPairs,
    cwd,
    timeout,
    maxBuffer,
    killSignal: SIGKILL,
    stdio: stdio.map((each) =>
      each === 'pipe' ? { type: 'pipe', readable: false, writable: true } : { type: 'ignore' },
    ),
  });
  return {
    status,
    signal,
    code: error === undefined ? undefined : process.getBuiltinModule('node:util').getSystemErrorName(error),
    stdout: output?.[1] ?? undefined,
    stderr: output?.[2] ?? undefined,
  };
};

/** What Bun's own `spawnSync` calls, which loads no modules. It throws if the program cannot be started. */
interface Bun {
  readonly spawnSync: (
    command: readonly string[],
    options: Omit<SyncSettings, 'input'>,
  ) => {
    readonly exitCode: number | null;
    readonly signalCode?: string;
    readonly exitedDueToTimeout?: boolean;
    readonly exitedDueToMaxBuffer?: boolean;
    readonly stdout: Buffer;
    readonly stderr: Buffer;
  };
}

/** Null in Node, and where the program reads something or becomes another user. */
const spawnByBun = (
  file: string,
  args: readonly string[],
  { input, ...settings }: SyncSettings,
): SyncEnd | null => {
  const { Bun } = globalThis as { readonly Bun?: Bun };
  if (Bun === undefined || input !== undefined || settings.uid !== undefined) return null;
  try {
    const ended = Bun.spawnSync([file, ...args], settings);
    const { exitCode, signalCode, exitedDueToTimeout, exitedDueToMaxBuffer, stdout, stderr } = ended;
    const code = exitedDueToTimeout ? 'ETIMEDOUT' : exitedDueToMaxBuffer ? 'ENOBUFS' : undefined;
    return { status: exitCode, signal: signalCode ?? null, code, stdout, stderr };
  } catch (error) {
    const code = errnoOf(error);
    if (code === null || code.startsWith('ERR_')) throw error;
    return { status: null, signal: null, code, stdout: undefined, stderr: undefined };
  }
};

const spawnByModule = (
  file: string,
  args: readonly string[],
  { stdio, ...settings }: SyncSettings,
): SyncEnd => {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const options: SpawnSyncOptions = { ...settings, stdio: [...stdio] };
  const { status, signal, error, stdout, stderr } = spawnSync(file, args, options);
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return { status, signal, code, stdout: stdout as Buffer, stderr: stderr as Buffer };
};

/** In execa's terms. */
const endOf = ({ status, signal, code, stdout, stderr }: SyncEnd): Ended => ({
  failed: code !== undefined || status !== 0,
  timedOut: code === 'ETIMEDOUT',
  isMaxBuffer: code === 'ENOBUFS',
  ...(status === null ? {} : { exitCode: status }),
  ...(signal === null ? {} : { signal }),
  ...(code === undefined ? {} : { code }),
  stdout,
  stderr,
});
