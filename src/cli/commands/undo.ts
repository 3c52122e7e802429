/** `doctor undo`: puts released locks back. */
import { count } from '../../core/report/amounts.ts';
import { beganAt } from '../../core/report/choose-events.ts';
import { describeInterrupted, exitCodeAfter } from '../../core/report/interruption.ts';
import { HERE } from '../../core/town/views.ts';
import type { ReleasedElsewhere } from '../../core/types/history.ts';
import { EXIT, type ReportError } from '../../core/types/report.ts';
import { findTown } from '../../diagnose.ts';
import { documentOf } from '../../document.ts';
import { systemCalls } from '../../io/disk/system-calls.ts';
import { findReleases, type JournalDamage } from '../../repair/find-releases.ts';
import { readHistory } from '../../repair/history/history.ts';
import { releasedElsewhere } from '../../repair/history/released-elsewhere.ts';
import { restorableReleases } from '../../repair/history/restorable.ts';
import { contextOf } from '../../repair/repair-context.ts';
import { type UndoOutcome, type UndoReport, undoReleases } from '../../repair/undo.ts';
import { commandLines, releasedElsewhereLines, type There } from '../../reporters/history/elsewhere-text.ts';
import { renderJson } from '../../reporters/json.ts';
import { createCanvas } from '../../reporters/screen/canvas.ts';
import { quoteCommand } from '../../reporters/screen/shell-quote.ts';
import type { Mark } from '../../reporters/screen/style.ts';
import { nameOfReleased } from '../../reporters/screen/words.ts';
import type { ArgumentsOf } from '../arguments/arguments.ts';
import { usage } from '../arguments/usage.ts';
import { lookOptionsOf, townNamedBy } from '../options-of.ts';
import { commandLine } from '../terminal/command-line.ts';
import { notice } from '../terminal/notice.ts';
import { progressLine } from '../terminal/progress-line.ts';
import { type Outcome, presentationFor, type RunCommand, type Terminal } from '../terminal/terminal.ts';

/** What was restored, here or on another machine. */
interface Undone
  extends Pick<UndoReport, 'run' | 'outcomes'>,
    Partial<Pick<UndoReport, 'notBegun' | 'damage'>> {
  /** What is wrong with the journal, as a sentence; null where nothing is. */
  readonly problem: string | null;
  /** How many releases of earlier runs can still be restored where this one restored nothing. */
  readonly earlier?: number;
  /** What runs of other roots released here, where this root's own last run has nothing to restore or is older. */
  readonly elsewhere?: readonly ReleasedElsewhere[];
  /** This root's last run where it was left alone, because a run of another root released locks here later. */
  readonly older?: string;
  readonly root: string;
  /** Absent for this one. */
  readonly machine?: string;
  readonly there?: There;
}

const MARKS: Readonly<Record<UndoOutcome['status'], Mark>> = {
  restored: 'pass',
  already: 'pass',
  removed: 'info',
  'newer-lock': 'warning',
  missing: 'error',
  busy: 'unknown',
  'no-guard': 'unknown',
  failed: 'error',
};

/** `doctor undo [ID]`: restores what the last `--fix`, or the run or release of that id, released. */
export const run: RunCommand<'undo'> = async (given, terminal) => {
  if (given.options.list) {
    if (given.positionals.length > 0) throw usage('--list takes no id', 'doctor undo --list');
    return (await import('./log.ts')).run(given, terminal);
  }
  const place = findTown(townNamedBy(given, undefined), lookOptionsOf(given, terminal));
  const others = given.options.on.some((name) => name !== HERE);
  const undone = others
    ? await (await import('../elsewhere/fleet.ts')).undoOn(given, terminal, place)
    : await undoHere(given, terminal, place.town.root);
  if ('why' in undone) {
    const exitCode = exitCodeAfter(terminal.interrupted, EXIT.unsure);
    const error = { code: 'E_IO', message: `${undone.machine}: ${undone.why}`, hint: null } as const;
    const document = documentOf(
      'undo',
      exitCode,
      { run: null, results: [], damage: null, elsewhere: [] },
      error,
    );
    const stdout = given.options.json ? renderJson(document) : '';
    return { exitCode, stdout, stderr: notice(error.message, terminal.stderr) };
  }
  return show(undone, given, terminal);
};

const undoHere = async (given: ArgumentsOf<'undo'>, terminal: Terminal, root: string): Promise<Undone> => {
  const [id = null] = given.positionals;
  const options = { townRoot: root, asked: { command: commandLine(), consent: 'command' as const } };
  if (id === null) {
    const { run: own, damage: broken } = findReleases(null, contextOf(options));
    const later = own === null ? [] : releasedElsewhere(systemCalls, root).filter(isLaterThan(own));
    // That run is the last one: this root's own may be weeks old, and may have been right.
    if (own !== null && later.length > 0) {
      const why = broken === null ? null : tellDamage(broken);
      return { run: null, outcomes: [], damage: broken, problem: why, elsewhere: later, older: own, root };
    }
  }
  terminal.finishFirst();
  const progress =
    given.options.json || !terminal.stdout.isTTY ? null : progressLine(terminal, 'Restoring locks');
  const { run, outcomes, notBegun, damage } = await undoReleases(id, {
    ...options,
    ...(terminal.interrupted === null ? {} : { signal: terminal.interrupted }),
    ...(progress === null ? {} : { onPlan: progress.expect, onStep: progress.step }),
  }).finally(() => progress?.end());
  const problem = damage === null ? null : tellDamage(damage);
  const elsewhere = run === null ? releasedElsewhere(systemCalls, root) : [];
  const named = elsewhere.filter((release) => release.id === id || release.id.startsWith(`${id}-`));
  if (run === null && id !== null)
    throw usage(`no run "${id}" in the journal of ${root}`, hintFor(id, named, damage));
  const isVain = id === null && run !== null && outcomes.every(isSettledBefore);
  const earlier = isVain
    ? restorableReleases(readHistory(systemCalls, root).events, systemCalls, root).size
    : 0;
  return { run, outcomes, notBegun, damage, problem, earlier, elsewhere, root };
};

