/**
 * Gathers all evidence of one run into a snapshot. The order is part of the promise: locks first, then processes, then
 * tmux; the other way round an agent that starts meanwhile would look dead.
 */

import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isFlock, needsWitnesses } from '../core/judge/witnesses.ts';
import { namesIn } from '../core/programs/by-name.ts';
import { claimsWorker } from '../core/town/claims-worker.ts';
import { relativeTo } from '../core/town/roles.ts';
import type {
  FileEvidence,
  Gap,
  LockFile,
  LoneCompanion,
  ProcessEvidence,
  ScanMode,
  Snapshot,
  TmuxEvidence,
} from '../core/types/evidence.ts';
import { displayPath } from '../io/disk/disk-path.ts';
import type { FileQuestion } from './files/file-evidence.ts';
import { addGitFacts } from './git/facts.ts';
import { linkedGitDirOf } from './git/linked-tree.ts';
import { readAsker, readHost } from './host.ts';
import { findAgain } from './locks/find-again.ts';
import type { LockTable } from './locks/lock-table.ts';
import { readLoneCompanions } from './locks/lone-companions.ts';
import { readLeftovers } from './locks/read-leftovers.ts';
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
import { closedHomes, type ScanResult, scanPlaces, scanTownInTurns } from './scan/scan.ts';
import { askTmux } from './tmux/tmux.ts';
import { readTownLayout, type TownLayout } from './town/layout.ts';
import { readLegacyItems } from './town/legacy.ts';
import { isMarked, isRepository } from './town/marker.ts';
import { type OutsideNames, outsideNamer, outsideNames, treesOutside } from './town/outside-trees.ts';
import { isSameDirectory, type TownPlaceFinder, townPlaceFinder } from './town/place.ts';
import type { TownRoot } from './town/root.ts';
import { treesAround } from './town/trees.ts';

/** What one question to tmux or git may take; a healthy answer takes milliseconds. */
export const DEFAULT_TIMEOUT_MS = 2000;

export type Stage = 'locks' | 'processes' | 'tmux' | 'git';

/** A layout together with the names by which its places are known. */
export interface KnownLayout extends TownLayout {
  readonly placeInTown: TownPlaceFinder;
}

export interface GatherRequest {
  readonly town: TownRoot;
  /** What is looked for; default: agents' own locks alone. */
  readonly table?: LockTable | undefined;
  readonly scan: ScanMode;
  /** Relative to the town. For `scan: 'worker'` nothing else is looked at; other scans look at them by name besides. */
  readonly workers: readonly string[];
  /** For `scan: 'worker'`: known locks of these workers, found again by their paths, wherever their kinds keep them. */
  readonly locks?: readonly LockFile[] | undefined;
  /** The layout as an earlier look of the same run saw it; default: read where it is needed. */
  readonly layout?: KnownLayout | undefined;
  /** tmux sockets by name or path; empty: all of the user's. */
  readonly sockets: readonly string[];
  /** Milliseconds for each question to tmux and to git. */
  readonly timeoutMs: number;
  /** Agent commands to know besides the built-in ones. */
  readonly agents: readonly string[];
  /** Commands to be treated as bystanders besides the built-in ones. */
  readonly bystanders: readonly string[];
  /** Host names that are gone for good, or were this machine's. */
  readonly formerHosts?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gaps that are known already. */
  readonly gaps?: readonly Gap[] | undefined;
  /** Locks of an earlier look: only files that changed since are read again. */
  readonly before?: readonly LockFile[] | undefined;
  /** Called now and then while the town is scanned, and at the end, with what was met so far. */
  readonly onProgress?: ((directories: number, locks: number) => void) | undefined;
  readonly onStage?: ((stage: Stage) => void) | undefined;
}

