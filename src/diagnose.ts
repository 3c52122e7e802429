/**
 * The central use case: open a town, choose the checks, look, judge, run the checks, report. The command line, the
 * library, `--fix` and `--watch` all call it; its events show the progress.
 */
import { join } from 'node:path';
import { builtInChecks } from '../checks/index.ts';
import type { Config } from './config.ts';
import { idMeant, nearWorker } from './core/did-you-mean.ts';
import { Failure } from './core/failure.ts';
import type { MachineView } from './core/fleet/taker.ts';
import { examineSnapshot } from './core/judge/examine.ts';
import { buildReport } from './core/report/report.ts';
import { type CheckOutcome, runCheck, skippedCheck } from './core/run-checks.ts';
import { relativeTo } from './core/town/roles.ts';
import { type Check, LEASE_CHECK, type Severity } from './core/types/check.ts';
import type { LockFile, ScanMode, Snapshot } from './core/types/evidence.ts';
import type { Examination } from './core/types/judgement.ts';
import type { Kind } from './core/types/kind.ts';
import type { Report, ReportTown } from './core/types/report.ts';
import { TOOL } from './document.ts';
import type { GatherRequest } from './evidence/gather-request.ts';
import { linkedGitDirOf } from './evidence/git/linked-tree.ts';
import { mainTreeOf } from './evidence/git/same-repository.ts';
import { hostName } from './evidence/host.ts';
import { isRepository } from './evidence/town/marker.ts';
import { noSuchWorker } from './evidence/town/new-worker.ts';
import { placeName } from './evidence/town/outside-trees.ts';
import { homeRoot, type TownRoot } from './evidence/town/root.ts';
import { placesAround } from './evidence/town/trees.ts';
import { resolveWorker } from './evidence/town/worker-path.ts';
import { elapsedMs } from './io/clock.ts';
import { displayPath } from './io/disk/disk-path.ts';
import { leadsToDirectory } from './io/disk/entry-exists.ts';
import { tryOr } from './io/try-or.ts';
import { homeDirectories, tableFor } from './kinds-of.ts';
import { type FoundTown, type LookOptions, look, type OpenTown, scanModeAt, townOf } from './look.ts';
import { type Loaded, loadPlugins } from './plugins/plugins.ts';
import { readConfig } from './read-config.ts';
import { quoteCommand } from './reporters/screen/shell-quote.ts';
import { nameOf } from './reporters/screen/words.ts';

/** Events of a diagnosis, in this order. The stages of the look are reported through `LookOptions`. */
export interface DiagnosisEvents {
  /** Before anything is looked at. Awaited, so that a screen can be drawn first. */
  readonly onStart?:
    | ((checks: readonly Check[], town: ReportTown | null) => void | Promise<void>)
    | undefined;
  /** After each check, including skipped ones. Awaited. */
  readonly onCheck?: ((outcome: CheckOutcome) => void | Promise<void>) | undefined;
}

export interface ExamineOptions extends LookOptions {
  /** Look at what tools keep in the caller's home, `$HOME`, instead of a town. */
  readonly home?: boolean | undefined;
  /** Checks to run besides the built-in ones and the plug-ins. */
  readonly checks?: readonly Check[] | undefined;
  /** Plug-ins besides the configured ones: paths relative to `cwd`, or packages. */
  readonly plugins?: readonly string[] | undefined;
  /** Ids to run; default all but the configured `skip`. */
  readonly only?: readonly string[] | undefined;
  /** Ids to leave out, besides the configured ones. */
  readonly skip?: readonly string[] | undefined;
  /** What counts as a problem; default as configured, else `warning`. */
  readonly failOn?: Severity | undefined;
  /** Only these workers count: relative to the town, or paths; default all. */
  readonly workers?: readonly string[] | undefined;
}

export interface DiagnoseOptions extends ExamineOptions {
  /** Saved evidence: nothing is looked at, and no configuration is read. */
  readonly saved?: Snapshot | undefined;
  /** What the report names as its command; default `doctor`. */
  readonly command?: string | undefined;
  readonly events?: DiagnosisEvents | undefined;
  /** Told what was judged, and from which machines' views where that was not this one's alone. Awaited before the checks run. */
  readonly onExamined?:
    | ((examination: Examination, views?: readonly MachineView[]) => void | Promise<void>)
    | undefined;
  /** False: the configured plug-ins are not loaded. */
  readonly usesPlugins?: boolean | undefined;
}