/** By the time in their ids. */
const isLaterThan =
  (run: string) =>
  ({ id }: ReleasedElsewhere): boolean =>
    beganAt(id) > beganAt(run);

const show = async (undone: Undone, given: ArgumentsOf<'undo'>, terminal: Terminal): Promise<Outcome> => {
  const { run, outcomes, notBegun = 0, damage = null, problem, earlier = 0, elsewhere = [] } = undone;
  const { older, root, machine, there } = undone;
  const isDone = problem === null && outcomes.every(isSettled) && elsewhere.length === 0;
  const exitCode = exitCodeAfter(terminal.interrupted, isDone ? EXIT.ok : EXIT.problems);
  const error = interruptionOf(terminal, outcomes, notBegun);
  if (given.options.json) {
    const results = outcomes.map(({ id: release, worker, lock, status, reason, holder }) => ({
      id: release,
      worker,
      lock,
      status,
      reason,
      holder,
      ...(machine === undefined ? {} : { machine }),
    }));
    const document = documentOf('undo', exitCode, { run, results, damage, elsewhere }, error);
    return { exitCode, stdout: renderJson(document), stderr: '' };
  }
  const presentation = await presentationFor(given, terminal, terminal.stdout);
  const canvas = createCanvas(presentation);
  const isScreen = presentation.layout === 'screen';
  const prefix = machine === undefined ? '' : `${machine}:`;
  const shown = outcomes.filter((outcome) => presentation.verbosity !== 'quiet' || !isSettled(outcome));
  const lines = shown.flatMap((outcome) => {
    const said = describeOutcome(outcome, `${prefix}${nameOfReleased(outcome, root)}`, canvas.safe);
    return isScreen ? canvas.signed(MARKS[outcome.status], 0, said) : [said];
  });
  const nothing =
    run === null && problem === null && elsewhere.length === 0 && presentation.verbosity !== 'quiet'
      ? ['nothing to undo']
      : [];
  const others = releasedElsewhereLines(elsewhere, presentation, there);
  const left =
    earlier === 0
      ? []
      : canvas.flow(
          0,
          `${count(earlier, 'earlier release')} can still be undone: ${canvas.command(['doctor', 'undo', '--list', '--town', root])}`,
        );
  const last =
    older === undefined
      ? []
      : commandLines(
          'Nothing was restored: that was later than the last run here, which you restore with:',
          ['doctor', 'undo', older, '--town', root],
          presentation,
        );
  const damaged = problem === null ? [] : canvas.flow(0, canvas.safe(problem));
  return {
    exitCode,
    stdout: [...nothing, ...damaged, ...lines, ...left, ...others, ...last]
      .map((line) => `${line}\n`)
      .join(''),
    stderr: error === null ? '' : notice(error.message, terminal.stderr),
  };
};

/** What an interrupted run has done; null where it was not interrupted. */
const interruptionOf = (
  { interrupted }: Terminal,
  outcomes: readonly UndoOutcome[],
  notBegun: number,
): ReportError | null => {
  if (interrupted?.aborted !== true) return null;
  const restored = outcomes.filter(({ status }) => status === 'restored').length;
  const done = `${count(restored, 'lock')} ${restored === 1 ? 'was' : 'were'} restored`;
  return { code: 'E_INTERRUPTED', message: describeInterrupted(done, notBegun), hint: null };
};

/** The command that restores that run from its own root, if it is known. */
const hintFor = (id: string, [known]: readonly ReleasedElsewhere[], damage: JournalDamage | null): string => {
  if (known !== undefined) return quoteCommand(['doctor', 'undo', id, '--town', known.root]);
  return damage === null ? 'doctor undo --list' : tellDamage(damage);
};

const tellDamage = ({ journal, lines, firstLine, why }: JournalDamage): string =>
  `the journal ${journal} is damaged: ${lines === 1 ? '' : `${lines} lines, the first is `}line ${firstLine} (${why}); ${lines === 1 ? 'it was' : 'they were'} skipped`;

/** Nothing is left to do: it is back, or its place and its backup are gone. */
const isSettled = (outcome: UndoOutcome): boolean =>
  outcome.status === 'restored' || isSettledBefore(outcome);

/** There was nothing to do. */
const isSettledBefore = ({ status }: UndoOutcome): boolean => status === 'already' || status === 'removed';

/** `restored gastown/crew/ada (pid 4242, %3)`, `restored ../login, .git/index.lock`: whose lock is back; else what stood in the way. */
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
