import { preflight } from '../../preflight.ts';
import { renderJson } from '../../reporters/json.ts';
import { renderPreflight } from '../../reporters/preflight.ts';
import { numberOf, optionValue, optionValues } from '../arguments/arguments.ts';
import { presentationFor, type RunCommand } from '../terminal/terminal.ts';

/** `doctor preflight WORKER...`: one line and one answer per worker. Loads neither yargs nor listr2, and never asks. */
export const run: RunCommand = async (given, terminal) => {
  const sockets = optionValues(given, 'socket');
  const options = {
    ...(sockets.length > 0 ? { sockets } : {}),
    timeoutMs: numberOf(given, 'timeout') ?? undefined,
    env: terminal.env,
    cwd: terminal.cwd,
  };
  let report = await preflight(optionValue(given, 'town') ?? undefined, given.positionals, options);
  if (given.flags.has('fix') && report.results.some(({ answer }) => answer === 'repair')) {
    terminal.finishFirst();
    const { releaseAndAskAgain } = await import('../release-and-ask-again.ts');
    report = await releaseAndAskAgain(report, given.positionals, options, terminal.interrupted);
    if (terminal.interrupted?.aborted === true)
      report = { ...report, exitCode: terminal.interrupted.reason as number };
  }
  const stdout = given.flags.has('json')
    ? renderJson(report)
    : renderPreflight(report, await presentationFor(given, terminal, terminal.stdout));
  return { exitCode: report.exitCode, stdout, stderr: '' };
};
