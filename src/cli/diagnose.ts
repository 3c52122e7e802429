import { hostname } from 'node:os';
import { builtInChecks } from '../../checks/index.ts';
import { buildReport } from '../core/report/report.ts';
import type { CheckOutcome } from '../core/run-checks.ts';
import { type Check, SEVERITIES, type Severity } from '../core/types/check.ts';
import type { Snapshot } from '../core/types/evidence.ts';
import type { Examination } from '../core/types/judgement.ts';
import type { Report, ReportTown } from '../core/types/report.ts';
import { gather } from '../evidence/gather.ts';
import { loadPlugins } from '../plugins.ts';
import type { Presentation } from '../reporters/screen/style.ts';
import { VERSION } from '../version.ts';
import { type Arguments, choiceOf, optionValue, optionValues } from './arguments/arguments.ts';
import { saveSnapshot } from './save-snapshot.ts';
import { loadChecks, lookOptionsOf, openTown, type Place, selectChecks, selectWorkers } from './session.ts';
import { type LookEvents, runPipeline } from './terminal/pipeline.ts';
import { heapKeeper } from './terminal/small-heap.ts';
import type { Terminal } from './terminal/terminal.ts';

/** A diagnosis with what it is based on. */
export interface Diagnosis {
  readonly report: Report;
  readonly examination: Examination;
  readonly outcomes: readonly CheckOutcome[];
  readonly checks: readonly Check[];
  /** Null for saved evidence. */
  readonly place: Place | null;
  /** The workers that `--worker` names; null for the whole town. */
  readonly workers: readonly string[] | null;
  readonly failOn: Severity;
}

/** What a diagnosis runs on: a town to look at, or evidence that was saved. */
interface Source {
  readonly place: Place | null;
  readonly checks: readonly Check[];
  readonly selected: ReadonlySet<string>;
  readonly look: (events: LookEvents) => Promise<Snapshot>;
}

/**
 * The straight line of every report: arguments → town and configuration → checks → evidence → verdicts → report.
 * `onTown` is told before the town is looked at. Throws `Failure` for whatever the arguments or the configuration get wrong. Writes nothing but `--save-snapshot`.
 */
export const diagnose = async (
  given: Arguments,
  terminal: Terminal,
  town: string | null,
  live: Presentation | null,
  onTown: (town: ReportTown) => void = () => {},
): Promise<Diagnosis> => {
  const startedAt = performance.now();
  const saved = optionValue(given, 'from-snapshot');
  const source =
    saved === null ? await fromTown(given, terminal, town, onTown) : await fromFile(given, terminal, saved);
  const { examination, outcomes } = await runPipeline(source, terminal, live);
  const save = optionValue(given, 'save-snapshot');
  if (save !== null) saveSnapshot(examination.snapshot, save, terminal.cwd);
  const workers = selectWorkers(given, examination.snapshot, terminal.cwd);
  const failOn = choiceOf(given, 'fail-on', SEVERITIES) ?? source.place?.config.failOn ?? 'warning';
  const report = buildReport({
    examination,
    outcomes,
    command: given.command,
    version: VERSION,
    durationMs: performance.now() - startedAt,
    failOn,
    workers,
  });
  return { report, examination, outcomes, checks: source.checks, place: source.place, workers, failOn };
};

const fromTown = async (
  given: Arguments,
  terminal: Terminal,
  town: string | null,
  onTown: (town: ReportTown) => void,
): Promise<Source> => {
  const place = openTown(given, terminal, town);
  const checks = await loadChecks(given, place, terminal);
  return {
    place,
    checks,
    selected: selectChecks(given, place.config, checks),
    look: (events) => {
      const request = lookOptionsOf(given, place, terminal);
      const { root, source } = place.town;
      onTown({ root, source, host: hostname(), scan: request.scan });
      const keepHeapSmall = heapKeeper();
      return gather({
        ...request,
        onStage: events.onStage,
        onProgress: (directories, locks) => {
          keepHeapSmall(locks);
          events.onProgress(directories);
        },
      });
    },
  };
};

/** Saved evidence is judged without a look at the disk: no configuration, and plug-ins of the command line only. */
const fromFile = async (given: Arguments, { cwd }: Terminal, file: string): Promise<Source> => {
  const { readSnapshot } = await import('./read-snapshot.ts');
  const snapshot = readSnapshot(file, cwd);
  const plugins = optionValues(given, 'plugin').map((spec) => ({ spec, from: cwd }));
  const checks = [...builtInChecks, ...(await loadPlugins(plugins))];
  return { place: null, checks, selected: selectChecks(given, null, checks), look: async () => snapshot };
};
