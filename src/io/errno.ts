/** Reads the errors of failed system calls. */

/** The code of a failed system call (`EACCES`), or null where the value is not such an error. */
export const errnoOf = (error: unknown): string | null =>
  // Not `instanceof Error`: an error of another realm (a worker's, a test's) is one too.
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : null;

/** A look that was not taken: the server of what is mounted at `at` does not answer. Its code is what a mount with a time limit gives. */
export class SilentServer extends Error {
  readonly code = 'ETIMEDOUT';
  constructor(at: string) {
    super(`the server of ${at} does not answer`);
  }
}

/** A failed system call as a sentence fragment: `permission denied (EACCES)`. Anything else that was thrown: its text. */
export const describeErrno = (error: unknown): string => {
  if (error instanceof SilentServer) return error.message;
  const code = errnoOf(error);
  if (code === null) return String(error);
  for (const [name, message] of process.getBuiltinModule('node:util').getSystemErrorMap().values()) {
    if (name === code) return `${message} (${code})`;
  }
  return code;
};

/** True where the file is not there, or no longer: `ENOTDIR` means that a directory above it was replaced. */
export const isAbsence = (error: unknown): boolean => {
  const code = errnoOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
};
