/** A mistake in the command line, apart from the table of options: commands that load without it say it as well. */
import { Failure } from '../../core/failure.ts';

/** A mistake in the command line. */
export const usage = (message: string, hint: string | null = null): Failure =>
  new Failure('E_USAGE', message, hint);
