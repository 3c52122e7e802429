/**
 * Gathers all evidence of one run into a snapshot. The order is part of the promise: locks first, then processes, then
 * tmux; the other way round an agent that starts meanwhile would look dead.
 */
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { namesIn } from '../core/programs/by-name.ts';
import { claimsWorker, isFlock, needsWitnesses } from '../core/town/lock-rules.ts';
import { inNameOrder } from '../core/town/name-order.ts';
import { relativeTo } from '../core/town/roles.ts';
import type {
  FileEvidence,
  HostFacts,
  LegacyItem,
  LockFile,
  LoneCompanion,
  ProcessEvidence,
  Snapshot,
  TmuxEvidence,
  TmuxPane,
  TownFacts,
} from '../core/types/evidence.ts';
import type { DiskPath } from '../io/disk/disk-path.ts';
import type { FileQuestion } from './files/file-evidence.ts';
import { findLocks, linkedOutside, placesInQuestion, unlistedGaps, withOutside } from './find-locks.ts';
import type { GatherRequest } from './gather-request.ts';
import { addGitFacts } from './git/facts.ts';
import { type Lead, leadsOf, movedTreesIn, withMovedTrees } from './git/moved-trees.ts';
import { withReachOfStrangers } from './hidden-strangers.ts';
import { readAsker, readHost } from './host.ts';
import { withCopiesElsewhere } from './locks/copies-elsewhere.ts';
import { readLeftovers, readLoneCompanions } from './locks/read-leftovers.ts';
import { readLocks } from './locks/read-locks.ts';
import { lookAfterExec } from './processes/after-exec.ts';
import {
  type ProcessTable,
  processEvidence,
  readProcessTable,
  takenElsewhere,
  workingDirectories,
} from './processes/processes.ts';
import { readRegistries } from './registries/registries.ts';
import { withStarts } from './restarts.ts';
import type { ScanResult } from './scan/scan.ts';
import { askTmux } from './tmux/tmux.ts';
import { readTownLayout, type TownLayout } from './town/layout.ts';
import { readLegacyItems } from './town/legacy.ts';
import { isMarked, isRepository } from './town/marker.ts';
import {
  goneTrees,
  movedOutside,
  type OutsideTree,
  outsideFinder,
  outsideNamer,
  siblingsOutside,
  silentTrees,
  treePathReader,
  treesOutside,
} from './town/outside-trees.ts';
import { behindServers, isSameDirectory, type TownPlaceFinder, townPlaceFinder } from './town/place.ts';
import type { TownRoot } from './town/root.ts';
import { isPlaceOfItsOwn, treesAround } from './town/trees.ts';

/** What one question to tmux or git may take; a healthy answer takes milliseconds. */
export const DEFAULT_TIMEOUT_MS = 2000;

/** The numbers that locks name, as they stand and as true holders. */
const pidsNamedBy = (locks: readonly LockFile[], companions: readonly LoneCompanion[]): readonly number[] => {
  const pids = new Set<number>();
  for (const { content, companion, notedPid } of locks) {
    if (content.kind === 'record') pids.add(content.record.pid);
    if (content.kind === 'claim' && content.claim.by === 'number') pids.add(content.claim.pid);
    const holder = content.kind === 'record' ? content.record.holder : null;
    if (holder !== null) pids.add(holder.pid);
    if (notedPid !== undefined) pids.add(notedPid.pid);
    if (companion !== null) pids.add(companion.pid);
  }
  for (const { holder } of companions) pids.add(holder.pid);
  return [...pids];
};

/** Those that a lock names without saying on which machine: a tool in a container writes the number that it has there. */
const pidsOfSomePlace = (locks: readonly LockFile[]): readonly number[] =>
  locks.flatMap(({ content }) =>
    content.kind === 'claim' && content.claim.by === 'number' && content.claim.hostname === ''
      ? [content.claim.pid]
      : [],
  );

/** The administrative directories of linked working trees outside of the root that the locks name: needed where a look at one lock did not scan. */
const linkedGitDirsOf = (locks: readonly LockFile[]): readonly string[] =>
  locks
    .filter(
      ({ tree, worker, pathBytes }) => tree !== undefined && pathBytes === null && worker.startsWith('../'),
    )
    .map(({ path }) => dirname(path));

