/** Runs a program with Node's own `spawn`, bounded as execa would. */
import { Buffer } from 'node:buffer';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Ended } from './ended.ts';

export interface SpawnLimits {
  /** Milliseconds until it is killed. */
  readonly timeout: number;
  readonly killSignal: NodeJS.Signals;
  /** Bytes that it may say on each of its outputs. */
  readonly maxBuffer: number;
  /** What it reads. */
  readonly input: string | Uint8Array | undefined;
}

/**
 * Starts a program and collects what it says. `ended` never rejects, and stays open while anybody keeps the program's outputs
 * open. Throws what `spawn` throws where it cannot even be tried; that it is missing or closed to us is an end.
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
      // Whoever else holds the other end, as a child of its own, is told as well.
      child.stdout?.destroy();
      child.stderr?.destroy();
    });
    return chunks;
  };
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const ended = new Promise<Ended>((resolve) => {
    // Without descriptors for its pipes a child is left half made, and never closes.
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
    child.stdin?.on('error', () => {}); // it ended before it had read everything
    child.stdin?.end(input);
  }
  return { child, ended };
};
