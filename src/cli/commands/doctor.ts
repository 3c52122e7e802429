/** `doctor`: the diagnosis, and with `--fix` the repair. */
import { jsonPieces } from '../../reporters/json.ts';
import { chosenPart } from '../arguments/chosen-part.ts';
import { usage } from '../arguments/usage.ts';
import { runReport } from '../diagnose.ts';
import { formatOf } from '../options-of.ts';
import { renderAs } from '../render-as.ts';
import { openEvents } from '../terminal/events.ts';
import { presentationFor, type RunCommand } from '../terminal/terminal.ts';

/** `doctor [town]`: who holds what, and what is wrong; with `--fix`, what can be released is. */
export const run: RunCommand = async (given, terminal) => {
  const { options } = given;
  if (options.fix) return (await import('./fix.ts')).run(given, terminal);
  const stray = options.force
    ? 'force'
    : options.yes
      ? 'yes'
      : options.dryRun
        ? 'dry-run'
        : options.lock.length > 0
          ? 'lock'
          : options.stamp.length > 0
            ? 'stamp'
            : null;
  if (stray !== null) throw usage(`--${stray} requires --fix`, 'doctor --fix --help');
  const choose = chosenPart(given, terminal.cwd);
  const format = formatOf(given);
  if (options.saveSnapshot === '-')
    return (await import('../print-snapshot.ts')).printSnapshot(given, terminal);
  const presentation = await presentationFor(given, terminal, terminal.stdout);
  const live =
    format === 'text' && terminal.stdout.isTTY
      ? await presentationFor(given, terminal, terminal.stderr)
      : null;
  if (format === 'ndjson') {
    const stream = openEvents(given.command, terminal);
    const report = await runReport(given, terminal, { events: stream.events });
    return { exitCode: report.exitCode, stdout: stream.rest(choose(report)), stderr: '' };
  }
  const report = choose(await runReport(given, terminal, { live }));
  const stdout = format === 'json' ? jsonPieces(report) : await renderAs(report, format, presentation, given);
  return { exitCode: report.exitCode, stdout, stderr: '' };
};
