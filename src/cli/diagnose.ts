/** A diagnosis as the commands ask for it: options from the command line, a view of its progress, evidence saved. */
import { Failure } from '../core/failure.ts';
import {
  type DiagnoseOptions,
  type Diagnosis,
  type DiagnosisLook,
  diagnose,
  type Preparation,
  prepare,
} from '../diagnose.ts';
import type { Presentation } from '../reporters/screen/style.ts';
import type { Arguments } from './arguments/arguments.ts';
import { meantCommand } from './arguments/meant-command.ts';
import { diagnoseOptionsOf, townNamedBy } from './options-of.ts';
import { saveSnapshot } from './save-snapshot.ts';
import { withLiveView } from './terminal/live-view.ts';
import type { Terminal } from './terminal/terminal.ts';

/**
 * Runs one diagnosis. With `live` its progress is drawn on standard error. Writes nothing but `--save-snapshot`.
 * Throws `Failure` for whatever the arguments or the configuration get wrong.
 */
export const runDiagnosis = async (
  given: Arguments,
  terminal: Terminal,
  {
    live = null,
    events,
    at,
  }: { readonly live?: Presentation | null } & Pick<DiagnosisLook, 'events' | 'at'> = {},
): Promise<Diagnosis & Preparation> => {
  const options = { ...(await diagnoseOptionsOf(given, terminal)), events };
  const preparation = await prepareRun(given, given.positionals[0], options);
  const diagnosis = await withLiveView(terminal, live, options, (shown) =>
    diagnose(preparation, { ...shown, at }),
  );
  const file = given.options.saveSnapshot;
  if (file !== null) saveSnapshot(diagnosis.examination.snapshot, file, terminal.cwd);
  return { ...preparation, ...diagnosis };
};

/** Prepares a diagnosis of the town that is named. `doctor lokcs` is a town that does not exist, and more likely a command mistyped. */
export const prepareRun = async (
  given: Arguments,
  positional: string | undefined,
  options: DiagnoseOptions,
): Promise<Preparation> => {
  try {
    return await prepare(townNamedBy(given, positional), options);
  } catch (error) {
    const meant = positional === undefined ? null : meantCommand(positional);
    if (!(error instanceof Failure) || error.code !== 'E_USAGE' || meant === null) throw error;
    const message = `there is no command "${positional}", and ${error.message}`;
    throw new Failure('E_USAGE', message, `Did you mean: ${meant}?`, { cause: error });
  }
};
