/** The one home of execa: every external program of the doctor is run here, bounded, and answers with data. */
import { Buffer } from 'node:buffer';
import type { SpawnSyncReturns } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import { errnoOf } from '../errno.ts';
import { otherUser } from './as-user.ts';

export interface CommandOptions {
  /** Milliseconds until the program is killed. */
  readonly timeoutMs: number;
  /** The whole environment of the program: nothing is added to it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Bytes for its standard input; without them it reads nothing. */
  readonly input?: string | Uint8Array;
  /** Nothing else can go on until it has answered: Node's own waiting call does, and spares the 20 ms that execa takes to load. */
  readonly alone?: boolean;
  /**
   * The user whose permissions it gets, where that is not the caller (only root may): none of our groups, a session of
   * its own, no descriptor of ours, `/` to stand in. `env` must hold nothing that this user may not read.
   */
  readonly as?: number | undefined;
}

export type CommandResult =
  | { readonly status: 'ok'; readonly stdout: Buffer; readonly stderr: string }
  /** It ended with another code than 0, or by a signal (then `code` is null). */
  | {
      readonly status: 'failed';
      readonly code: number | null;
      readonly stdout: Buffer;
      readonly stderr: string;
    }
  | { readonly status: 'timeout'; readonly timeoutMs: number }
  /** There is no such program in PATH. */
  | { readonly status: 'missing' }
  /** It is there and could not be run, or said more than 64 MiB. */
  | { readonly status: 'refused'; readonly why: string };

/** More than any answer we ask for; a program that says more is broken. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** How long a killed program may take to close its output: a child of its own may keep the pipe open for ever. */
const CLOSING_MS = 200;

/**
 * Runs a program without a shell and waits for it, at most `timeoutMs` (and a moment for closing). After that it,
 * and nothing else, gets SIGKILL. Expected outcomes, a missing program included, are values: nothing is thrown.
 * What was looked for and not found (null) is missing. execa is loaded by the first call, so that runs which need no
 * program do not pay for it.
 */
