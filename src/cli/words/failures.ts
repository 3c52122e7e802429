/** How a failed run ends: its message, its document, its exit code. */
import { type ErrorCode, Failure, messageOf } from '../../core/failure.ts';
import { EXIT, type Report, type ReportError, SCHEMA_VERSION } from '../../core/types/report.ts';
import { documentOf, TOOL } from '../../document.ts';
import { renderJson, renderJsonLine } from '../../reporters/json.ts';
import { type CommandName, commandNamed } from '../arguments/options.ts';
import { hintLines, notice } from '../terminal/notice.ts';
import type { Output } from '../terminal/output.ts';
import type { SignalStatus } from '../terminal/signals.ts';
import type { Outcome } from '../terminal/terminal.ts';

const CODES: Readonly<Record<Exclude<ErrorCode, 'E_INTERRUPTED'>, number>> = {
  E_USAGE: EXIT.usage,
  E_CONFIG: EXIT.usage,
  E_CONSENT: EXIT.usage,
  // A file named on the command line that cannot be read or written: nothing was changed.
  E_IO: EXIT.usage,
  E_BUG: EXIT.bug,
};

/** What is known about a run that failed. */
export interface FailedRun {
  readonly command: CommandName;
  readonly format: 'text' | 'json' | 'ndjson';
  readonly startedAtMs: number;
  /** The command changes files. */
  readonly changes: boolean;
  /** Where a failure is reported. */
  readonly stderr: Pick<Output, 'columns'>;
  /** `DEBUG=lock-doctor`: show where an unforeseen error came from. */
  readonly debug: boolean;
}

/** Any error as the end of a run: one sentence, a hint, an exit code, and in JSON the same keys as a report. */
export const endOfFailure = (error: unknown, run: FailedRun): Outcome => {
  if (isHangUp(error)) return { exitCode: EXIT.hungUp, stdout: '', stderr: '' };
  const limit = descriptorLimit(error);
  // Nobody's mistake, and no answer: what could not be opened was not looked at.
  if (limit !== null) return closeRun(limit, EXIT.unsure, run, stackOf(error, run.debug));
  const told = tell(error);
  const exitCode = told.code === 'E_INTERRUPTED' ? EXIT.interrupted : CODES[told.code];
  return closeRun(told, exitCode, run, stackOf(error, run.debug));
};

/** The end of a run that a signal ended. */
export const describeInterruption = (exitCode: SignalStatus, run: FailedRun): Outcome =>
  closeRun(
    {
      code: 'E_INTERRUPTED',
      // A run is left at once only before its first change.
      message: run.changes ? 'interrupted; nothing was changed' : 'interrupted',
      hint: null,
    },
    exitCode,
    run,
    '',
  );

const closeRun = (error: ReportError, exitCode: number, run: FailedRun, stack: string): Outcome => {
  const hint = error.hint === null ? '' : hintLines(error.hint, run.stderr);
  const stderr = `${notice(error.message, run.stderr)}${hint}${stack}`;
  if (run.format === 'text') return { exitCode, stdout: '', stderr };
  const document = failedDocument(error, exitCode, run);
  const stdout =
    run.format === 'json' ? renderJson(document) : renderJsonLine({ event: 'summary', ...document });
  return { exitCode, stdout, stderr: stack };
};

/** A terminal hung up while Node opened it. Its signal comes, or came before anybody listened; and nobody reads what we say. */
const isHangUp = (error: unknown): boolean => {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_TTY_INIT_FAILED')) return false;
  const { code } = ('info' in error ? error.info : {}) as { readonly code?: unknown };
  return code === 'EINVAL' || code === 'EIO' || code === 'ENXIO';
};

/** The process, or the machine, may open no more files; null for every other error. */
const descriptorLimit = (error: unknown): ReportError | null => {
  const code = error instanceof Error && !(error instanceof Failure) && 'code' in error ? error.code : null;
  return code === 'EMFILE' || code === 'ENFILE'
    ? { code: 'E_IO', message: `too few file descriptors (${code})`, hint: 'Raise the limit: ulimit -n 256' }
    : null;
};

const tell = (error: unknown): ReportError => {
  if (error instanceof Failure) return { code: error.code, message: error.message, hint: error.hint };
  const message = messageOf(error);
  return {
    code: 'E_BUG',
    message: `internal error (please report): ${message.split('\n', 1)[0] ?? ''}`,
    hint: 'Run again with DEBUG=lock-doctor for details.',
  };
};

const stackOf = (error: unknown, debug: boolean): string =>
  debug && error instanceof Error ? `${error.stack ?? error.message}\n` : '';

/** The same keys as the command's own document, empty. */
const failedDocument = (error: ReportError, exitCode: number, run: FailedRun): object => {
  const { document } = commandNamed(run.command);
  return document === 'report'
    ? failedReport(error, exitCode, run)
    : documentOf(run.command, exitCode, document, error);
};

const failedReport = (error: ReportError, exitCode: number, run: FailedRun): Report => ({
  schemaVersion: SCHEMA_VERSION,
  tool: TOOL,
  command: run.command,
  ok: false,
  complete: false,
  exitCode,
  startedAt: new Date(run.startedAtMs).toISOString(),
  durationMs: Math.max(0, Date.now() - run.startedAtMs),
  town: null,
  tmux: null,
  summary: null,
  workers: null,
  locks: [],
  agents: [],
  collisions: [],
  checks: [],
  findings: [],
  undo: null,
  gaps: [],
  error,
});
