/** `doctor who`: who works here, and by what evidence. */
import { who } from '../../places/who.ts';
import { renderJson } from '../../reporters/json.ts';
import { renderWho } from '../../reporters/who.ts';
import { lookOptionsOf, townNamedBy } from '../options-of.ts';
import { presentationFor, type RunCommand } from '../terminal/terminal.ts';

/** `doctor who [DIR...]`: 0 where it was looked for with success, whoever is there; 22 where something could not be looked at. */
export const run: RunCommand = async (given, terminal) => {
  const report = await who(townNamedBy(given, undefined), given.positionals, lookOptionsOf(given, terminal));
  const stdout = given.options.json
    ? renderJson(report)
    : renderWho(report, await presentationFor(given, terminal, terminal.stdout));
  return { exitCode: report.exitCode, stdout, stderr: '' };
};
