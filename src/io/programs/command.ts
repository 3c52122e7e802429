/** The one home of execa: every external program of the doctor is run here, with limits, and its outcome is data. */
import type { ChildProcess } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import { errnoOf } from '../errno.ts';
import { otherUser } from './as-user.ts';
import { type CommandResult, type Ended, MAX_OUTPUT_BYTES, refused, resultOf } from './ended.ts';
import { spawnProgram } from './spawn.ts';
import { spawnAndWait } from './spawn-sync.ts';

export type { CommandResult } from './ended.ts';

export interface CommandOptions {
  /** Milliseconds until the program is killed. */
  readonly timeoutMs: number;
  /** The whole environment of the program: nothing is added to it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Bytes for its standard input; without them it reads nothing. */
  readonly input?: string | Uint8Array;
  /** Set by callers with few questions (`isFew`), to spare loading execa, which takes longer than such questions. */
  readonly few?: Few | undefined;
  /**
   * The user whose permissions it gets, if not the caller's (only root may): none of our groups, a session of its own, no
   * descriptor of ours, `/` as working directory. `env` must contain nothing that this user may not read.
   */
  readonly as?: number | undefined;
  /** Bytes of output after which it is killed; default 64 MiB. */
  readonly maxBytes?: number;
}

/**
 * How few questions are asked with Node's own calls. `waiting` blocks, even for signals, which saves 3 ms. `listening` does not
 * block.
 */
export type Few = 'waiting' | 'listening';

/** With what a program is asked questions. */
export interface Client {
  /** Absolute path of the program; null where it is not installed. */
  readonly program: string | null;
  readonly timeoutMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly few: Few | undefined;
  /** User whose permissions it gets; left out for our own. */
  readonly as?: number;
}

/** True for a number of questions that takes less time than loading execa (15 ms). */
export const isFew = (questions: number): boolean => questions <= 3;

/** How long a killed program may take to close its output: a child of its own may keep the pipe open forever. */
const CLOSING_MS = 200;

/**
 * Runs a program without a shell and waits for it, at most `timeoutMs` (and a moment for closing). After that it, and
 * nothing else, gets SIGKILL. Expected outcomes, a missing program included, are values: nothing is thrown. `null` means a
 * program that was not found. execa is loaded by the first call, so that runs without programs do not pay for it.
 */
export const runCommand = async (
  file: string | null,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> => {
  if (file === null) return { status: 'missing' };
  const { few, timeoutMs } = options;
  if (few === 'waiting') return runCommandNow(file, args, options);
  const started = await (few === 'listening' ? startWithNode : startWithExeca)(file, args, options);
  if ('why' in started) return refused(started.why);
  const { child, ended } = started;
  const letGo = endWithUs(child);
  const result = await Promise.race([ended, overdue(timeoutMs + CLOSING_MS)]);
  letGo();
  if (result !== 'overdue') return resultOf(result, options);
  child.kill('SIGKILL');
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.unref();
  return { status: 'timeout', timeoutMs };
};

type Started =
  | {
      readonly child: Pick<ChildProcess, 'kill' | 'unref' | 'stdout' | 'stderr'>;
      readonly ended: Promise<Ended>;
    }
  | { readonly why: string };

type Start = (file: string, args: readonly string[], options: CommandOptions) => Promise<Started>;

const startWithNode: Start = async (file, args, options) => {
  const { limits, stdio, where, env } = settingsOf(options);
  try {
    return spawnProgram(file, args, { ...where, env, stdio }, { ...limits, input: options.input });
  } catch (error) {
    return { why: errnoOf(error) ?? String(error) };
  }
};

const startWithExeca: Start = async (file, args, options) => {
  const { limits, stdio, where, env } = settingsOf(options);
  const { execa } = await import('execa');
  const started = await startOrRefusal(() =>
    execa(file, args, {
      ...limits,
      ...where,
      env,
      extendEnv: false,
      ...(options.input === undefined ? {} : { input: options.input }),
      // execa passes descriptor numbers on to Node, but its types allow only streams here.
      stdio: stdio as ['ignore' | 'pipe', 'pipe', 'pipe', ...'ignore'[]],
      encoding: 'buffer' as const,
      reject: false as const,
      stripFinalNewline: false,
    }),
  );
  return 'why' in started ? started : { child: started.running, ended: started.running };
};

const stillRunning = new Set<{ readonly kill: (signal: 'SIGKILL') => boolean }>();

/** Ends a detached program when we exit; execa does so for all others. Returns a function to call once it has ended. */
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
 * If there are no descriptors for its pipes, Node leaves a child half made: execa fails on it and loses it, and the error that
 * it emits afterwards would end our process. Only this channel still gives access to the child.
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

/** As `runCommand`, for synchronous callers: blocks until the program has ended. */
export const runCommandNow = (
  file: string | null,
  args: readonly string[],
  options: CommandOptions,
): CommandResult => {
  if (file === null) return { status: 'missing' };
  const { limits, stdio, where, env } = settingsOf(options);
  try {
    const ended = spawnAndWait(file, args, { ...limits, ...where, env, input: options.input, stdio });
    return resultOf(ended, options);
  } catch (error) {
    // Invalid arguments: reported like a program that could not be run, as execa does.
    return refused(errnoOf(error) ?? String(error));
  }
};

/** The settings for all ways of running a program. */
const settingsOf = ({ timeoutMs, env, cwd, input, as, maxBytes = MAX_OUTPUT_BYTES }: CommandOptions) => {
  const { extraDescriptors = [], ...user } = (as === undefined ? null : otherUser(as)) ?? {};
  const stdin = input === undefined ? ('ignore' as const) : ('pipe' as const);
  return {
    limits: { timeout: Math.ceil(timeoutMs), killSignal: 'SIGKILL', maxBuffer: maxBytes } as const,
    stdio: [stdin, 'pipe' as const, 'pipe' as const, ...extraDescriptors],
    where: { ...(cwd === undefined ? {} : { cwd }), ...user },
    env: withoutUndefined(env),
  };
};

const overdue = (ms: number): Promise<'overdue'> =>
  new Promise((resolve) => {
    setTimeout(() => resolve('overdue'), ms).unref();
  });

const withoutUndefined = (env: CommandOptions['env']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

/** The first line of a program's error output, or how it ended: a sentence fragment. */
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