/** All that a diagnosis needs before it looks: made once, used for every look of a run. */
export interface Preparation {
  /** Null for saved evidence. */
  readonly place: OpenTown | null;
  readonly checks: readonly Check[];
  /** Ids of the checks that run; the others are reported as skipped. */
  readonly selected: ReadonlySet<string>;
  readonly failOn: Severity;
}

/** A diagnosis with what it is based on. */
export interface Diagnosis {
  readonly report: Report;
  readonly examination: Examination;
  readonly outcomes: readonly CheckOutcome[];
  /** The workers that the caller named, as the report calls them; null for the whole town. */
  readonly workers: readonly string[] | null;
}

/**
 * Diagnoses a town and answers what `doctor --json` prints. Reads only.
 *
 * @param town directory; default as on the command line: the marked town above the working directory, the environment's, or it itself
 * @throws Failure E_USAGE (no such town, worker or check id) or E_CONFIG (broken configuration or plug-in)
 */
export const examine = async (town?: string, options: ExamineOptions = {}): Promise<Report> =>
  (await diagnose(await prepare(town, options), options)).report;

/** Finds the town, reads its configuration and loads its checks. Throws as `examine` does. */
export const prepare = async (
  given: string | undefined,
  { saved, ...options }: DiagnosisLook,
): Promise<Preparation> => {
  const found = saved === undefined ? findTown(given, options) : null;
  if (found !== null) noteRepositoryAround(found.town, options);
  const plugged = await loadPlugged(found, options);
  const { usesPlugins = true } = options;
  const place = found === null ? null : withTable(found, usesPlugins ? plugged.kinds : null);
  const checks = [...builtInChecks, ...plugged.checks, ...(options.checks ?? [])];
  return {
    place,
    checks,
    selected: selectChecks(checks, place?.config ?? null, options),
    failOn: options.failOn ?? place?.config.failOn ?? 'warning',
  };
};

/** Notes where the caller stands in a linked worktree and named no root: the lock that is in the way may lie in its repository. */
const noteRepositoryAround = ({ root, source }: TownRoot, { onNote }: Pick<LookOptions, 'onNote'>): void => {
  if (onNote === undefined || source !== 'cwd') return;
  const gitDir = linkedGitDirOf(root);
  const whole = gitDir === null ? null : mainTreeOf(displayPath(gitDir));
  if (whole !== null && whole !== root)
    onNote(
      `only this worktree is looked at, not the rest of its repository. Run: ${quoteCommand(['doctor', '--town', whole])}`,
    );
};

/** Finds a town and reads its configuration, for whoever does not look at it. Throws Failure E_USAGE and E_CONFIG. */
export const findTown = (
  given: string | undefined,
  options: Pick<ExamineOptions, 'cwd' | 'env' | 'home' | 'onNote'>,
): FoundTown => {
  const { home = false, env = process.env } = options;
  const town = home ? homeRoot(env) : townOf(given, options);
  return { town, config: readConfig(town.root, town.source) };
};

/** Finds a town, reads its configuration and loads the kinds of its plug-ins. Throws as `examine` does. */
export const openTown = async (
  given: string | undefined,
  options: Pick<ExamineOptions, 'cwd' | 'env' | 'home' | 'onNote' | 'plugins'>,
): Promise<OpenTown> => {
  const found = findTown(given, options);
  return withTable(found, (await loadPlugged(found, options)).kinds);
};

/**
 * Opens another town for a question that was asked in `here`, with the plug-ins of `here`: the other one may be a worker's
 * directory, and code in there is never run. Throws Failure E_USAGE and E_CONFIG.
 */
export const openBeside = (
  { plugged }: OpenTown,
  root: string,
  options: Pick<ExamineOptions, 'cwd' | 'env' | 'onNote'>,
): OpenTown => {
  const { town, config } = findTown(root, { ...options, home: false });
  const isLoaded = (id: string): boolean => !id.includes('/') || plugged.some((kind) => kind.id === id);
  const kinds = Object.fromEntries(Object.entries(config.kinds).filter(([id]) => isLoaded(id)));
  return withTable({ town, config: { ...config, kinds } }, plugged);
};

