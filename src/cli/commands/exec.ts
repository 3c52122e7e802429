/** `doctor exec`: runs a command under a worker's lock. */
import { isatty } from 'node:tty';
import type { LeaseConfig } from '../../config.ts';
import type { PreflightReport, PreflightResult } from '../../core/types/report.ts';
import { documentOf } from '../../document.ts';
import { type Besides, type ExecOutcome, runUnderLock } from '../../exec/run-under-lock.ts';
import { renderJson } from '../../reporters/json.ts';
import { renderPreflight } from '../../reporters/preflight.ts';
import { quoteCommand } from '../../reporters/screen/shell-quote.ts';
import { nameOf } from '../../reporters/screen/words.ts';
import type { ArgumentsOf } from '../arguments/arguments.ts';
import { usage } from '../arguments/usage.ts';
import { commandLine } from '../terminal/command-line.ts';
import { leaveLostTerminals } from '../terminal/lost-terminal.ts';
import { notice } from '../terminal/notice.ts';
import { type Outcome, presentationFor, type RunCommand, type Terminal } from '../terminal/terminal.ts';

/** `doctor exec WORKER -- CMD...`: the command holds the worker's lock while it runs. Loads neither yargs nor listr2. */
export const run: RunCommand<'exec'> = async (given, terminal) => {
  const [worker = ''] = given.positionals;
  const command = given.rest ?? [];
  if (command.length === 0) throw usage('exec needs a command after --', `doctor exec ${worker} -- CMD`);
  const sockets = given.options.socket;
  const address = given.options.lease ?? terminal.env.LOCK_DOCTOR_LEASE ?? '';
  let config: LeaseConfig | null = null;
  const prepareLease = async (at: string): Promise<Besides> =>
    (await import('../elsewhere/lease.ts')).leaseAt(at, config, given, terminal);
  // A wrong address on the command line is refused before the town is looked at.
  let besides = address === '' ? undefined : await prepareLease(address);
  const outcome = await runUnderLock({
    town: given.options.town,
    worker,
    command,
    session: given.options.session,
    waitMs: (given.options.wait ?? 0) * 1000,
    stay: given.options.noCd,
    onTakenOver: async (taken) => {
      const { noteTakeOver } = await import('../../repair/note-take-over.ts');
      const problem = noteTakeOver(taken, { command: commandLine(), consent: 'command' });
      if (problem !== null) terminal.stderr.write(notice(problem, terminal.stderr));
    },
    onHeld: (held, root, noted) => {
      const name = nameOf(held, root);
      const said = noted === null ? '' : notice(`${name}: ${noted.message}${nextOf(noted)}`, terminal.stderr);
      // A person sees why another start is refused; in a pipe the command has standard error for itself.
      const holding = isatty(2) ? notice(`holding ${name}; another start is refused`, terminal.stderr) : '';
      if (said !== '' || holding !== '') void terminal.stderr.end(said + holding);
    },
    onConfig: (read) => {
      config = read.lease;
    },
    besides: async () => {
      if (besides === undefined && config !== null) besides = await prepareLease(config.address);
      if (besides === undefined && (given.options.ttl !== undefined || given.options.onLost !== undefined))
        throw usage('--ttl and --on-lost require --lease');
      return besides;
    },
    record: given.options.record,
    formerHosts: given.options.formerHost,
    timeoutMs: given.options.timeout,
    ...(sockets.length > 0 ? { sockets } : {}),
    env: terminal.env,
    cwd: terminal.cwd,
  });
  leaveLostTerminals();
  return outcomeFor(outcome, given, terminal);
};

const nextOf = ({ next: [first] }: PreflightResult): string =>
  first === undefined ? '' : ` (next: ${quoteCommand(first)})`;

/** The command owns standard output once it runs; only a refusal in JSON, which means that it never ran, goes there. */
const outcomeFor = async (
  outcome: ExecOutcome,
  given: ArgumentsOf<'exec'>,
  terminal: Terminal,
): Promise<Outcome> => {
  const { exitCode } = outcome;
  if (outcome.kind === 'ended')
    return {
      exitCode,
      stdout: '',
      stderr: outcome.notice === null ? '' : notice(outcome.notice, terminal.stderr),
    };
  const json = given.options.json;
  const report: PreflightReport = documentOf(
    'exec',
    exitCode,
    {
      town: outcome.kind === 'refused' ? { root: outcome.town.root, source: outcome.town.source } : null,
      results: outcome.kind === 'refused' ? [outcome.result] : [],
      gaps: [],
    },
    outcome.kind === 'not-started' ? { code: 'E_USAGE', message: outcome.why, hint: null } : null,
  );
  if (json) return { exitCode, stdout: renderJson(report), stderr: '' };
  if (outcome.kind === 'not-started')
    return { exitCode, stdout: '', stderr: notice(outcome.why, terminal.stderr) };
  return {
    exitCode,
    stdout: '',
    stderr: renderPreflight(
      report,
      await presentationFor(given, terminal, terminal.stderr),
      given.positionals,
    ),
  };
};
