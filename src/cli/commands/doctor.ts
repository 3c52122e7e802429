/** `doctor`: the diagnosis, and with `--fix` the repair. */
import { filterReport, type ReportFilter } from '../../core/report/filter-report.ts';
import type { Report } from '../../core/types/report.ts';
import { jsonPieces } from '../../reporters/json.ts';
import { chosenFilter } from '../arguments/chosen-part.ts';
import { usage } from '../arguments/usage.ts';
import { runReport } from '../diagnose.ts';
import { formatOf } from '../options-of.ts';
import { renderAs } from '../render-as.ts';
import { openEvents } from '../terminal/events.ts';
import { presentationFor, type RunCommand } from '../terminal/terminal.ts';

/** `doctor [town]`: who holds what, and what is wrong; with `--fix`, what can be released is. */
export const run: RunCommand<'doctor'> = async (given, terminal) => {
  const { options } = given;
  if (options.fix) return (await import('./fix.ts')).run(given, terminal);
  const { force, yes, dryRun, lock, stamp } = options;
  const onlyWithFix = { force, yes, 'dry-run': dryRun, lock: lock.length > 0, stamp: stamp.length > 0 };
  const stray = Object.entries(onlyWithFix).find(([, isGiven]) => isGiven);
  if (stray !== undefined) throw usage(`--${stray[0]} requires --fix`, 'doctor --fix --help');
  const filterFor = chosenFilter(given, terminal.cwd);
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
    return { exitCode: report.exitCode, stdout: stream.rest(cut(report, filterFor(report))), stderr: '' };
  }
  const whole = await runReport(given, terminal, { live });
  const part = filterFor(whole);
  const report = cut(whole, part);
  const stdout =
    format === 'json' ? jsonPieces(report) : await renderAs(report, format, presentation, given, part);
  return { exitCode: report.exitCode, stdout, stderr: '' };
};

const cut = (report: Report, part: ReportFilter | null): Report =>
  part === null ? report : filterReport(report, part);