/** Adds the table of kinds. In a home only the directories of tools whose kinds are on are looked at. */
const withTable = ({ town, config }: FoundTown, plugged: readonly Kind[] | null): OpenTown => {
  const table = tableFor(config, town, plugged);
  const within = town.source === 'home' ? { within: homeDirectories(table.kinds.values()) } : {};
  return { town: { ...town, ...within }, config, table, plugged: plugged ?? [] };
};

/** Looks at an open town, and at these workers (relative to it) even where a walk skips them. */
export const lookInto = (
  { town, config, table }: OpenTown,
  workers: readonly string[],
  options: LookOptions,
): Promise<Snapshot> => look(town, options.scan, workers, { ...options, table }, config);

/** Looks at an open town and judges all its locks; no check is run. */
export const judgeTown = async (place: OpenTown, options: LookOptions): Promise<Examination> =>
  examineSnapshot(await lookInto(place, [], options));

/**
 * One look of a run. `scan: 'worker'` looks only at the workers `at` (relative to the town). Any other scan looks at the town and
 * at the places that the caller names, because a walk may skip an entry that blocks a worker's lock.
 */
export interface DiagnosisLook
  extends Omit<DiagnoseOptions, 'scan'>,
    Pick<GatherRequest, 'inGitDirs' | 'walkGaps'> {
  readonly scan?: ScanMode | undefined;
  readonly at?: readonly string[] | undefined;
  /** For `scan: 'worker'`: locks of an earlier look at these workers, looked at again wherever their kinds keep them. */
  readonly known?: readonly LockFile[] | undefined;
  /** What an earlier look of this run found `workers` to be: with its lock a worker's name may be gone. */
  readonly meant?: Diagnosis['workers'] | undefined;
}

/** Looks, judges, runs the checks and reports. */
export const diagnose = async (
  preparation: Preparation,
  { scan = 'default', at = [], ...options }: DiagnosisLook,
): Promise<Diagnosis> => {
  const startedAt = elapsedMs();
  const { place, checks } = preparation;
  const { saved, events, cwd = process.cwd() } = options;
  await events?.onStart?.(checks, place === null ? null : townFactsOf(place.town, scan));
  const snapshot = saved ?? (await lookAsPrepared(preparation, { scan, at, ...options }));
  const workers = options.meant ?? options.workers?.map((name) => findWorker(name, snapshot, cwd)) ?? null;
  const examination = examineSnapshot(snapshot);
  await options.onExamined?.(examination);
  return reportOn(preparation, examination, workers, { ...options, startedAt });
};

/** Runs the checks over what was judged, and reports. `startedAt` is a moment of `elapsedMs()`. */
export const reportOn = async (
  { checks, selected, failOn }: Preparation,
  examination: Examination,
  workers: Diagnosis['workers'],
  options: Pick<DiagnoseOptions, 'command' | 'events'> & { readonly startedAt: number },
): Promise<Diagnosis> => {
  const { events, startedAt } = options;
  const outcomes: CheckOutcome[] = [];
  for (const check of checks) {
    const outcome = selected.has(check.id) ? runCheck(check, examination, elapsedMs) : skippedCheck(check);
    outcomes.push(outcome);
    await events?.onCheck?.(outcome);
  }
  const report = buildReport({
    examination,
    outcomes,
    command: options.command ?? 'doctor',
    tool: TOOL,
    durationMs: elapsedMs() - startedAt,
    failOn,
    workers,
  });
  return { report, examination, outcomes, workers };
};

/** The look of a diagnosis. */
export const lookAsPrepared = async (
  { place }: Preparation,
  {
    scan = 'default',
    at = [],
    ...options
  }: Omit<LookOptions, 'scan'> &
    Pick<DiagnosisLook, 'at' | 'inGitDirs' | 'known' | 'scan' | 'walkGaps' | 'workers'>,
): Promise<Snapshot> => {
  if (place === null) throw new Error('there is neither a town nor saved evidence');
  const { town, config, table } = place;
  const named = [...at, ...(options.workers ?? [])];
  const workers = scan === 'worker' ? at : directoriesNamed(named, town, options);
  const around = scan === 'worker' || town.within !== undefined ? [] : placesAround(workers, town.root);
  return look(town, scan, workers, { ...options, around, table, locks: options.known }, config);
};

