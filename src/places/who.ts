/** Who works in these directories, and by what evidence. Reads only. */
import { relativeTo } from '../core/town/roles.ts';
import type { Gap, Snapshot } from '../core/types/evidence.ts';
import { EXIT, type PlaceOfWork, type WhoReport } from '../core/types/report.ts';
import { lookInto, openBeside, openTown } from '../diagnose.ts';
import { documentOf } from '../document.ts';
import { isRepository } from '../evidence/town/marker.ts';
import { treesInside } from '../evidence/town/new-worker.ts';
import { isNoDirectory } from '../io/disk/entry-exists.ts';
import type { LookOptions } from '../look.ts';
import { directoryNamed, type NamedDirectory, peopleIn } from './directory-named.ts';

/**
 * Who works in these directories: each worker in or around one is a place. Without a directory, where the caller stands in the
 * town. 22 where something could not be looked at.
 *
 * @throws Failure E_USAGE for a directory that is not there
 */
export const who = async (
  town: string | undefined,
  directories: readonly string[],
  options: LookOptions = {},
): Promise<WhoReport> => {
  const { cwd = process.cwd() } = options;
  const here = await openTown(town, options);
  const named: readonly NamedDirectory[] =
    directories.length === 0
      ? [{ root: here.town.root, worker: relativeTo(here.town.root, cwd) ?? '.' }]
      : directories.map((given) => directoryNamed(given, here.town, cwd));
  const places = new Map<string, PlaceOfWork>();
  const gaps: Gap[] = [];
  for (const root of new Set(named.map((each) => each.root))) {
    const place = root === here.town.root ? here : openBeside(here, root, options);
    const asked = named.filter((each) => each.root === root);
    const trees = isRepository(root) ? treesInside(root) : [];
    const workers = [...asked.map(({ worker }) => worker).filter((worker) => worker !== '.'), ...trees];
    const snapshot = await lookInto(place, workers, options);
    gaps.push(...snapshot.gaps);
    for (const each of asked)
      for (const found of peopleIn(each, snapshot, trees))
        places.set(found.path, { ...markIfGone(found), ...elsewhere(found, snapshot) });
  }
  const isWhole = [...places.values()].every(({ unseen }) => unseen.length === 0);
  return documentOf('who', isWhole ? EXIT.ok : EXIT.unsure, { places: [...places.values()], gaps });
};

/** Where somebody works in the worktree that git lists at this place. */
const elsewhere = (
  { worker, path }: PlaceOfWork,
  { town: { movedTrees } }: Snapshot,
): Pick<PlaceOfWork, 'movedTo' | 'isCopy'> => {
  const tree = movedTrees?.find(({ name, movedTo }) => name === worker && movedTo !== path);
  return tree === undefined
    ? {}
    : { movedTo: tree.movedTo, ...(tree.isCopy === true ? { isCopy: true } : {}) };
};

const markIfGone = (place: PlaceOfWork): PlaceOfWork =>
  isNoDirectory(place.path) ? { ...place, isGone: true } : place;
