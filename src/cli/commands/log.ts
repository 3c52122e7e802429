/** `doctor log` and `doctor undo --list`: what the journal tells, chosen by what was asked for. */
import { nearWorker } from '../../core/did-you-mean.ts';
import { chooseEvents, eventsOfRun, isRunId } from '../../core/report/choose-events.ts';
import { townOption } from '../../core/report/name-worker.ts';
import type { HistoryEvent } from '../../core/types/history.ts';
import { EXIT } from '../../core/types/report.ts';
import { findTown } from '../../diagnose.ts';
import { documentOf } from '../../document.ts';
import { nearestWorker, outsideTown, treesBeside } from '../../evidence/town/new-worker.ts';
import { outsideName } from '../../evidence/town/outside-trees.ts';
import { resolveWorker } from '../../evidence/town/worker-path.ts';
import { systemCalls } from '../../io/disk/system-calls.ts';
import { readHistory } from '../../repair/history/history.ts';
import { historiesElsewhere } from '../../repair/history/released-elsewhere.ts';
import { removedReleases } from '../../repair/history/removed-since.ts';
import { restorableReleases } from '../../repair/history/restorable.ts';
import { loggedElsewhereLines, releasedElsewhereLines } from '../../reporters/history/elsewhere-text.ts';
import { renderHistory } from '../../reporters/history/history-text.ts';
import { renderJson } from '../../reporters/json.ts';
import { quoteCommand } from '../../reporters/screen/shell-quote.ts';
import { createPen } from '../../reporters/screen/style.ts';
import { nameOf } from '../../reporters/screen/words.ts';
import type { Arguments } from '../arguments/arguments.ts';
import { checkKind } from '../arguments/chosen-part.ts';
import { momentMs } from '../arguments/moment.ts';
import { usage } from '../arguments/usage.ts';
import { lookOptionsOf, townNamedBy } from '../options-of.ts';
import { type Outcome, presentationFor, type Terminal } from '../terminal/terminal.ts';

/** Without `--limit`, text shows this many events. */
const USUAL_LIMIT = 30;

/** Reads only. Exit code 1 where not all of the journal could be read. */
export const run = async (given: Arguments, terminal: Terminal): Promise<Outcome> => {
  const { town } = findTown(townNamedBy(given, undefined), lookOptionsOf(given, terminal));
  const { events: all, missing } = readHistory(systemCalls, town.root);
  const { options } = given;
  const { state = [], kind = [], event = [] } = options;
  for (const name of kind) checkKind(name);
  const restorable: ReadonlySet<HistoryEvent> = restorableReleases(all, systemCalls, town.root);
  const removed = removedReleases(all, systemCalls, town.root);
  const isList = given.command === 'undo';
  const ids = given.positionals.filter(isRunId);
  const names = given.positionals.filter((name) => !isRunId(name));
  const elsewhere = given.positionals.length === 0 ? historiesElsewhere(systemCalls, town.root) : [];
  const chosen = isList
    ? [...restorable]
    : chooseEvents(ids.length === 0 ? all : ids.flatMap((id) => runNamed(id, all, town.root)), {
        workers: names.map((name) => workerNamed(name, all, town.root, terminal.cwd)),
        sinceMs: momentMs('since', options.since, Date.now()),
        beforeMs: null,
        states: state,
        kinds: kind,
        deeds: event,
      });
  const limit = options.limit ?? (options.json || isList ? chosen.length : USUAL_LIMIT);
  const events = chosen.slice(Math.max(chosen.length - limit, 0)).reverse();
  const older = chosen.length - events.length;
  const exitCode = missing === null ? EXIT.ok : EXIT.problems;
  if (options.json) {
    const document = documentOf('log', exitCode, {
      town: { root: town.root, source: town.source },
      events: events.map((event) => ({
        ...event,
        restorable: restorable.has(event),
        removed: event.id !== null && event.deed === 'released' && removed.has(event.id),
      })),
      older,
      elsewhere: elsewhere.flatMap(({ root, events: its, releases }) => {
        const { length } = isList ? releases : its;
        return length === 0 ? [] : [{ root, events: length }];
      }),
      missing,
    });
    return { exitCode, stdout: renderJson(document), stderr: '' };
  }
  const option = town.source === 'home' ? townOption(town) : [];
  const presentation = await presentationFor(given, terminal, terminal.stdout);
  const released = elsewhere.flatMap(({ releases }) => releases);
  const others = isList
    ? releasedElsewhereLines(released, presentation)
    : loggedElsewhereLines(elsewhere, presentation);
  const isEmpty = events.length === 0 && missing === null;
  const own =
    isEmpty && others.length > 0
      ? ''
      : isEmpty && isList
        ? `nothing to undo${createPen(presentation).safe(whyNothing(all, removed))}\n`
        : renderHistory(
            { root: town.root, option, events, older, missing, restorable, removed },
            presentation,
          );
  return { exitCode, stdout: own + others.map((line) => `${line}\n`).join(''), stderr: '' };
};

/** The events of a run or a release. Throws `E_USAGE` for one that this journal does not have. */
const runNamed = (id: string, all: readonly HistoryEvent[], root: string): readonly HistoryEvent[] => {
  const events = eventsOfRun(all, id);
  if (events.length > 0) return events;
  const other = historiesElsewhere(systemCalls, root).find((each) => eventsOfRun(each.events, id).length > 0);
  throw usage(
    `no run "${id}" in the journal of ${root}`,
    other === undefined ? 'doctor log' : quoteCommand(['doctor', 'log', id, '--town', other.root]),
  );
};

/** Why the last release cannot be undone, where its lock has no place any more. */
const whyNothing = (all: readonly HistoryEvent[], removed: ReadonlyMap<string, string>): string => {
  const last = all.findLast(({ deed }) => deed === 'released' || deed === 'restored');
  const why = last?.deed === 'released' ? removed.get(last.id ?? '') : undefined;
  return why === undefined ? '' : `: ${why}`;
};

/** A worker by what was typed; one that is gone by now is known by what happened to it. Throws `E_USAGE` for any other. */
const workerNamed = (given: string, events: readonly HistoryEvent[], root: string, cwd: string): string => {
  const names = [...new Set(events.map(({ worker }) => worker))];
  if (names.includes(given)) return given;
  const found = resolveWorker(given, root, cwd);
  const beside = found.kind === 'inside' ? null : outsideName(root, found.path);
  if (beside !== null && [...names, ...treesBeside(root)].includes(beside)) return beside;
  if (found.kind !== 'inside') throw outsideTown(given, root, `doctor log --town ${found.path}`);
  const { worker, exists } = found;
  if (exists || names.some((name) => name === worker || name.startsWith(`${worker}/`))) return worker;
  if (given === nameOf('.', root) && names.includes('.')) return '.';
  const near =
    names.find((name) => name.endsWith(`/${given}`)) ??
    nearWorker(given, names) ??
    nearestWorker(given, root);
  throw usage(
    `no events of "${given}", and no such directory`,
    near === null ? null : `Did you mean ${near}?`,
  );
};
