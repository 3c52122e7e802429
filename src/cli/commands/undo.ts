/** `doctor undo`: puts released locks back. */
import { exitCodeAfter } from '../../core/report/interruption.ts';
import { EXIT } from '../../core/types/report.ts';
import { openTown } from '../../diagnose.ts';
import { documentOf } from '../../document.ts';
import { systemCalls } from '../../io/disk/system-calls.ts';
import type { JournalDamage } from '../../repair/find-releases.ts';
import { type ReleasedElsewhere, releasedElsewhere } from '../../repair/history/released-elsewhere.ts';
import { type UndoOutcome, undoReleases } from '../../repair/undo.ts';
import { renderJson } from '../../reporters/json.ts';
import { quoteCommand } from '../../reporters/screen/shell-quote.ts';
import { createPen, type Mark } from '../../reporters/screen/style.ts';
import { nameOf } from '../../reporters/screen/words.ts';
import { usage } from '../arguments/usage.ts';
import { lookOptionsOf, townNamedBy } from '../options-of.ts';
import { commandLine } from '../terminal/command-line.ts';
import { presentationFor, type RunCommand } from '../terminal/terminal.ts';

const MARKS: Readonly<Record<UndoOutcome['status'], Mark>> = {
  restored: 'pass',
  already: 'pass',
  'newer-lock': 'warning',
  missing: 'error',
  busy: 'unknown',
  'no-guard': 'unknown',
  failed: 'error',
};

/** `doctor undo [ID]`: puts back what the last `--fix`, or the run or release of that id, released. */
export const run: RunCommand = async (given, terminal) => {
  if (given.options.list) {
    if (given.positionals.length > 0) throw usage('--list takes no id', 'doctor undo --list');
    return (await import('./log.ts')).run(given, terminal);
  }
  const { town } = openTown(townNamedBy(given, undefined), lookOptionsOf(given, terminal));
  const [id = null] = given.positionals;
  terminal.finishFirst();
  const {
    run: undone,
    outcomes,
    damage,
  } = await undoReleases(id, {
    townRoot: town.root,
    asked: { command: commandLine(), consent: 'command' },
    ...(terminal.interrupted === null ? {} : { signal: terminal.interrupted }),
  });
  const elsewhere = undone === null ? releasedElsewhere(systemCalls, town.root) : [];
  const named = elsewhere.filter((release) => release.id === id || release.id.startsWith(`${id}-`));
  if (undone === null && id !== null)
    throw usage(`no run "${id}" in the journal of ${town.root}`, hintFor(id, named, damage));
  const isDone = damage === null && outcomes.every(isBack) && elsewhere.length === 0;
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
    const document = documentOf('undo', exitCode, { run: undone, results, damage, elsewhere });
    return { exitCode, stdout: renderJson(document), stderr: '' };
  }
  const presentation = await presentationFor(given, terminal, terminal.stdout);
  const pen = createPen(presentation);
  const shown = outcomes.filter((outcome) => presentation.verbosity !== 'quiet' || !isBack(outcome));
  const lines = shown.map((outcome) => {
    const sign = presentation.layout === 'screen' ? `${pen.sign(MARKS[outcome.status])} ` : '';
    return `${sign}${describeOutcome(outcome, nameOf(outcome.worker, town.root), pen.safe)}`;
  });
  const nothing =
    undone === null && damage === null && elsewhere.length === 0 && presentation.verbosity !== 'quiet'
      ? ['nothing to undo']
      : [];
  const others = elsewhere.map(
    ({ root, id: release, directory }) =>
      `${pen.safe(directory)} was released by a run in ${pen.safe(root)}: ${pen.command(['doctor', 'undo', release, '--town', root])}`,
  );
  const damaged = damage === null ? [] : [pen.safe(tellDamage(damage))];
  return {
    exitCode,
    stdout: [...nothing, ...damaged, ...lines, ...others].map((line) => `${line}\n`).join(''),
    stderr: '',
  };
};

/** Where that run is, if it is known. */
const hintFor = (id: string, [known]: readonly ReleasedElsewhere[], damage: JournalDamage | null): string => {
  if (known !== undefined) return quoteCommand(['doctor', 'undo', id, '--town', known.root]);
  return damage === null ? 'doctor undo --list' : tellDamage(damage);
};

const tellDamage = ({ journal, lines, firstLine, why }: JournalDamage): string =>
  `the journal ${journal} is damaged: ${lines === 1 ? '' : `${lines} lines, the first is `}line ${firstLine} (${why}); ${lines === 1 ? 'it was' : 'they were'} skipped`;

const isBack = ({ status }: UndoOutcome): boolean => status === 'restored' || status === 'already';

/** `restored gastown/crew/ada (pid 4242, %3)`: whose lock is back; else what stood in the way. */
const describeOutcome = (
  { status, reason, holder }: UndoOutcome,
  name: string,
  safe: (text: string) => string,
): string => {
  if (status === 'already') return `${safe(name)} was already restored`;
  if (status !== 'restored') return `${status} ${safe(name)}: ${safe(reason)}`;
  const whose =
    holder === null
      ? ''
      : ` (pid ${holder.pid}${holder.sessionId === '' ? '' : `, ${safe(holder.sessionId)}`})`;
  return `restored ${safe(name)}${whose}`;
};