/**
 * For a look at some workers alone, the other working trees of the repository, outside the root: whom a pane in the root sent to one of
 * them works there. Where no pane is in the root nothing is read.
 */
const siblingsOf = (
  { scan, town: { root } }: GatherRequest,
  { marked }: TownLayout,
  { servers }: TmuxEvidence,
): readonly OutsideTree[] => {
  const isHere = ({ dead, path }: TmuxPane): boolean =>
    !dead && path !== null && relativeTo(root, path) !== null;
  if (scan !== 'worker' || marked || !servers.some(({ panes }) => panes.some(isHere))) return [];
  return siblingsOutside(root);
};

/** Users whose tmux servers and sessions count: the caller, then the town's owner and the owners of lock files. */
const usersOf = (root: string, uid: number, locks: readonly LockFile[]): readonly number[] => {
  const owner = statSync(root, { throwIfNoEntry: false })?.uid ?? uid;
  const takers = locks.map((lock) => lock.uid).filter((taker) => taker !== null);
  return [...new Set([uid, owner, ...takers])];
};

/** Names that panes use for this town's root and that lead to it: symlinked roots are named as they were typed. */
const aliasesOf = ({ root, aliases }: TownRoot, tmux: TmuxEvidence): readonly string[] => {
  const panes = tmux.servers.flatMap((server) => server.panes);
  const named = panes.flatMap(({ environment }) => [environment.GT_TOWN_ROOT, environment.GT_ROOT]);
  const others = [...new Set(named)].filter((path) => path !== undefined).filter((path) => path !== root);
  const mayWait = behindServers(root);
  return [
    ...new Set([...aliases, ...others.filter((path) => !mayWait(path) && isSameDirectory(path, root))]),
  ];
};

/** A single worker is judged without the town's layout, unless panes must be told from other workers' panes. */
const NO_LAYOUT: TownLayout = { marked: false, rigs: [], workers: [], gaps: [] };

/** True where there are panes, so that the worker's must be told from others'. */
export const hasPanes = ({ servers }: TmuxEvidence): boolean =>
  servers.some((server) => server.panes.length > 0);

const layoutFor = (
  request: GatherRequest,
  found: ScanResult,
  locks: readonly LockFile[],
  tmux: TmuxEvidence,
): TownLayout => {
  if (request.layout !== undefined) return request.layout;
  if (request.town.within !== undefined) return NO_LAYOUT;
  const needed = request.scan !== 'worker' || hasPanes(tmux);
  // A scan follows no symlink, and neither does the layout.
  const seen = found.seen === null ? undefined : new Set(found.locks.map(({ place }) => place));
  if (!needed) return { ...NO_LAYOUT, marked: isMarked(request.town.root) };
  const layout = readTownLayout(request.town.root, seen);
  return { ...layout, workers: inTheWordsOf(locks, layout.workers) };
};

/** The same names, each the text that its lock has already: there may be ten thousand. */
const inTheWordsOf = (locks: readonly LockFile[], workers: readonly string[]): readonly string[] => {
  const known = new Map<string, string>();
  for (const { worker } of locks) known.set(worker, worker);
  return workers.map((worker) => known.get(worker) ?? worker);
};

/** With a known layout only the places of the workers in question are looked up again. */
const placeFinder = (
  { town, layout: known }: GatherRequest,
  { workers }: TownLayout,
  asked: readonly string[],
): TownPlaceFinder => {
  if (known === undefined) return townPlaceFinder(town.root, [...new Set([...workers, ...asked])]);
  const find = townPlaceFinder(town.root, asked);
  return (shown, door) => find(shown, door) ?? known.placeInTown(shown, door);
};

/** Panes under another name of the town's directories (a bind mount) are where the town has them. */
const withTownPlaces = (tmux: TmuxEvidence, placeInTown: TownPlaceFinder): TmuxEvidence => ({
  ...tmux,
  servers: tmux.servers.map((server) => ({
    ...server,
    panes: server.panes.map((pane) => {
      const path = pane.path === null ? null : placeInTown(pane.path, pane.path);
      return path === null ? pane : { ...pane, path, otherTown: null };
    }),
  })),
});

