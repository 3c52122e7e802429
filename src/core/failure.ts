/** Expected failures, and what any other one says. */
export const ERROR_CODES = ['E_USAGE', 'E_CONFIG', 'E_CONSENT', 'E_IO', 'E_BUG', 'E_INTERRUPTED'] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** What was thrown, in its own words. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** An expected failure: told in one sentence with a hint, never with a stack. The code decides the exit code. */
export class Failure extends Error {
  readonly code: ErrorCode;
  /** A command that works when pasted, or a sentence; null where there is nothing to add. */
  readonly hint: string | null;

  /** The program is bundled in parts, each with this class in it: what counts is what an error says, not who made it. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'Failure' && 'code' in value && 'hint' in value;
  }

  constructor(code: ErrorCode, message: string, hint: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Failure';
    this.code = code;
    this.hint = hint;
  }
}
