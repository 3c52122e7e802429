/** `doctor locks`: the locks of a town as a tree. */
import { renderJson } from '../../reporters/json.ts';
import { renderLocksTree } from '../../reporters/screen/locks-tree.ts';
import { chosenPart } from '../arguments/chosen-part.ts';
import { usage } from '../arguments/usage.ts';
import { runReport } from '../diagnose.ts';
import { shownIn } from '../shown-in.ts';
import { presentationFor, type RunCommand } from '../terminal/terminal.ts';

/** `doctor locks [town]`: the locks as a tree. The exit code is that of `doctor`, whatever is shown of it. */
export const run: RunCommand<'locks'> = async (given, terminal) => {
  if (given.options.watch) {
    if (given.options.fromSnapshot !== undefined)
      throw usage('--watch and --from-snapshot cannot be combined');
    return (await import('../watch/watch.ts')).run(given, terminal);
  }
  const report = await runReport(given, terminal);
  const shown = chosenPart(given, terminal.cwd)(report);
  const stdout = given.options.json
    ? renderJson(shown)
    : renderLocksTree(shownIn('text', shown), await presentationFor(given, terminal, terminal.stdout));
  return { exitCode: report.exitCode, stdout, stderr: '' };
};