/** Directories of the agents whose locks name a session. */
const homesOfSessions = (root: string, locks: readonly LockFile[]): readonly string[] => {
  const homes: string[] = [];
  for (const { content, worker } of locks)
    if (content.kind === 'record' && content.record.sessionId !== '') homes.push(`${root}/${worker}`);
  return homes;
};

const lookAtTmux = (
  request: GatherRequest,
  uids: readonly number[],
  table: ProcessTable,
  locks: readonly LockFile[],
): Promise<TmuxEvidence> => {
  const { town, env, sockets, timeoutMs } = request;
  // A long run has to notice a signal at once; a question about one worker ends before that matters.
  const quiet = request.scan === 'worker';
  const { root, aliases } = town;
  const sessionsIn = homesOfSessions(root, locks);
  return askTmux({ env, uids, root, aliases, sockets, timeoutMs, table, quiet, sessionsIn });
};

/** Places where somebody is seen: in panes, as a process, or by a tool's registry. */
const placesSeen = ({ list }: ProcessEvidence, { servers }: TmuxEvidence): ReadonlySet<string> => {
  const panes = servers.flatMap((server) => server.panes.map(({ path }) => path));
  const processes = list.flatMap(({ cwd, registered, alsoRegistered = [] }) => [
    cwd?.seen === true ? cwd.value : null,
    registered?.cwd ?? null,
    ...alsoRegistered.map((session) => session.cwd),
  ]);
  return new Set([...panes, ...processes].filter((path) => path !== null));
};

/** Reads the evidence that only locks of other kinds need. Loaded only where there is such a lock: a preflight has none. */
const withFiles = async (
  locks: readonly LockFile[],
  table: ProcessTable,
  question: FileQuestion,
): Promise<{ readonly locks: readonly LockFile[]; readonly files?: FileEvidence | undefined }> => {
  if (!locks.some((lock) => needsWitnesses(lock) || isFlock(lock))) return { locks };
  const { readFileEvidence, withoutFreeFlocks } = await import('./files/file-evidence.ts');
  const files = await readFileEvidence(locks, table, question);
  return { locks: withoutFreeFlocks(locks, files), files };
};

/** The same for the facts around locks of git. */
const withGitLocks = async (locks: readonly LockFile[]): Promise<readonly LockFile[]> => {
  if (!locks.some((lock) => lock.gitDir !== undefined && needsWitnesses(lock))) return locks;
  const { withGitLockFacts } = await import('./files/git-lock-facts.ts');
  return withGitLockFacts(locks);
};

/** The names of places: of linked working trees outside the town, and of directories in it that have another name. */
interface PlaceNames {
  /** `../feature`, sorted. */
  readonly worktrees: readonly string[];
  readonly inTown: TownPlaceFinder;
  /** Finds names of either kind. */
  readonly anywhere: TownPlaceFinder;
}

const placeNames = (
  request: GatherRequest,
  layout: TownLayout,
  locks: readonly LockFile[],
  trees: readonly OutsideTree[],
): PlaceNames => {
  const { root } = request.town;
  const worktrees = inNameOrder(new Set(trees.map(({ name }) => name)));
  const outside = outsideNamer(root, worktrees);
  const asked = new Set([...request.workers, ...placesOfClaims(locks), ...worktrees]);
  const inTown = placeFinder(request, layout, [...asked]);
  return { worktrees, inTown, anywhere: (shown, door) => outside(shown) ?? inTown(shown, door) };
};

const placesOfClaims = (locks: readonly LockFile[]): ReadonlySet<string> =>
  new Set(locks.filter(claimsWorker).map(({ worker }) => worker));

