/** `doctor completion`: the scripts for shells, and the words that they ask for. */
import { STATES } from '../../core/types/judgement.ts';
import { EXIT } from '../../core/types/report.ts';
import { loadChecks, openTown } from '../../diagnose.ts';
import { readTownLayout } from '../../evidence/town/layout.ts';
import { escapeControls } from '../../reporters/screen/safe-text.ts';
import { COMPLETED_SHELLS, completionScript } from '../arguments/completion-scripts.ts';
import { diagnoseOptionsOf, townNamedBy } from '../options-of.ts';
import type { RunCommand } from '../terminal/terminal.ts';

/** `doctor completion SHELL`: the script; `completion workers|checks|topics`: the words that the scripts ask for. */
export const run: RunCommand = async (given, terminal) => {
  const [topic] = given.positionals;
  const shell = COMPLETED_SHELLS.find((name) => name === topic);
  if (shell !== undefined) return { exitCode: EXIT.ok, stdout: completionScript(shell), stderr: '' };
  const options = await diagnoseOptionsOf(given, terminal);
  const place = openTown(townNamedBy(given, undefined), options);
  const workers = topic === 'checks' ? [] : readTownLayout(place.town.root).workers;
  const checks = topic === 'workers' ? [] : (await loadChecks(place, options)).map(({ id }) => id);
  const words = [...checks, ...(topic === 'topics' ? STATES : []), ...workers];
  // A name with control characters cannot be completed safely; the person has to type it.
  const plain = words.filter((word) => escapeControls(word) === word);
  return { exitCode: EXIT.ok, stdout: plain.map((word) => `${word}\n`).join(''), stderr: '' };
};
