/** Finds the locks of a town: everywhere, at known places, or at one worker. Reads only. */

import { realpathSync } from 'node:fs';
import { leftoverKind } from '../../core/record/lock-names.ts';
import type { Gap, Leftover, LockFile } from '../../core/types/evidence.ts';
import type { Kind } from '../../core/types/kind.ts';
import { elapsedMs } from '../../io/clock.ts';
import { type Disk, realDisk } from '../../io/disk/disk.ts';
import { type DiskPath, fromLatin1, joinPath } from '../../io/disk/disk-path.ts';
import { builtInTable, type KindInHome, type LockTable } from '../locks/lock-table.ts';
import { knownPlaces, LOCK_LAYOUT, searchPlaces, withAncestors } from './known-places.ts';
import { trustedDevice } from './leaf-rule.ts';
import {
  type Directory,
  type Findings,
  noFindings,
  openHome,
  type Sighting,
  type WalkOptions,
  walkAll,
} from './walk.ts';
import { walkWithHelper } from './walk-with-helper.ts';

export interface ScanOptions {
  /** Town root; may be a symlink. Paths that are found lie below its real path. */
  readonly root: string;
  /** `deep`: everything. `default`: all but `PRUNED`. `quick`: where workers are known to be, and `places`. */
  readonly mode: 'default' | 'deep' | 'quick';
  /** For `quick`: absolute directories in which agents were seen; each of their ancestors in the root is looked at. */
  readonly places?: readonly string[];
  /** Two: a helper thread walks along. `auto` (the default) decides by size and load; `quick` never needs one. */
  readonly threads?: 'auto' | 1 | 2;
  /** Called every few thousand directories with the number of those entered so far, and of the places with locks. */
  readonly onProgress?: (directories: number, locks: number) => void;
  /** Another file system, for tests. */
  readonly disk?: Disk;
  /** What is looked for; default: the locks of the built-in kinds. */
  readonly table?: LockTable;
}

/** Something named like a lock where one belongs; of whatever file type. */
export interface FoundLock {
  readonly kind: Kind;
  /** Absolute path of the lock. */
  readonly path: DiskPath;
  /** The directory it speaks for. */
  readonly place: DiskPath;
  readonly layout: LockFile['layout'];
  /** Path of the second record where one lies beside it. */
  readonly companion: DiskPath | null;
  /** The same directory has a lock at the new place as well (legacy locks only). */
  readonly hasTwin: boolean;
}

/** A file that a killed run left beside a lock, or where a lock was. */
export interface FoundLeftover {
  readonly path: DiskPath;
  readonly place: DiskPath;
  readonly kind: Leftover['kind'];
}

export interface ScanResult {
  readonly locks: readonly FoundLock[];
  readonly leftovers: readonly FoundLeftover[];
  /** Directories that were looked into. */
  readonly directories: number;
  readonly gaps: readonly Gap[];
  /** What a scan knows besides; null where it did not see the whole town: a look at known places, or one with gaps. */
  readonly seen: SeenOnTheWay | null;
}

/** Absolute paths; those that are no UTF-8 are left out. */
export interface SeenOnTheWay {
  /** Directories with an entry `.git`, and with a home of an older layout. Places of locks and those above had none where they are missing. */
  readonly repositories: ReadonlySet<string>;
  readonly oldHomes: ReadonlySet<string>;
}

/**
 * Exact names that a default scan does not enter: repositories and databases, where no agent has its working
 * directory. `node_modules` is not among them, for an agent may be started inside a package.
 */
export const PRUNED: ReadonlySet<string> = new Set(['.git', '.repo.git', '.dolt-data', '.dolt-backup']);

/**
 * Finds every lock below a town root. Never follows a symlinked directory; what cannot be read becomes a gap; what
 * vanishes meanwhile does not. Throws where the root itself cannot be resolved.
 */
export const scanTown = (options: ScanOptions): ScanResult => {
  const steps = scanSteps(options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
};

/** Milliseconds after which a scan lets signals, timers and the screen have their turn. */
const BREATH_MS = 50;

/** The same without keeping everything else waiting: a long scan can be interrupted, and shows its progress. */
export const scanTownInTurns = async (options: ScanOptions): Promise<ScanResult> => {
  const steps = scanSteps(options);
  let breathed = elapsedMs();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (elapsedMs() - breathed < BREATH_MS) continue;
    await new Promise((resolve) => setImmediate(resolve));
    breathed = elapsedMs();
  }
};

