/** Finds runtime state that still lies in `.gastown/`, and where it belongs now. Reads only. */
import { AGENT_HOME, OLD_HOME } from '../../core/record/lock-names.ts';
import { fitsSome } from '../../core/record/name-pattern.ts';
import { inNameOrder } from '../../core/town/name-order.ts';
import type { LegacyItem } from '../../core/types/evidence.ts';
import { realDisk } from '../../io/disk/disk.ts';
import { lstatSync } from '../../io/file-systems/servers.ts';
import { tryOr } from '../../io/try-or.ts';
import { agentTable } from '../locks/lock-table.ts';
import { isNamedLikeLock } from '../scan/homes.ts';

/** Files of `.gastown/` that do not move to `.runtime/` under their old name, by level. */
const TOWN_TARGETS: Readonly<Record<string, string>> = { 'config.json': 'mayor/config.json' };
const RIG_TARGETS: Readonly<Record<string, string>> = {
  'config.json': 'settings/config.json',
  'namepool.json': `${AGENT_HOME}/namepool-state.json`,
};
const WORKER_TARGETS: Readonly<Record<string, string>> = {};

/** Where runtime state may have been left behind; directories relative to the town root. */
export interface LegacyPlaces {
  readonly rigs: readonly string[];
  /** Worker directories, canonical or not; rigs and the root may be among them and are recognized. */
  readonly workers: readonly string[];
  /** Absolute paths of all directories that have a `.gastown`; null where no scan has seen all, and each is looked at. */
  readonly oldHomes: ReadonlySet<string> | null;
}

/**
 * What is still in `.gastown/` at the level of the town, its rigs and workers, with the place that each moved to in
 * December 2025 (contract, section 4). What cannot be listed is left out, because the scan reports it.
 */
export const readLegacyItems = (
  root: string,
  { rigs, workers, oldHomes }: LegacyPlaces,
): readonly LegacyItem[] => {
  if (oldHomes?.size === 0) return [];
  const upper = new Set(['.', ...rigs]);
  const mayHaveOne = (place: string): boolean => oldHomes?.has(inRoot(root, place)) ?? true;
  return [
    ...itemsOf(root, '.', TOWN_TARGETS),
    ...inNameOrder(rigs).flatMap((rig) => itemsOf(root, rig, RIG_TARGETS)),
    ...inNameOrder(new Set(workers.filter((worker) => !upper.has(worker) && mayHaveOne(worker)))).flatMap(
      (worker) => itemsOf(root, worker, WORKER_TARGETS),
    ),
  ];
};

const itemsOf = (root: string, place: string, targets: Readonly<Record<string, string>>): LegacyItem[] => {
  const prefix = place === '.' ? '' : `${place}/`;
  const absolute = (relative: string): string => inRoot(root, relative);
  return listNames(absolute(`${prefix}${OLD_HOME}`))
    .filter(isState)
    .sort()
    .map((name) => {
      const from = `${prefix}${OLD_HOME}/${name}`;
      const to = `${prefix}${(Object.hasOwn(targets, name) ? targets[name] : undefined) ?? `${AGENT_HOME}/${name}`}`;
      return {
        from,
        to,
        targetExists: typeAt(absolute(to)) !== 'absent',
        isDirectory: typeAt(absolute(from)) === 'directory',
      };
    });
};

const inRoot = (root: string, relative: string): string => `${root === '/' ? '' : root}/${relative}`;

/** The lock itself moves; its guard (`agent.lock.flock`) and the leftovers beside it stay where they are. */
const isState = (name: string): boolean => {
  const { homes, kindsIn } = agentTable;
  const home = homes.get(OLD_HOME);
  const isLock = kindsIn.get(OLD_HOME)?.some(({ names }) => fitsSome(names, name));
  return isLock === true || home === undefined || !isNamedLikeLock(home, name);
};

/** Names in a directory; none where it is a symlink, or cannot be listed. */
const listNames = (directory: string): string[] => {
  if (typeAt(directory) !== 'directory') return [];
  // The scan has made a gap of it.
  return tryOr(() => realDisk.list(directory).map(({ name }) => name), []);
};

/** `other` also where looking failed: something may be there that must not be overwritten. */
const typeAt = (path: string): 'directory' | 'other' | 'absent' => {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return 'absent';
    return stat.isDirectory() ? 'directory' : 'other';
  } catch {
    return 'other';
  }
};
