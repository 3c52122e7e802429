/** `doctor completion`: the scripts for shells, and the words that they ask for. */
import { STATES } from '../../../core/types/judgement.ts';
import { EXIT } from '../../../core/types/report.ts';
import { findTown, loadChecks } from '../../../diagnose.ts';
import { workersNear } from '../../../evidence/town/new-worker.ts';
import { systemCalls } from '../../../io/disk/system-calls.ts';
import { readHistory } from '../../../repair/history/history.ts';
import { restorableReleases } from '../../../repair/history/restorable.ts';
import { escapeControls } from '../../../reporters/screen/safe-text.ts';
import type { ArgumentsOf } from '../../arguments/arguments.ts';
import { COMPLETED_SHELLS, completionScript } from '../../arguments/completion-scripts.ts';
import { diagnoseOptionsOf, lookOptionsOf, townNamedBy } from '../../options-of.ts';
import type { RunCommand, Terminal } from '../../terminal/terminal.ts';

/** `doctor completion SHELL`: the script; `completion workers|checks|topics`: the words that the scripts ask for. */
export const run: RunCommand<'completion'> = async (given, terminal) => {
  const [topic] = given.positionals;
  const shell = COMPLETED_SHELLS.find((name) => name === topic);
  if (shell !== undefined) return { exitCode: EXIT.ok, stdout: completionScript(shell), stderr: '' };
  if (topic === 'releases') return { exitCode: EXIT.ok, stdout: releasesOf(given, terminal), stderr: '' };
  const options = await diagnoseOptionsOf(given, terminal);
  const place = findTown(townNamedBy(given, undefined), options);
  const workers = topic === 'checks' ? [] : workersNear('', place.town.root);
  const checks = topic === 'workers' ? [] : (await loadChecks(place, options)).map(({ id }) => id);
  const words = [...checks, ...(topic === 'topics' ? STATES : []), ...workers];
  // A name with control characters cannot be completed safely; the person has to type it.
  const plain = words.filter((word) => escapeControls(word) === word);
  return { exitCode: EXIT.ok, stdout: plain.map((word) => `${word}\n`).join(''), stderr: '' };
};

/** What `undo` takes: the runs and releases that it can restore, the newest first. */
const releasesOf = (given: ArgumentsOf<'completion'>, terminal: Terminal): string => {
  const { town } = findTown(townNamedBy(given, undefined), lookOptionsOf(given, terminal));
  const { events } = readHistory(systemCalls, town.root);
  const releases = [...restorableReleases(events, systemCalls, town.root)].reverse();
  // A release's id is that of its run, and a number.
  const words = new Set(releases.flatMap(({ id }) => [id.replace(/-\d+$/, ''), id]));
  return [...words].map((word) => `${word}\n`).join('');
};
