/** How a program ended, in one form whether execa or Node ran it. */
import { Buffer } from 'node:buffer';

/** The part of execa's result that is used here. */
export interface Ended {
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
  /** It exists and could not be run, or printed too much. */
  | { readonly status: 'refused'; readonly why: string };

/** More than any answer we ask for; a program that says more is broken. */
export const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** The outcome for callers. */
export const resultOf = (
  ended: Ended,
  { timeoutMs, maxBytes = MAX_OUTPUT_BYTES }: { readonly timeoutMs: number; readonly maxBytes?: number },
): CommandResult => {
  if (ended.timedOut) return { status: 'timeout', timeoutMs };
  if (ended.isMaxBuffer) return { status: 'refused', why: `said more than ${maxBytes} bytes` };
  const stdout = Buffer.from(ended.stdout ?? []);
  const stderr = Buffer.from(ended.stderr ?? []).toString('utf8');
  if (!ended.failed) return { status: 'ok', stdout, stderr };
  if (ended.exitCode !== undefined || ended.signal !== undefined)
    return { status: 'failed', code: ended.exitCode ?? null, stdout, stderr };
  if (ended.code === 'ENOENT') return { status: 'missing' };
  return refused(ended.code ?? ended.shortMessage ?? 'unknown error');
};

/** It could not be run, by the system's word for it. */
export const refused = (why: string): CommandResult => ({
  status: 'refused',
  why: `could not be run (${why})`,
});
