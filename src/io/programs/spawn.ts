/** Runs a program with Node's own `spawn`, with the same limits as under execa. */
import { Buffer } from 'node:buffer';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Ended } from './ended.ts';

export interface SpawnLimits {
  /** Milliseconds until it is killed. */
  readonly timeout: number;
  readonly killSignal: NodeJS.Signals;
  /** Bytes that it may write on each of its outputs. */
  readonly maxBuffer: number;
  /** Its standard input. */
  readonly input: string | Uint8Array | undefined;
}

/**
 * Starts a program and collects its output. `ended` never rejects, and stays pending while any process keeps the outputs open.
 * Throws what `spawn` throws for invalid arguments; a missing or closed program is an outcome of `ended`.
 */
export const spawnProgram = (
  file: string,
  args: readonly string[],
  options: SpawnOptions,
  { timeout, killSignal, maxBuffer, input }: SpawnLimits,
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } => {
  const { spawn } = process.getBuiltinModule('node:child_process');
  const child = spawn(file, args, options);
  let timedOut = false;
  let isMaxBuffer = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill(killSignal);
  }, timeout);
  const collect = (stream: Readable | null): readonly Buffer[] => {
    const chunks: Buffer[] = [];
    let length = 0;
    stream?.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBuffer) {
        chunks.push(chunk);
        return;
      }
      isMaxBuffer = child.kill(killSignal) || true;
      // Any other process that holds the other end, such as a child of the program, notices too.
      child.stdout?.destroy();
      child.stderr?.destroy();
    });
    return chunks;
  };
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const ended = new Promise<Ended>((resolve) => {
    // Without descriptors for its pipes a child is left half made and never closes.
    child.on('error', ({ code, message }: NodeJS.ErrnoException) =>
      resolve({ failed: true, timedOut, isMaxBuffer, code, shortMessage: message }),
    );
    child.on('close', (exitCode, signal) =>
      resolve({
        failed: exitCode !== 0,
        timedOut,
        isMaxBuffer,
        exitCode: exitCode ?? undefined,
        signal: signal ?? undefined,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr),
      }),
    );
  });
  void ended.then(() => clearTimeout(timer));
  if (input !== undefined) {
    child.stdin?.on('error', () => {}); // it ended before it had read all input
    child.stdin?.end(input);
  }
  return { child, ended };
};
