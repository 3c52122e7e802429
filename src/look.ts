/** A look at a town or at one worker: find the root, read its configuration, gather, judge. Reads only. */
import { dirname, join } from 'node:path';
import { CONFIG_FILE, type Config, NO_CONFIG, unusedConfig } from './config.ts';
import { examineSnapshot } from './core/judge/examine.ts';
import { mayBeMistyped } from './core/preflight/clear-to-start.ts';
import { withMovedTree } from './core/preflight/moved-tree.ts';
import type { MovedTree, ScanMode, Snapshot } from './core/types/evidence.ts';
import type { Examination } from './core/types/judgement.ts';
import type { Kind } from './core/types/kind.ts';
import type { PreflightResult } from './core/types/report.ts';
import { DEFAULT_TIMEOUT_MS, gather } from './evidence/gather.ts';
import type { GatherRequest } from './evidence/gather-request.ts';
import { mayHaveGitLocks } from './evidence/git/linked-tree.ts';
import type { LockTable } from './evidence/locks/lock-table.ts';
import { isMarked } from './evidence/town/marker.ts';
import { refuseContainer } from './evidence/town/new-worker.ts';
import { findTownRoot, type TownRoot } from './evidence/town/root.ts';
import { placesAround } from './evidence/town/trees.ts';
import { resolveWorker } from './evidence/town/worker-path.ts';
import { isAbsent, isNoDirectory, leadsToDirectory } from './io/disk/entry-exists.ts';
import { realOfMissing } from './io/disk/real-path.ts';

/** How to look at a town. Everything is optional; the town's own `lock-doctor.json` gives the defaults. */
export interface LookOptions extends Partial<Pick<GatherRequest, 'before' | 'onProgress' | 'onStage'>> {
  readonly scan?: Exclude<ScanMode, 'worker'> | undefined;
  /** tmux sockets by name or path; default: all of the user's servers. */
  readonly sockets?: readonly string[] | undefined;
  /** Milliseconds for each question to tmux and git; default 2000. */
  readonly timeoutMs?: number | undefined;
  /** Names of agent commands besides the built-in ones and the configured ones. */
  readonly agents?: readonly string[] | undefined;
  /** Names of commands that are no agents besides the built-in ones and the configured ones. */
  readonly bystanders?: readonly string[] | undefined;
  /** Host names that are gone for good, or were this machine's, besides the configured ones. */
  readonly formerHosts?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** Called with the town's configuration, where the look reads it. */
  readonly onConfig?: ((config: Config) => void) | undefined;
  /** Called with a sentence for each file or marker that was ignored on the way to the town. */
  readonly onNote?: ((note: string) => void) | undefined;
}

/** A town that was found, with what its configuration says. */
export interface FoundTown {
  readonly town: TownRoot;
  readonly config: Config;
}

/** A town that can be looked at. */
export interface OpenTown extends FoundTown {
  /** The kinds of lock that are looked for. */
  readonly table: LockTable;
  /** Kinds that plug-ins added. */
  readonly plugged: readonly Kind[];
}

/** Finds the town that options mean. Throws Failure E_USAGE as `findTownRoot` does. */
export const townOf = (
  town: string | undefined,
  { env = process.env, cwd = process.cwd(), onNote }: Pick<LookOptions, 'cwd' | 'env' | 'onNote'>,
): TownRoot => {
  const found = findTownRoot({ town, cwd, env });
  if (found.passedOver !== null) onNote?.(`not used as the town: ${found.passedOver}`);
  const unused = onNote === undefined ? null : unusedConfig(found.root, cwd);
  if (unused !== null) onNote?.(`not used: ${unused}; settings are read from the town's root, ${found.root}`);
  return found;
};

/** Throws `E_CONFIG` as `readConfig` does, which is loaded only where there is a configuration. */
const configOf = async ({ root, source }: TownRoot): Promise<Config> =>
  isAbsent(join(root, CONFIG_FILE)) ? NO_CONFIG : (await import('./read-config.ts')).readConfig(root, source);

/**
 * The look that was asked for, at this root. Only a Gas Town has a layout by which a quick look knows where workers are: anywhere
 * else it would miss most locks, so the ordinary one is made.
 */
export const scanModeAt = (root: string, asked: ScanMode = 'default'): ScanMode =>
  asked === 'quick' && !isMarked(root) ? 'default' : asked;

/**
 * Gathers a snapshot of a town, or with `scan: 'worker'` of some of its workers. Looks for agents' own locks alone where the
 * options name no table.
 *
 * @param known the town's configuration, where the caller has read it already
 */
