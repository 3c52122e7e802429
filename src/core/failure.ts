import type { ErrorCode } from './report-types.ts';

/** An expected failure: told in one sentence with a hint, never with a stack. The code decides the exit code. */
export class Failure extends Error {
  readonly code: ErrorCode;
  /** A command that works when pasted, or a sentence; null where there is nothing to add. */
  readonly hint: string | null;

  constructor(code: ErrorCode, message: string, hint: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Failure';
    this.code = code;
    this.hint = hint;
  }
}