/** Names that are directories in the town, relative to it. Others are reported when they are looked for. */
const directoriesNamed = (
  names: readonly string[],
  { root }: TownRoot,
  { cwd = process.cwd() }: LookOptions,
): readonly string[] =>
  names.flatMap((name) => {
    const found = tryOr(() => resolveWorker(name, root, cwd), null);
    return found?.kind === 'inside' && found.exists ? [found.worker] : [];
  });

const townFactsOf = ({ root, source }: TownRoot, scan: ScanMode): ReportTown => ({
  root,
  source,
  ...(isRepository(root) ? { type: 'repository' as const } : {}),
  host: hostName(),
  scan: scanModeAt(root, scan),
});

/** The built-in checks, and those of the configuration's and the caller's plug-ins. Throws Failure E_CONFIG. */
export const loadChecks = async (
  place: FoundTown | null,
  options: Pick<DiagnoseOptions, 'plugins' | 'cwd' | 'usesPlugins'>,
): Promise<readonly Check[]> => [...builtInChecks, ...(await loadPlugged(place, options)).checks];

const loadPlugged = (
  place: FoundTown | null,
  {
    plugins = [],
    cwd = process.cwd(),
    usesPlugins = true,
  }: Pick<DiagnoseOptions, 'plugins' | 'cwd' | 'usesPlugins'>,
): Promise<Loaded> => {
  const configured = place === null || !usesPlugins ? [] : place.config.plugins;
  return loadPlugins([
    ...configured.map((spec) => ({ spec, from: place?.town.root ?? cwd, mustBeTrusted: true })),
    ...plugins.map((spec) => ({ spec, from: cwd })),
  ]);
};

/** Which checks run: `only`, or else all without the configured `skip`; in both cases without `skip`. Throws Failure for unknown ids. */
const selectChecks = (
  checks: readonly Check[],
  config: Config | null,
  { only = [], skip = [] }: Pick<ExamineOptions, 'only' | 'skip'>,
): ReadonlySet<string> => {
  const ids = [...checks.map(({ id }) => id), LEASE_CHECK];
  const configured = only.length > 0 ? [] : (config?.skip ?? []);
  for (const id of [...only, ...skip, ...configured]) {
    if (ids.includes(id)) continue;
    const near = idMeant(id, ids);
    const hint = near === null ? 'See: doctor checks' : `Did you mean ${near}?`;
    throw configured.includes(id)
      ? new Failure('E_CONFIG', `${config?.path}: unknown check "${id}"`, hint)
      : new Failure('E_USAGE', `unknown check "${id}"`, hint);
  }
  const left = new Set([...skip, ...configured]);
  return new Set((only.length > 0 ? only : ids).filter((id) => !left.has(id)));
};

/** True for that place, and for a directory in it. */
const isAt = (place: string, path: string): boolean =>
  path === place || (relativeTo(place, path) !== null && leadsToDirectory(path));

const goneIn = ({ goneTrees = [] }: Snapshot['town']): readonly string[] => goneTrees.map(({ name }) => name);

/** The places that a look at a town knows, with repetitions. */
export const placesKnown = ({ locks, town }: Pick<Snapshot, 'locks' | 'town'>): readonly string[] => [
  ...locks.map(({ worker }) => worker),
  ...[town.workers, town.trees ?? [], town.worktrees ?? [], goneIn(town)].flat(),
];

/**
 * One worker by name, as the report calls it. Throws Failure E_USAGE for a name that is neither a directory of the town, nor a
 * working tree beside it, nor the place of one of its locks, nor the root itself.
 */
export const findWorker = (name: string, { locks, town, asked }: Snapshot, cwd: string): string => {
  const { root, worktrees = [] } = town;
  const gone = goneIn(town);
  const known = [...new Set([...placesKnown({ locks, town }), ...asked])];
  if (name !== '.' && known.includes(name)) return name;
  const found = resolveWorker(name, root, cwd);
  if (found.kind === 'inside' && (found.exists || known.includes(found.worker))) return found.worker;
  if (found.kind !== 'inside' && [...worktrees, ...gone].some((tree) => isAt(join(root, tree), found.path)))
    return placeName(root, found.path);
  // The name by which reports call the root.
  if (name === nameOf('.', root)) return '.';
  const near = nearWorker(name, known);
  throw noSuchWorker(name, root, near === null ? 'See: doctor locks' : `Did you mean ${near}?`);
};
