/**
 * One question to one machine: a command that runs there, bounded in time and in bytes, whose standard output is one JSON
 * document. Whatever else comes back, or nothing, is an answer too: why it could not be had.
 */
import type { Buffer } from 'node:buffer';
import { elapsedMs } from '../io/clock.ts';
import { type CommandResult, runCommand } from '../io/programs/command.ts';
import { type Machine, questionTo } from './machine.ts';

/** What a machine may take for its whole answer. A large town on a slow disk takes some seconds. */
export const DEADLINE_MS = 30_000;

/** What a connection may take; the rest of the time is for the answer. */
const CONNECT_SECONDS = 10;

/** The evidence of ten thousand locks takes some 15 MiB. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** Those ten thousand locks open some 200,000 objects and lists. Each costs far more memory than the byte that opens it. */
const MAX_OPENED = 2_000_000;

/** Characters that are printed, at most, of what a machine says in place of an answer. */
const SAID_LENGTH = 200;

export interface AskOptions {
  /** Milliseconds for the whole answer. */
  readonly deadlineMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For its standard input. */
  readonly input?: string | undefined;
}

/** A document, with the times of question and answer by our clock; or why there is no document, as a sentence fragment. */
export type AskedDocument =
  | {
      readonly status: 'ok';
      readonly document: unknown;
      readonly askedMs: number;
      readonly answeredMs: number;
      readonly roundTripMs: number;
    }
  | { readonly status: 'failed'; readonly why: string };

/** Asks one machine. Never throws for what comes back, and never waits longer than the deadline. */
export const ask = async (
  machine: Machine,
  command: readonly string[],
  { deadlineMs, env, input }: AskOptions,
): Promise<AskedDocument> => {
  const seconds = Math.max(1, Math.min(CONNECT_SECONDS, Math.floor(deadlineMs / 1000)));
  const [program = '', ...words] = questionTo(machine, command, seconds);
  const askedMs = Date.now();
  const startedAt = elapsedMs();
  const result = await runCommand(program, words, {
    timeoutMs: deadlineMs,
    env,
    maxBytes: MAX_ANSWER_BYTES,
    few: 'listening',
    ...(input === undefined ? {} : { input }),
  });
  const roundTripMs = Math.round(elapsedMs() - startedAt);
  const read = readDocument(result, program, machine.send ? 'node' : (machine.doctor[0] ?? 'doctor'));
  return 'why' in read
    ? { status: 'failed', why: read.why }
    : { status: 'ok', document: read.document, askedMs, answeredMs: Date.now(), roundTripMs };
};

type Read = { readonly document: unknown } | { readonly why: string };

const readDocument = (result: CommandResult, program: string, there: string): Read => {
  switch (result.status) {
    case 'timeout':
      return { why: `did not answer within ${result.timeoutMs / 1000} s` };
    case 'missing':
      return { why: `${program} is not installed here` };
    case 'refused':
      return { why: `${program} ${result.why}` };
    default:
      return result.stdout.length > 0
        ? parse(result.stdout)
        : { why: complaint(result.stderr, result.status === 'ok' ? 0 : result.code, there) };
  }
};

const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;

const opensTooMuch = (bytes: Buffer): boolean => {
  let opened = 0;
  for (const byte of bytes) if (byte === OPENING_BRACE || byte === OPENING_BRACKET) opened += 1;
  return opened > MAX_OPENED;
};

const parse = (bytes: Buffer): Read => {
  if (opensTooMuch(bytes))
    return { why: `its answer holds more than ${MAX_OPENED} objects and lists: no doctor says so much` };
  const text = bytes.toString('utf8');
  try {
    return { document: JSON.parse(text) as unknown };
  } catch {
    const trimmed = text.trim();
    const broken = trimmed.startsWith('{') && !trimmed.endsWith('}');
    return {
      why: broken
        ? `its answer broke off after ${bytes.length} bytes`
        : `its answer is not JSON, and begins with ${JSON.stringify(trimmed.slice(0, 40))}`,
    };
  }
};

/** What was said on standard error that tells most: a doctor's own sentence, else the last line. */
const complaint = (stderr: string, code: number | null, there: string): string => {
  const lines = stderr.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  const said = lines.find((line) => line.startsWith('doctor: '))?.slice('doctor: '.length) ?? lines.at(-1);
  // The shell's word for a command that it does not find.
  if (code === 127) return `there is no ${there} there (${(said ?? 'exit code 127').slice(0, SAID_LENGTH)})`;
  const end = code === null ? 'was ended by a signal' : `said nothing and ended with code ${code}`;
  return said === undefined ? end : said.slice(0, SAID_LENGTH);
};

/**
 * Milliseconds by which a machine's clock is ahead of ours (negative: behind): the smallest difference that explains its answer.
 * Zero where its time lies between question and answer: then nothing shows that it is wrong.
 *
 * @param theirsMs what its clock showed at some moment between `askedMs` and `answeredMs` of ours
 */
export const clockDifference = (theirsMs: number, askedMs: number, answeredMs: number): number => {
  if (theirsMs < askedMs) return theirsMs - askedMs;
  return theirsMs > answeredMs ? theirsMs - answeredMs : 0;
};