export const runCommand = async (
  file: string | null,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> => {
  if (file === null) return { status: 'missing' };
  if (options.alone === true) return runCommandNow(file, args, options);
  const { timeoutMs } = options;
  const { extraDescriptors, limits, where, env } = settingsOf(options);
  const { execa } = await import('execa');
  const start = () =>
    execa(file, args, {
      ...limits,
      ...where,
      env,
      extendEnv: false,
      ...(options.input === undefined ? {} : { input: options.input }),
      // execa passes numbers on as Node takes them; its types know only streams here.
      stdio: [
        options.input === undefined ? 'ignore' : 'pipe',
        'pipe',
        'pipe',
        ...(extraDescriptors as 'ignore'[]),
      ],
      encoding: 'buffer' as const,
      reject: false as const,
      stripFinalNewline: false,
    });
  const started = await startOrRefusal(start);
  if ('why' in started) return refused(started.why);
  const { running } = started;
  const letGo = endWithUs(running);
  const result = await Promise.race([running, overdue(timeoutMs + CLOSING_MS)]);
  letGo();
  if (result === 'overdue') {
    running.kill('SIGKILL');
    running.stdout?.destroy();
    running.stderr?.destroy();
    running.unref();
    return { status: 'timeout', timeoutMs };
  }
  return describe(result, timeoutMs);
};

const stillRunning = new Set<{ readonly kill: (signal: 'SIGKILL') => boolean }>();

/** execa ends with us what is not detached; another user's program is. Answers how to say that it has ended. */
const endWithUs = (running: { readonly kill: (signal: 'SIGKILL') => boolean }): (() => void) => {
  if (stillRunning.size === 0) process.on('exit', endAll);
  stillRunning.add(running);
  return () => {
    stillRunning.delete(running);
    if (stillRunning.size === 0) process.removeListener('exit', endAll);
  };
};

const endAll = (): void => {
  for (const running of stillRunning) running.kill('SIGKILL');
};

/**
 * Without descriptors for its pipes Node leaves a child half made: execa stumbles over it and loses it, and the error that
 * it emits afterwards would end us. Only this channel still tells of it.
 */
const startOrRefusal = async <Running>(
  start: () => Running,
): Promise<{ readonly running: Running } | { readonly why: string }> => {
  const { subscribe, unsubscribe } = process.getBuiltinModule('node:diagnostics_channel');
  let failure: unknown = null;
  const listen = (message: unknown): void => {
    (message as { readonly process: EventEmitter }).process.on('error', (error) => {
      failure = error;
    });
  };
  subscribe('child_process', listen);
  try {
    return { running: start() };
  } catch (error) {
    await new Promise((resolve) => setImmediate(resolve));
    return { why: errnoOf(failure) ?? String(error) };
  } finally {
    unsubscribe('child_process', listen);
  }
};

/** As `runCommand`, for questions of those who cannot wait: nothing else goes on meanwhile. */
export const runCommandNow = (
  file: string | null,
  args: readonly string[],
  options: CommandOptions,
): CommandResult => {
  if (file === null) return { status: 'missing' };
  const { extraDescriptors, limits, where, env } = settingsOf(options);
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  try {
    const ended = spawnSync(file, args, {
      ...limits,
      ...where,
      env,
      input: options.input,
      stdio: ['pipe', 'pipe', 'pipe', ...extraDescriptors],
    });
    return describe(readEnd(ended), options.timeoutMs);
  } catch (error) {
    // Arguments that no program could be given: execa tells of them as of a program that could not be run.
    return refused(errnoOf(error) ?? String(error));
  }
};

/** What both ways of running a program are told. */
const settingsOf = ({ timeoutMs, env, cwd, as }: CommandOptions) => {
  const { extraDescriptors = [], ...user } = (as === undefined ? null : otherUser(as)) ?? {};
  return {
    extraDescriptors,
    limits: { timeout: Math.ceil(timeoutMs), killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES } as const,
    where: { ...(cwd === undefined ? {} : { cwd }), ...user },
    env: withoutUndefined(env),
  };
};

/** How a program ended: what execa's result is made of, as far as it matters here. */
interface Ended {
  readonly failed: boolean;
  readonly timedOut: boolean;
  readonly isMaxBuffer: boolean;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly code?: string | undefined;
  readonly shortMessage?: string | undefined;
  readonly stdout?: Uint8Array | undefined;
  readonly stderr?: Uint8Array | undefined;
}

/** Node's own answer in execa's terms. */
const readEnd = ({ status, signal, error, stdout, stderr }: SpawnSyncReturns<Buffer>): Ended => {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return {
    failed: error !== undefined || status !== 0,
    timedOut: code === 'ETIMEDOUT',
    isMaxBuffer: code === 'ENOBUFS',
    ...(status === null ? {} : { exitCode: status }),
    ...(signal === null ? {} : { signal }),
    ...(code === undefined ? {} : { code }),
    stdout,
    stderr,
  };
};

const describe = (result: Ended, timeoutMs: number): CommandResult => {
  if (result.timedOut) return { status: 'timeout', timeoutMs };
  if (result.isMaxBuffer) return { status: 'refused', why: `said more than ${MAX_OUTPUT_BYTES} bytes` };
  const stdout = Buffer.from(result.stdout ?? []);
  const stderr = Buffer.from(result.stderr ?? []).toString('utf8');
  if (!result.failed) return { status: 'ok', stdout, stderr };
  if (result.exitCode !== undefined || result.signal !== undefined)
    return { status: 'failed', code: result.exitCode ?? null, stdout, stderr };
  if (result.code === 'ENOENT') return { status: 'missing' };
  return refused(result.code ?? result.shortMessage ?? 'unknown error');
};

const refused = (why: string): CommandResult => ({ status: 'refused', why: `could not be run (${why})` });

const overdue = (ms: number): Promise<'overdue'> =>
  new Promise((resolve) => {
    setTimeout(() => resolve('overdue'), ms).unref();
  });

const withoutUndefined = (env: CommandOptions['env']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

/** The first line of what a program complained about, or how it ended: one fragment for a reason. */
export const complaintOf = (result: Exclude<CommandResult, { status: 'ok' }>): string => {
  switch (result.status) {
    case 'timeout':
      return `did not answer within ${result.timeoutMs} ms`;
    case 'missing':
      return 'is not installed';
    case 'refused':
      return result.why;
    case 'failed': {
      const line = firstLineOf(result.stderr);
      return line ?? (result.code === null ? 'was ended by a signal' : `ended with code ${result.code}`);
    }
  }
};

/** The first line that is not blank, trimmed; null where there is none. */
export const firstLineOf = (text: string): string | null =>
  text
    .split('\n')
    .find((line) => line.trim() !== '')
    ?.trim() ?? null;
