import { preflight } from '../../doctor.ts';
import { renderJson } from '../../reporters/json.ts';
import { renderPreflight } from '../../reporters/preflight.ts';
import { numberOf, optionValue, optionValues } from '../arguments.ts';
import { presentationFor, type RunCommand } from '../terminal.ts';

/** `doctor preflight WORKER...`: one line and one answer per worker. Loads neither yargs nor listr2. */
export const run: RunCommand = async (given, terminal) => {
  const sockets = optionValues(given, 'socket');
  const report = await preflight(optionValue(given, 'town') ?? undefined, given.positionals, {
    ...(sockets.length > 0 ? { sockets } : {}),
    timeoutMs: numberOf(given, 'timeout') ?? undefined,
    env: terminal.env,
    cwd: terminal.cwd,
  });
  const stdout = given.flags.has('json')
    ? renderJson(report)
    : renderPreflight(report, presentationFor(given, terminal, terminal.stdout));
  return { exitCode: report.exitCode, stdout, stderr: '' };
};
