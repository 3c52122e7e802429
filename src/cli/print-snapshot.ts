/** `--save-snapshot -`: the evidence of a run on standard output, for a doctor on another machine. Nothing is judged. */
import { EXIT } from '../core/types/report.ts';
import { lookAsPrepared } from '../diagnose.ts';
import { renderJsonLine } from '../reporters/json.ts';
import { VERSION } from '../version.ts';
import type { ArgumentsOf } from './arguments/arguments.ts';
import { usage } from './arguments/usage.ts';
import { prepareRun } from './diagnose.ts';
import { diagnoseOptionsOf } from './options-of.ts';
import type { Outcome, Terminal } from './terminal/terminal.ts';

/** Gathers, and prints the snapshot in place of a report. The exit code says that it could be gathered, and no more. */
export const printSnapshot = async (given: ArgumentsOf<'doctor'>, terminal: Terminal): Promise<Outcome> => {
  const { json, format, on, fromSnapshot } = given.options;
  if (json || format !== undefined)
    throw usage('--save-snapshot - prints evidence, and no report in any format');
  if (on.length > 0) throw usage('--save-snapshot and --on cannot be combined');
  if (fromSnapshot !== undefined) throw usage('--save-snapshot - and --from-snapshot cannot be combined');
  const options = await diagnoseOptionsOf(given, terminal);
  const snapshot = await lookAsPrepared(await prepareRun(given, given.positionals[0], options), options);
  return { exitCode: EXIT.ok, stdout: renderJsonLine({ ...snapshot, version: VERSION }), stderr: '' };
};
