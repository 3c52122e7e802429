/** `doctor preflight`: may an agent start at these workers? */
import type { Config } from '../../config.ts';
import { isForFix } from '../../core/preflight/clear-to-start.ts';
import type { PreflightReport } from '../../core/types/report.ts';
import { preflight } from '../../preflight.ts';
import { renderJson } from '../../reporters/json.ts';
import { renderPreflight } from '../../reporters/preflight.ts';
import type { ArgumentsOf } from '../arguments/arguments.ts';
import { usage } from '../arguments/usage.ts';
import { lookOptionsOf, townNamedBy } from '../options-of.ts';
import { commandLine } from '../terminal/command-line.ts';
import { type Outcome, presentationFor, type RunCommand, type Terminal } from '../terminal/terminal.ts';

/** `doctor preflight WORKER...`: one line and one answer per worker. Loads neither yargs nor listr2, and never asks. */
export const run: RunCommand<'preflight'> = async (given, terminal) => {
  if (given.options.for === 'removal') {
    if (given.options.fix || given.options.new)
      throw usage(`--for removal and --${given.options.fix ? 'fix' : 'new'} cannot be combined`);
    const { preflightRemoval } = await import('../../places/removal.ts');
    const removal = await preflightRemoval(
      townNamedBy(given, undefined),
      given.positionals,
      lookOptionsOf(given, terminal),
    );
    return answer(removal, given, terminal);
  }
  let lease = given.options.lease ?? terminal.env.LOCK_DOCTOR_LEASE ?? '';
  const options = {
    ...lookOptionsOf(given, terminal),
    new: given.options.new,
    prompt: given.options.for === 'prompt',
    onConfig: (config: Config) => {
      if (lease === '') lease = config.lease?.address ?? '';
    },
  };
  let report = await preflight(townNamedBy(given, undefined), given.positionals, options);
  if (given.options.fix && report.results.some(isForFix)) {
    terminal.finishFirst();
    const { releaseAndAskAgain } = await import('../../preflight-fix.ts');
    const asked = { command: commandLine(), consent: 'command' } as const;
    report = await releaseAndAskAgain(report, given.positionals, { ...options, asked }, terminal.interrupted);
  }
  if (lease !== '')
    report = await (await import('../elsewhere/lease.ts')).askLeases(lease, report, given, terminal);
  return answer(report, given, terminal);
};

const answer = async (
  report: PreflightReport,
  given: ArgumentsOf<'preflight'>,
  terminal: Terminal,
): Promise<Outcome> => {
  const stdout = given.options.json
    ? renderJson(report)
    : renderPreflight(report, await presentationFor(given, terminal, terminal.stdout), given.positionals);
  return { exitCode: report.exitCode, stdout, stderr: '' };
};