/** The host with its starts, which matter only where a number is in use, in another PID namespace than the first, or to a lock of git. */
const withNeededStarts = (
  host: HostFacts,
  root: string,
  table: ProcessTable,
  { lookups }: ProcessEvidence,
  locks: readonly LockFile[],
): HostFacts =>
  host.initialPidNamespace !== true ||
  lookups.some(({ answer }) => answer === 'exists') ||
  locks.some(({ gitDir }) => gitDir !== undefined)
    ? withStarts(host, root, table.rows.get(1) ?? null)
    : host;

const townFacts = (
  { town, scan, around = [], bystanders, formerHosts = [] }: GatherRequest,
  { marked, rigs, workers }: TownLayout,
  agents: readonly string[],
  { worktrees }: PlaceNames,
  seen: ReadonlySet<string>,
  tmux: TmuxEvidence,
): TownFacts => {
  const { root, source, why, within } = town;
  // Where others' locks are not read, they still make places of their own.
  const inhabited =
    marked || within !== undefined
      ? []
      : treesAround(root, seen, scan === 'worker' ? isPlaceOfItsOwn : undefined);
  const trees = inNameOrder(new Set([...inhabited, ...around]));
  return {
    root,
    source,
    why,
    aliases: aliasesOf(town, tmux),
    marked,
    ...(within === undefined && isRepository(root) ? { isRepository: true as const } : {}),
    rigs,
    workers,
    ...(trees.length > 0 ? { trees } : {}),
    ...(worktrees.length > 0 ? { worktrees } : {}),
    agents,
    ...(bystanders.length > 0 ? { bystanders } : {}),
    ...(formerHosts.length > 0 ? { formerHosts } : {}),
  };
};

const legacyIn = (
  { town, scan }: GatherRequest,
  { seen }: ScanResult,
  { rigs, workers }: TownLayout,
  locks: readonly LockFile[],
): readonly LegacyItem[] =>
  scan === 'worker' || town.within !== undefined
    ? []
    : readLegacyItems(town.root, {
        rigs: rigs.map(({ name }) => name),
        workers: [...workers, ...placesOfClaims(locks)],
        oldHomes: seen?.oldHomes ?? null,
      });

/** Absolute paths by which the workers in question were named. */
const namesOf = ({ town: { root }, workers, named = [] }: GatherRequest): readonly string[] => [
  ...workers.map((worker) => join(root, worker)),
  ...named,
];

const leadsOfAll = async (): Promise<readonly Lead[]> =>
  leadsOf(await workingDirectories(await readProcessTable()));

/**
 * Where the working trees lead in which somebody works. Where no linked one is known, nobody is looked at who works on a server's file
 * system apart from what is asked about, which may be silent: a tree that is moved while somebody works in it stays on its own.
 */
const leadsIn = (
  directories: readonly string[],
  { scan, town, workers }: GatherRequest,
  locks: readonly LockFile[],
  linkedGitDirs: readonly DiskPath[],
): readonly Lead[] => {
  const isAnyKnown = linkedGitDirs.length > 0 || locks.some(({ tree }) => tree !== undefined);
  if (scan !== 'worker' && isAnyKnown) return leadsOf(directories);
  const mayWait = behindServers(town.root, workers);
  return leadsOf(directories.filter((directory) => !mayWait(directory)));
};

