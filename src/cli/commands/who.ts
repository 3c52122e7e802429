/** `doctor who`: who works here, and by what evidence. */
import { resolve } from 'node:path';
import { who } from '../../places/who.ts';
import { renderJson } from '../../reporters/json.ts';
import { renderWho } from '../../reporters/who.ts';
import { lookOptionsOf, townNamedBy } from '../options-of.ts';
import { presentationFor, type RunCommand } from '../terminal/terminal.ts';

/** `doctor who [DIR...]`: Exit code 0 if everything could be checked, whoever is there; 22 if something could not. */
export const run: RunCommand<'who'> = async (given, terminal) => {
  const report = await who(townNamedBy(given, undefined), given.positionals, lookOptionsOf(given, terminal));
  // A worktree in the town is a root of its own here, and keeps the name that was typed; `.` would say less than its real name.
  const names = given.positionals
    .map((name) => name.replace(/\/+$/, ''))
    .filter((name) => /[^.]|\.\./.test(name));
  const typed = new Map(names.map((name) => [resolve(terminal.cwd, name), name] as const));
  const stdout = given.options.json
    ? renderJson(report)
    : renderWho(report, await presentationFor(given, terminal, terminal.stdout), typed);
  return { exitCode: report.exitCode, stdout, stderr: '' };
};
