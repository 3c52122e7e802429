/** `doctor --fix`: refuses misuse, asks for consent, and prints what `heal` reports. */
import { Failure } from '../../core/failure.ts';
import type { NamedLock, Plan } from '../../core/plan.ts';
import { HERE } from '../../core/town/views.ts';
import { heal } from '../../heal.ts';
import type { ArgumentsOf } from '../arguments/arguments.ts';
import { chooses } from '../arguments/chosen-part.ts';
import { usage } from '../arguments/usage.ts';
import { tellingWhatWasMeant } from '../diagnose.ts';
import { diagnoseOptionsOf, formatOf, townNamedBy } from '../options-of.ts';
import { renderAs } from '../render-as.ts';
import { commandLine } from '../terminal/command-line.ts';
import { askConsent, describePlan } from '../terminal/consent.ts';
import { openEvents } from '../terminal/events.ts';
import { withLiveView } from '../terminal/live-view.ts';
import { notice } from '../terminal/notice.ts';
import { progressLine } from '../terminal/progress-line.ts';
import { canAsk, presentationFor, type RunCommand, type Terminal } from '../terminal/terminal.ts';
import { isPersonAt } from '../words/force-recipe.ts';

/** `doctor --fix`: diagnose, plan, ask, act, and diagnose again; the second look decides the exit code. */
export const run: RunCommand<'doctor'> = async (given, terminal) => {
  refuseMisuse(given, terminal);
  const { dryRun, force, yes } = given.options;
  const format = formatOf(given);
  const presentation = await presentationFor(given, terminal, terminal.stdout);
  const prompt = await presentationFor(given, terminal, terminal.stderr);
  const live = format === 'text' && terminal.stdout.isTTY ? prompt : null;
  const stream = format === 'ndjson' ? openEvents(given.command, terminal) : null;
  if (force) await (await import('../elsewhere/revoke-leases.ts')).revokeDeadLeases(given, terminal, prompt);
  const others = given.options.on.some((name) => name !== HERE);
  const act = others ? (await import('../elsewhere/fleet.ts')).healOn(given, terminal) : heal;
  let plan: Plan | null = null;
  let refused = false;
  const options = { ...(await diagnoseOptionsOf(given, terminal)), events: stream?.events };
  const progress = live === null ? null : progressLine(terminal, 'Releasing locks');
  const report = await withLiveView(terminal, live, options, (shown, endView) =>
    tellingWhatWasMeant(given, given.positionals[0], options, () =>
      act(townNamedBy(given, given.positionals[0]), {
        ...shown,
        exactly: namedLocks(given),
        dryRun,
        force,
        kinds: given.options.kind,
        signal: terminal.interrupted ?? undefined,
        asked: { command: commandLine(), consent: yes ? 'yes' : canAsk(terminal) ? 'asked' : 'command' },
        consent:
          yes || !canAsk(terminal)
            ? undefined
            : async (planned, root) => {
                await endView();
                const agreed = await askConsent(planned, terminal, prompt, root);
                refused = agreed === null;
                progress?.expect(agreed?.length ?? 0);
                return agreed?.map(({ verdict }) => verdict.lock.id) ?? null;
              },
        onPlan: (planned) => {
          plan = planned;
          progress?.expect(planned.steps.length);
        },
        onChange: async () => {
          terminal.finishFirst();
          await endView();
        },
        onStep: stream?.onFix ?? progress?.step,
      }),
    ).finally(() => progress?.end()),
  );
  const { exitCode } = report;
  // A person who said no has just read the list.
  if (refused && format === 'text') return { exitCode, stdout: 'Nothing was changed.\n', stderr: '' };
  const planned =
    dryRun && format === 'text' && plan !== null ? describePlan(plan, presentation, report.town?.root) : [];
  const stdout = [
    stream === null ? await renderAs(report, format, presentation, given) : stream.rest(report),
    live !== null && planned.length > 0 ? '\n' : '',
    ...planned.map((line) => `${line}\n`),
  ].join('');
  const stderr =
    report.error === null || format !== 'text' ? '' : notice(report.error.message, terminal.stderr);
  return { exitCode, stdout, stderr };
};

/** The locks that the command line names, each with its stamp; undefined where it names none. */
const namedLocks = ({ options: { lock, stamp } }: ArgumentsOf<'doctor'>): readonly NamedLock[] | undefined =>
  lock.length === 0 ? undefined : lock.map((id, at) => ({ id, sha256: stamp[at] ?? null }));

const refuseMisuse = (given: ArgumentsOf<'doctor'>, terminal: Terminal): void => {
  const { options } = given;
  if (options.saveSnapshot === '-') throw usage('--save-snapshot - cannot be used with --fix');
  if (options.stamp.length > 0 && options.stamp.length !== options.lock.length)
    throw usage('--stamp must be given once for each --lock');
  if (chooses(given, 'kind'))
    throw usage('only --worker and --kind can choose what --fix releases', 'doctor --fix --worker WORKER');
  if (options.fromSnapshot !== undefined) throw usage('--fix cannot be used with --from-snapshot');
  if (!options.force) return;
  const recipe = (command: string): string | null => (isPersonAt(terminal) ? command : null);
  const target =
    options.worker.length > 0 ? '--worker WORKER' : options.lock.length > 0 ? '--lock LOCK' : null;
  if (target === null)
    throw usage('--force requires --worker or --lock', recipe('doctor --fix --force --worker WORKER'));
  if (!options.yes && !options.dryRun && !canAsk(terminal))
    throw new Failure(
      'E_CONSENT',
      '--force requires --yes when there is no terminal',
      recipe(`doctor --fix --force --yes ${target}`),
    );
};