export const look = async (
  town: TownRoot,
  asked: ScanMode | undefined,
  workers: readonly string[],
  options: LookOptions &
    Pick<GatherRequest, 'around' | 'inGitDirs' | 'layout' | 'locks' | 'named' | 'table' | 'walkGaps'>,
  known?: Config,
): Promise<Snapshot> => {
  const config = known ?? (await configOf(town));
  options.onConfig?.(config);
  return gather({
    ...options,
    town,
    scan: scanModeAt(town.root, asked),
    workers,
    sockets: options.sockets ?? config.sockets,
    timeoutMs: options.timeoutMs ?? config.timeout ?? DEFAULT_TIMEOUT_MS,
    agents: [...config.agents, ...(options.agents ?? [])],
    bystanders: [...config.bystanders, ...(options.bystanders ?? [])],
    formerHosts: [...config.formerHosts, ...(options.formerHosts ?? [])],
    env: options.env ?? process.env,
    gaps: config.passedOver === null ? [] : [{ what: `config:${config.path}`, why: config.passedOver }],
  });
};

/**
 * The look before a start, at these workers and what they are parts of: for agents' own locks, and for git's where some stand in their
 * own git directories. Most workers have none, and their look loads nothing for them.
 */
export const lookToStart = async (
  town: TownRoot,
  workers: readonly string[],
  options: LookOptions & Pick<GatherRequest, 'named'>,
): Promise<Snapshot> => {
  const { root } = town;
  const around = placesAround(workers, root);
  if (!around.some((place) => mayHaveGitLocks(join(root, place))))
    return look(town, 'worker', workers, { ...options, around });
  const config = await configOf(town);
  const { tableFor } = await import('./kinds-of.ts');
  const table = tableFor(config, town);
  return look(town, 'worker', workers, { ...options, around, table, inGitDirs: 'own' }, config);
};

export interface WorkerLook extends LookOptions {
  /** Root to judge it in; default: the outermost marked directory above the worker, or the worker itself. */
  readonly town?: string | undefined;
}

/** Judges the locks of one worker directory (absolute path); the lock library decides by it. */
export const lookAtWorker = async (workerDir: string, options: WorkerLook = {}): Promise<Examination> => {
  const { town, worker } = placeWorker(workerDir, options.town);
  return examineSnapshot(await look(town, 'worker', [worker], options));
};

/** A worker directory with its town; one that does not exist yet belongs to the town in which it would be made. */
export const placeWorker = (
  workerDir: string,
  root: string | undefined,
): { readonly town: TownRoot; readonly worker: string } => {
  const above = findTownRoot({ town: root, cwd: existingPartOf(workerDir), env: {} });
  const place = resolveWorker(workerDir, above.root, above.root);
  if (place.kind === 'inside') return { town: above, worker: place.worker };
  return { town: findTownRoot({ town: place.path, cwd: place.path, env: {} }), worker: '.' };
};

const existingPartOf = (path: string): string => {
  let place = path;
  while (!leadsToDirectory(place) && dirname(place) !== place) place = dirname(place);
  return place;
};

/** The answers of preflight for a look at some workers. */
export type Answers = (
  snapshot: Snapshot,
) => readonly PreflightResult[] | Promise<readonly PreflightResult[]>;

/** Those of `trees` that git lists at a place with one of these names (absolute). */
export const movedFrom = (
  names: readonly string[],
  trees: readonly MovedTree[] = [],
): readonly MovedTree[] => {
  if (trees.length === 0) return trees;
  const places = names.map(realOfMissing);
  return trees.filter(({ path }) => places.includes(realOfMissing(path)));
};

/**
 * The answer for a place, with that for each place where somebody works in the worktree that git lists there.
 *
 * @param trees those worktrees, as `movedFrom` found them
 */
export const followMoves = async (
  result: PreflightResult,
  trees: readonly MovedTree[],
  answer: Answers,
  options: LookOptions,
): Promise<PreflightResult> => {
  let told = result;
  for (const tree of trees) {
    const { town, worker } = placeWorker(tree.movedTo, undefined);
    const [there] = await answer(await lookToStart(town, [worker], options));
    if (there !== undefined) told = withMovedTree(told, tree, there, isNoDirectory(tree.path));
  }
  return told;
};

/**
 * Throws `E_USAGE` for the town, a rig and a directory of workers, in which nobody starts, unless somebody or a lock is known to be
 * right there: then that is the answer.
 *
 * @param result preflight's, for a directory that exists
 */
export const refuseEmptyContainer = (result: PreflightResult, snapshot: Snapshot): void => {
  if (mayBeMistyped(result, snapshot)) refuseContainer(result.worker, snapshot.town.root);
};