function* scanSteps(options: ScanOptions): Generator<void, ScanResult> {
  const root = realpathSync.native(options.root);
  const findings = noFindings();
  const how = walkOptions(options);
  if (options.mode === 'quick') {
    const places = [
      ...knownPlaces(root, LOCK_LAYOUT, how, findings),
      ...withAncestors(root, options.places ?? [], how, findings),
    ];
    searchPlaces(
      [...new Map(places.map((place) => [`${place.raw} ${place.path}`, place])).values()],
      how,
      findings,
    );
  } else {
    const start = { path: root, raw: false, leafDevice: trustedDevice(how.disk, root) };
    const threads = options.threads ?? 'auto';
    // The helper knows the real disk only.
    if (threads === 1 || options.disk !== undefined) walkAll([start], how, findings);
    else yield* walkWithHelper(start, threads === 2, how, findings);
  }
  const { repositories, oldHomes } = findings;
  // What lies in a directory that could not be listed, nobody has seen.
  const isWhole = options.mode !== 'quick' && findings.gaps.length === 0;
  const seen = isWhole ? { repositories: pathsOf(repositories), oldHomes: pathsOf(oldHomes) } : null;
  return resultOf(findings, seen, options.table);
}

/** Looks for the lock of these directories alone (absolute paths), not below them. One that does not exist is no gap. */
export const scanPlaces = (places: readonly string[], disk: Disk = realDisk): ScanResult => {
  const findings = noFindings();
  const how = walkOptions({ root: '/', mode: 'quick', disk });
  searchPlaces(
    places.map((path) => ({ path, raw: false })),
    how,
    findings,
  );
  return resultOf(findings, null);
};

/**
 * The gaps at the homes of locks of these directories (absolute paths): a walk does not list a directory without
 * sub-directories, and a symlink is none.
 */
export const closedHomes = (places: readonly string[]): readonly Gap[] => {
  const findings = noFindings();
  for (const path of places)
    for (const home of builtInTable.homes.keys())
      openHome({ path: `${path}/${home}`, raw: false }, realDisk, findings);
  return findings.gaps;
};

const walkOptions = ({ mode, disk, onProgress, table = builtInTable }: ScanOptions): WalkOptions => ({
  disk: disk ?? realDisk,
  homes: table.homes,
  prune: mode === 'deep' ? new Set() : PRUNED,
  uid: process.geteuid?.() ?? -1,
  onDirectory: onProgress ?? null,
});

const resultOf = (
  { sightings, directories, gaps }: Findings,
  seen: SeenOnTheWay | null,
  { kindsIn }: LockTable = builtInTable,
): ScanResult => {
  const homes = sightings.map(placeOf);
  const sighted = homes.flatMap((at) =>
    (kindsIn.get(at.homeName) ?? [])
      .filter(({ kind }) => at.names.includes(kind.where.name))
      .map(({ kind, layout }) => ({ at, kind, layout })),
  );
  const isAtOldPlace = ({ layout }: KindInHome): boolean => layout === 'legacy';
  const placeAndKind = ({ at, kind }: (typeof sighted)[number]): string => `${kind.id} ${at.key}`;
  const atNewPlace = sighted.some(isAtOldPlace)
    ? new Set(sighted.filter((each) => !isAtOldPlace(each)).map(placeAndKind))
    : null;
  const locks = sighted.map((each): FoundLock => {
    const { at, kind, layout } = each;
    const { name, companion } = kind.where;
    return {
      kind,
      path: joinPath(at.home, name),
      place: at.place,
      layout,
      companion:
        companion !== undefined && at.names.includes(companion) ? joinPath(at.home, companion) : null,
      hasTwin: isAtOldPlace(each) && atNewPlace?.has(placeAndKind(each)) === true,
    };
  });
  const leftovers = homes.flatMap(({ home, place, names }) =>
    names.flatMap((name) => {
      const kind = leftoverKind(name);
      return kind === null ? [] : [{ path: joinPath(home, name), place, kind }];
    }),
  );
  gaps.sort((a, b) => (a.what < b.what ? -1 : 1));
  return { locks, leftovers, directories, gaps, seen };
};

const placeOf = ({ home: { path, raw }, names }: Sighting) => {
  const end = path.lastIndexOf('/');
  const key = end === 0 ? '/' : path.slice(0, end);
  return { key, homeName: path.slice(end + 1), home: exact(path, raw), place: exact(key, raw), names };
};

/** Names that only look odd are walked as bytes, and are text all the same. */
const pathsOf = (places: readonly Directory[]): ReadonlySet<string> =>
  new Set(places.map(({ path, raw }) => exact(path, raw)).filter((path) => typeof path === 'string'));

const exact = (path: string, raw: boolean): DiskPath => (raw ? fromLatin1(path) : path);
