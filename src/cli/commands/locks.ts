import type { Report } from '../../core/report-types.ts';
import { renderJson } from '../../reporters/json.ts';
import { renderLocksTree } from '../../reporters/locks-tree.ts';
import { optionValues } from '../arguments.ts';
import { diagnose } from '../diagnose.ts';
import { presentationFor, type RunCommand } from '../terminal.ts';

/** `doctor locks [town]`: the locks as a tree. The exit code is that of `doctor`, whatever `--state` shows of it. */
export const run: RunCommand = async (given, terminal) => {
  const { report } = await diagnose(given, terminal, given.positionals[0] ?? null, null);
  const shown = filterStates(report, optionValues(given, 'state'));
  const stdout = given.flags.has('json')
    ? renderJson(shown)
    : renderLocksTree(shown, presentationFor(given, terminal, terminal.stdout));
  return { exitCode: report.exitCode, stdout, stderr: '' };
};

/** The report with the locks of these states only; with all where none is named. */
export const filterStates = (report: Report, states: readonly string[]): Report =>
  states.length === 0
    ? report
    : { ...report, locks: report.locks.filter(({ state }) => states.includes(state)) };
