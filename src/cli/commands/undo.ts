/** `doctor undo`: puts released locks back. */
import { exitCodeAfter } from '../../core/report/interruption.ts';
import { optionWith } from '../../core/report/name-worker.ts';
import { EXIT } from '../../core/types/report.ts';
import { openTown } from '../../diagnose.ts';
import { documentOf } from '../../document.ts';
import type { JournalDamage } from '../../repair/find-releases.ts';
import { type UndoOutcome, undoReleases } from '../../repair/undo.ts';
import { renderJson } from '../../reporters/json.ts';
import { createPen, type Mark } from '../../reporters/screen/style.ts';
import { usage } from '../arguments/arguments.ts';
import { lookOptionsOf, townNamedBy } from '../options-of.ts';
import { presentationFor, type RunCommand } from '../terminal/terminal.ts';

/** `doctor undo [ID]`: puts back what the last `--fix`, or the run or release of that id, released. */
export const run: RunCommand = async (given, terminal) => {
  const { town } = openTown(townNamedBy(given, undefined), lookOptionsOf(given, terminal));
  const [id = null] = given.positionals;
  terminal.finishFirst();
  const {
    run: undone,
    outcomes,
    damage,
  } = await undoReleases(id, {
    townRoot: town.root,
    ...(terminal.interrupted === null ? {} : { signal: terminal.interrupted }),
  });
  if (undone === null && id !== null)
    throw usage(
      `no run or release "${id}" stands in the journal of ${town.root}`,
      damage === null ? 'doctor undo' : tellDamage(damage),
    );
  const isDone = damage === null && outcomes.every(isBack);
  const exitCode = exitCodeAfter(terminal.interrupted, isDone ? EXIT.ok : EXIT.problems);
  if (given.options.json) {
    const results = outcomes.map(({ id: release, worker, lock, status, reason, holder }) => ({
      id: release,
      worker,
      lock,
      status,
      reason,
      holder,
    }));
    const document = documentOf('undo', exitCode, { run: undone, results, damage });
    return { exitCode, stdout: renderJson(document), stderr: '' };
  }
  const presentation = await presentationFor(given, terminal, terminal.stdout);
  const pen = createPen(presentation);
  const shown = outcomes.filter((outcome) => presentation.verbosity !== 'quiet' || !isBack(outcome));
  const lines = shown.map((outcome) => {
    const sign = presentation.layout === 'screen' ? `${pen.sign(MARKS[outcome.status])} ` : '';
    return `${sign}${outcome.status} ${pen.safe(outcome.worker)}: ${pen.safe(outcome.reason)}${ofWhom(outcome, pen.safe)}`;
  });
  const restored = shown.filter(({ status }) => status === 'restored').map(({ worker }) => worker);
  const again = releaseAgain(restored, town.root, presentation.layout, pen.command);
  const nothing =
    undone === null && damage === null && presentation.verbosity !== 'quiet'
      ? ['nothing was released here that could be put back']
      : [];
  const damaged = damage === null ? [] : [pen.safe(tellDamage(damage))];
  return {
    exitCode,
    stdout: [...nothing, ...damaged, ...lines, ...again].map((line) => `${line}\n`).join(''),
    stderr: '',
  };
};

const tellDamage = ({ journal, lines, firstLine, why }: JournalDamage): string =>
  `the journal ${journal} is damaged: ${lines === 1 ? '' : `${lines} lines, the first is `}line ${firstLine} (${why}); nothing was done about ${lines === 1 ? 'it' : 'them'}`;

/** The command that takes the undoing back. */
const releaseAgain = (
  workers: readonly string[],
  root: string,
  layout: 'screen' | 'lines',
  quote: (argv: readonly string[]) => string,
): readonly string[] => {
  if (workers.length === 0) return [];
  const [only] = workers;
  const which = workers.length === 1 && only !== undefined ? optionWith('worker', only) : [];
  const command = quote(['doctor', '--fix', ...which, '--town', root]);
  return layout === 'screen'
    ? [`To release ${workers.length === 1 ? 'it' : 'them'} again:`, `  ${command}`]
    : [`next ${command}`];
};

const isBack = ({ status }: UndoOutcome): boolean => status === 'restored' || status === 'already';

const ofWhom = ({ holder }: UndoOutcome, safe: (text: string) => string): string =>
  holder === null
    ? ''
    : `, held by pid ${holder.pid}${holder.sessionId === '' ? '' : ` in ${safe(holder.sessionId)}`}`;

const MARKS: Readonly<Record<UndoOutcome['status'], Mark>> = {
  restored: 'pass',
  already: 'pass',
  'newer-lock': 'warning',
  missing: 'error',
  busy: 'unknown',
  'no-guard': 'unknown',
  failed: 'error',
};