/** Looks at everything once. Never throws because of what is in the town: whatever could not be seen is in `gaps`. */
export const gather = async (request: GatherRequest): Promise<Snapshot> => {
  const { town, scan, env, timeoutMs, onStage } = request;
  const takenAtMs = Date.now();
  const host = readHost();

  onStage?.('locks');
  const scanned = await findLocks(request);
  const readTreePath = treePathReader();
  const findOutside = outsideFinder(town.root, readTreePath);
  const linked = linkedOutside(request, scanned, findOutside);
  const linkedGitDirs = [...scanned.linkedGitDirs, ...linked.map(({ gitDir }) => gitDir)];
  const missing = goneTrees(linkedGitDirs, town.root, readTreePath);
  const whoseTrees = { root: town.root, named: namesOf(request), linkedGitDirs };
  // Agents take their locks where they are now, and locks are read before the processes.
  const gone = missing.length === 0 || scan === 'worker' ? [] : movedTreesIn(await leadsOfAll(), whoseTrees);
  const moved = movedOutside(
    gone.filter(({ isCopy }) => isCopy !== true),
    town.root,
  );
  const outside = [...linked, ...moved];
  const found = outside.length === 0 ? scanned : withOutside(scanned, request, outside);
  request.onProgress?.(found.directories, found.locks.length);
  const locks = await withGitLocks(readLocks(found.locks, town.root, request.before));
  const companions = readLoneCompanions(town.root, placesInQuestion(request), locks);

  onStage?.('processes');
  const table = await readProcessTable();
  const asker = readAsker(env, table);
  const uids = usersOf(town.root, host.uid, locks);

  onStage?.('tmux');
  const answered = await lookAtTmux(request, uids, table, locks);
  const layout = layoutFor(request, found, locks, answered);
  const recorded = treesOutside([...linkedGitDirs, ...linkedGitDirsOf(locks)], findOutside);
  const besides = siblingsOf(request, layout, answered);
  const names = placeNames(request, layout, locks, [...recorded, ...moved, ...besides]);
  const tmux = withTownPlaces(answered, names.anywhere);
  const agents = [...new Set([...request.agents, ...namesIn(env.GT_PROCESS_NAMES)])];
  const panes = tmux.servers.flatMap((server) => server.panes.filter(({ dead }) => !dead));
  let leads: readonly Lead[] = [];
  const listed = await processEvidence(table, {
    pids: pidsNamedBy(locks, companions),
    panePids: panes.map(({ pid }) => pid),
    agents,
    bystanders: request.bystanders,
    root: town.root,
    placeInTown: names.anywhere,
    treesOutside: names.worktrees.map((name) => join(town.root, name)),
    asker,
    elsewhere: takenElsewhere(locks, host),
    ofSomePlace: pidsOfSomePlace(locks),
    askRegistries: (all) => readRegistries(uids, env, all),
    onDirectories: (directories) => {
      leads = leadsIn(directories, request, locks, linkedGitDirs);
    },
  });
  const workers = () => [...request.workers, ...layout.workers, ...locks.map(({ worker }) => worker)];
  const processes = withReachOfStrangers(listed, workers, { root: town.root, asker: host.uid, agents });
  const { lookups } = processes;
  const leftRunning = await lookAfterExec({ table, locks, companions, lookups, root: town.root, asker });
  const started = withNeededStarts(host, town.root, table, processes, locks);
  const { files, locks: kept } = await withFiles(
    withMovedTrees(withCopiesElsewhere(locks, town.root, lookups, tmux), leads),
    table,
    {
      host: started,
      placeInTown: names.inTown,
      git: scan === 'worker' ? null : { env, timeoutMs },
    },
  );

  const movedTrees = movedTreesIn(leads, whoseTrees);

  onStage?.('git');
  const seen = placesSeen(processes, tmux);
  const repositories = found.seen?.repositories;
  await addGitFacts(kept, {
    timeoutMs,
    env,
    ignored: scan !== 'worker',
    scanned: repositories === undefined ? undefined : { root: town.root, repositories },
  });
  return {
    snapshotVersion: 1,
    takenAtMs,
    scan,
    asked: scan === 'worker' ? request.workers : [],
    directories: found.directories,
    town: {
      ...townFacts(request, layout, agents, names, seen, tmux),
      ...(missing.length > 0 ? { goneTrees: missing } : {}),
      ...(movedTrees.length > 0 ? { movedTrees } : {}),
    },
    locks: kept,
    ...(companions.length > 0 ? { companions } : {}),
    leftovers: readLeftovers(found.leftovers, town.root),
    legacy: legacyIn(request, found, layout, locks),
    machine: {
      host: started,
      asker,
      processes: leftRunning.length > 0 ? { ...processes, leftRunning } : processes,
      tmux,
      ...(files === undefined ? {} : { files }),
    },
    gaps: [
      ...(request.gaps ?? []),
      ...found.gaps,
      ...unlistedGaps(request, found, layout.workers, seen),
      ...layout.gaps,
      ...(scan === 'worker' ? [] : silentTrees(linkedGitDirs, readTreePath)),
    ],
  };
};