const findLocks = async (request: GatherRequest): Promise<ScanResult> => {
  const { town, scan, workers, table, locks = [], onProgress } = request;
  if (scan === 'worker') {
    const found = scanPlaces(workers.map((worker) => join(town.root, worker)));
    const known = new Set(found.locks.map(({ path }) => path));
    const again = locks
      .filter(({ path }) => !known.has(path))
      .map((lock) => findAgain(lock, town.root, table))
      .filter((lock) => lock !== null);
    return { ...found, locks: [...found.locks, ...again] };
  }
  // Every pane's path is the working directory of some process, so the process table gives all of them.
  const places = scan === 'quick' ? await workingDirectories(await readProcessTable()) : [];
  return scanTownInTurns({
    root: town.root,
    mode: scan,
    places,
    ...(town.within === undefined ? {} : { within: town.within }),
    ...(table === undefined ? {} : { table }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
};

/** The numbers that locks name, as they stand and as true holders. */
const pidsNamedBy = (locks: readonly LockFile[], companions: readonly LoneCompanion[]): readonly number[] => {
  const pids = locks.flatMap(({ content, companion, notedPid }) => [
    ...(content.kind === 'record' ? [content.record.pid, content.record.holder?.pid ?? null] : []),
    content.kind === 'claim' && content.claim.by === 'number' ? content.claim.pid : null,
    notedPid?.pid ?? null,
    companion?.pid ?? null,
  ]);
  return [...new Set([...pids.filter((pid) => pid !== null), ...companions.map(({ holder }) => holder.pid)])];
};

/** The working trees outside of the root that git's files point to, and that point back: agents work and take locks there. */
const linkedOutside = (
  { town, scan, workers }: GatherRequest,
  { linkedGitDirs }: ScanResult,
  nameOf: OutsideNames,
): ReadonlyMap<string, string> => {
  if (town.within !== undefined) return new Map();
  const names =
    scan === 'worker'
      ? workers.filter((worker) => worker.startsWith('../'))
      : treesOutside(linkedGitDirs, nameOf);
  return new Map(
    names.flatMap((name) => {
      const gitDir = linkedGitDirOf(join(town.root, name));
      return gitDir === null ? [] : [[name, gitDir] as const];
    }),
  );
};

/** A walk does not leave the root: what lies right in those trees is looked at by name. */
const withOutside = (
  found: ScanResult,
  { town, scan }: GatherRequest,
  outside: Iterable<string>,
): ScanResult => {
  if (scan === 'worker') return found;
  const there = scanPlaces([...outside].map((name) => join(town.root, name)));
  const { locks, leftovers, gaps } = there;
  if (locks.length + leftovers.length + gaps.length === 0) return found;
  return {
    ...found,
    locks: [...found.locks, ...locks],
    leftovers: [...found.leftovers, ...leftovers],
    gaps: [...found.gaps, ...gaps],
  };
};

/** The administrative directories of linked working trees that the locks name: needed where a look at one lock did not scan. */
const linkedGitDirsOf = (locks: readonly LockFile[]): readonly string[] =>
  locks.filter(({ tree }) => tree !== undefined).map(({ path }) => dirname(path));

/** Users whose tmux servers and sessions count: the caller, then the town's owner and the owners of lock files. */
const usersOf = (root: string, uid: number, locks: readonly LockFile[]): readonly number[] => {
  const owner = statSync(root, { throwIfNoEntry: false })?.uid ?? uid;
  const takers = locks.map((lock) => lock.uid).filter((taker) => taker !== null);
  return [...new Set([uid, owner, ...takers])];
};

/** Places of locks in homes and, for a walk, every directory between its root and them: the walk has listed these already. */
const listedOnTheWay = (root: string | null, locks: ScanResult['locks']): ReadonlySet<string> => {
  const listed = new Set<string>();
  for (const { place, kind } of locks) {
    // Other kinds are found without listing their place, and no place of the layout has a name in bytes.
    if (typeof place !== 'string' || !('homes' in kind.where)) continue;
    let path = place;
    while (!listed.has(path)) {
      listed.add(path);
      if (root === null || path.length <= root.length) break;
      path = dirname(path);
    }
  }
  return listed;
};

/** Gaps at places that the walk did not list: workers without a lock, `named` or not, and places where somebody was `seen`. */
const unlistedGaps = (
  { town, scan, workers: named }: GatherRequest,
  { gaps, locks }: ScanResult,
  workers: readonly string[],
  seen: ReadonlySet<string>,
): readonly Gap[] => {
  if (scan === 'worker' || town.within !== undefined) return [];
  const known = new Set(gaps.map(({ what }) => what));
  const listed = listedOnTheWay(scan === 'quick' ? null : town.root, locks);
  const inTown = [...seen].filter((path) => relativeTo(town.root, path) !== null);
  // A quick look goes through the layout by name.
  const below = town.root === '/' ? '/' : `${town.root}/`;
  const byName = scan === 'quick' ? [] : workers.map((worker) => below + worker);
  const asked = named.map((worker) => join(town.root, worker));
  const places = [...new Set([...byName, ...asked, ...inTown])].filter((place) => !listed.has(place));
  // A directory that is closed as a whole has one gap; places in it get none of their own.
  const open = places.filter((place) => !known.has(`directory:${displayPath(place)}`));
  return closedHomes(open).filter(({ what }) => !known.has(what));
};

/** Names that panes use for this town's root and that lead to it: symlinked roots are named as they were typed. */
const aliasesOf = ({ root, aliases }: TownRoot, tmux: TmuxEvidence): readonly string[] => {
  const panes = tmux.servers.flatMap((server) => server.panes);
  const named = panes.flatMap(({ environment }) => [environment.GT_TOWN_ROOT, environment.GT_ROOT]);
  const others = [...new Set(named)].filter((path) => path !== undefined).filter((path) => path !== root);
  return [...new Set([...aliases, ...others.filter((path) => isSameDirectory(path, root))])];
};

/** A single worker is judged without the town's layout, unless panes must be told from other workers' panes. */
const NO_LAYOUT: TownLayout = { marked: false, rigs: [], workers: [], gaps: [] };

/** True where there are panes, so that the worker's must be told from others'. */
export const hasPanes = ({ servers }: TmuxEvidence): boolean =>
  servers.some((server) => server.panes.length > 0);

const layoutFor = (request: GatherRequest, found: ScanResult, tmux: TmuxEvidence): TownLayout => {
  if (request.layout !== undefined) return request.layout;
  if (request.town.within !== undefined) return NO_LAYOUT;
  const needed = request.scan !== 'worker' || hasPanes(tmux);
  // A scan follows no symlink, and neither does the layout.
  const seen = found.seen === null ? undefined : new Set(found.locks.map(({ place }) => place));
  if (needed) return readTownLayout(request.town.root, seen);
  return { ...NO_LAYOUT, marked: isMarked(request.town.root) };
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
  const named = locks.filter(({ content }) => content.kind === 'record' && content.record.sessionId !== '');
  return [...new Set(named.map(({ worker }) => join(root, worker)))];
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

/** Looks at everything once. Never throws because of what is in the town: whatever could not be seen is in `gaps`. */
export const gather = async (request: GatherRequest): Promise<Snapshot> => {
  const { town, scan, env, timeoutMs, onStage, formerHosts = [] } = request;
  const takenAtMs = Date.now();
  const host = readHost();

  onStage?.('locks');
  const scanned = await findLocks(request);
  const nameOutside = outsideNames(town.root);
  const linked = linkedOutside(request, scanned, nameOutside);
  const found = linked.size === 0 ? scanned : withOutside(scanned, request, linked.keys());
  request.onProgress?.(found.directories, found.locks.length);
  const locks = await withGitLocks(readLocks(found.locks, town.root, request.before));
  const companions = readLoneCompanions(town.root, request.workers, locks);

  onStage?.('processes');
  const table = await readProcessTable();
  const asker = readAsker(env, table);
  const uids = usersOf(town.root, host.uid, locks);

  onStage?.('tmux');
  const answered = await lookAtTmux(request, uids, table, locks);
  const layout = layoutFor(request, found, answered);
  const lockedPlaces = new Set(locks.filter(claimsWorker).map(({ worker }) => worker));
  const asked = [...new Set([...request.workers, ...lockedPlaces])];
  const worktrees = treesOutside(
    [...found.linkedGitDirs, ...linkedGitDirsOf(locks), ...linked.values()],
    nameOutside,
  );
  const outside = outsideNamer(town.root, worktrees);
  const finder = placeFinder(request, layout, asked);
  const placeInTown: TownPlaceFinder = (shown, door) => outside(shown) ?? finder(shown, door);
  const tmux = withTownPlaces(answered, placeInTown);
  const agents = [...new Set([...request.agents, ...namesIn(env.GT_PROCESS_NAMES)])];
  const panePids = tmux.servers.flatMap((server) =>
    server.panes.filter(({ dead }) => !dead).map(({ pid }) => pid),
  );
  const processes = await processEvidence(table, {
    pids: pidsNamedBy(locks, companions),
    panePids,
    agents,
    bystanders: request.bystanders,
    root: town.root,
    placeInTown,
    ...(worktrees.length > 0 ? { outside } : {}),
    asker,
    elsewhere: takenElsewhere(locks, host),
    askRegistries: (all) => readRegistries(uids, env, all),
  });

  const seen = placesSeen(processes, tmux);
  const trees = layout.marked || town.within !== undefined ? [] : treesAround(town.root, seen);

  const leftRunning = await lookAfterExec({
    table,
    locks,
    companions,
    lookups: processes.lookups,
    root: town.root,
    asker,
  });

  // The machine's start matters only where a number is in use, or a lock may be of another namespace or names nobody.
  const started =
    (host.initialPidNamespace !== true && locks.length + companions.length > 0) ||
    processes.lookups.some(({ answer }) => answer === 'exists') ||
    locks.some(({ gitDir }) => gitDir !== undefined)
      ? withStarts(host, town.root, table.rows.get(1) ?? null)
      : host;
  const { files, locks: kept } = await withFiles(locks, table, {
    host: started,
    placeInTown: (shown, door) => finder(shown, door),
    git: scan === 'worker' ? null : { env, timeoutMs },
  });

  onStage?.('git');
  const whole = scan !== 'worker';
  const gaps: readonly Gap[] = [
    ...(request.gaps ?? []),
    ...found.gaps,
    ...unlistedGaps(request, found, layout.workers, seen),
    ...layout.gaps,
  ];
  return {
    snapshotVersion: 1,
    takenAtMs,
    scan,
    asked: scan === 'worker' ? request.workers : [],
    directories: found.directories,
    town: {
      root: town.root,
      source: town.source,
      why: town.why,
      aliases: aliasesOf(town, tmux),
      marked: layout.marked,
      ...(town.within === undefined && isRepository(town.root) ? { isRepository: true as const } : {}),
      rigs: layout.rigs,
      workers: layout.workers,
      ...(trees.length > 0 ? { trees } : {}),
      ...(worktrees.length > 0 ? { worktrees } : {}),
      agents,
      ...(request.bystanders.length > 0 ? { bystanders: request.bystanders } : {}),
      ...(formerHosts.length > 0 ? { formerHosts } : {}),
    },
    locks: await addGitFacts(kept, {
      timeoutMs,
      env,
      ignored: whole,
      scanned: found.seen === null ? undefined : { root: town.root, repositories: found.seen.repositories },
    }),
    ...(companions.length > 0 ? { companions } : {}),
    leftovers: readLeftovers(found.leftovers, town.root),
    legacy:
      whole && town.within === undefined
        ? readLegacyItems(town.root, {
            rigs: layout.rigs.map(({ name }) => name),
            workers: [...layout.workers, ...lockedPlaces],
            oldHomes: found.seen?.oldHomes ?? null,
          })
        : [],
    machine: {
      host: started,
      asker,
      processes: leftRunning.length > 0 ? { ...processes, leftRunning } : processes,
      tmux,
      ...(files === undefined ? {} : { files }),
    },
    gaps,
  };
};
