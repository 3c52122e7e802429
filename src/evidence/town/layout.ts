/** Reads a town's rigs and workers from its layout, without a scan. Writes nothing. */
import { inNameOrder } from '../../core/town/name-order.ts';
import { ownerOf } from '../../core/town/roles.ts';
import type { Gap, Rig, TownFacts } from '../../core/types/evidence.ts';
import { fieldsOf } from '../../core/unchecked.ts';
import { realDisk } from '../../io/disk/disk.ts';
import { type DiskPath, displayRelative, fromLatin1, joinPath } from '../../io/disk/disk-path.ts';
import { readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import { tryOr } from '../../io/try-or.ts';
import { agentTable } from '../locks/lock-table.ts';
import { knownPlaces, WORKER_LAYOUT } from '../scan/known-places.ts';
import { PRUNED } from '../scan/scan.ts';
import { nothingWalked } from '../scan/walk.ts';
import { isMarked } from './marker.ts';

/** A rig takes some hundred bytes. */
const MAX_RIGS_BYTES = 65_536;

/** What the known layout of a town says, without a scan. */
export interface TownLayout extends Pick<TownFacts, 'marked' | 'rigs' | 'workers'> {
  /** `rigs` where rigs.json is damaged or unreadable. Unreadable directories are reported by the scan. */
  readonly gaps: readonly Gap[];
}

/**
 * Reads the layout of the town at the real path `root`; directories that a scan has `seen` are not looked at again. Never
 * throws for what is missing, damaged or unreadable.
 */
export const readTownLayout = (root: string, seen: ReadonlySet<DiskPath> = new Set()): TownLayout => {
  const directories = directoriesOf(root, seen);
  const { rigs, gaps } = readRigs(root, directories);
  return {
    marked: isMarked(root),
    rigs,
    workers: inNameOrder(directories.filter((directory) => ownerOf(directory)?.canonical)),
    gaps,
  };
};

const directoriesOf = (root: string, seen: ReadonlySet<DiskPath>): readonly string[] => {
  const options = {
    disk: realDisk,
    homes: agentTable.claimHomes,
    files: null,
    inGitDirs: false,
    prune: PRUNED,
    uid: -1,
    onDirectory: null,
  };
  return knownPlaces(root, WORKER_LAYOUT, options, nothingWalked(), seen).map(({ path, raw }) =>
    displayRelative(root, raw ? fromLatin1(path) : path),
  );
};

const readRigs = (
  root: string,
  directories: readonly string[],
): { readonly rigs: readonly Rig[]; readonly gaps: readonly Gap[] } => {
  const reading = readSmallFile(readingCalls, joinPath(root, 'mayor/rigs.json'), MAX_RIGS_BYTES);
  if (reading.kind === 'absent') return { rigs: guessRigs(directories), gaps: [] };
  const parsed = reading.kind === 'file' ? parseRigs(reading.bytes) : null;
  if (parsed !== null) return { rigs: parsed, gaps: [] };
  const fault =
    reading.kind === 'unread'
      ? reading.why
      : reading.kind === 'file'
        ? 'is damaged'
        : 'is not a small regular file';
  return {
    rigs: guessRigs(directories),
    gaps: [{ what: 'rigs', why: `mayor/rigs.json: ${fault}; rigs are known by their directories only` }],
  };
};

/** Top directories in which one of a rig's own directories lies. */
const guessRigs = (directories: readonly string[]): readonly Rig[] => {
  const names = directories
    .filter((directory) => /^[^/]+\/(crew|polecats|witness|refinery|mayor)$/.test(directory))
    .map((directory) => directory.slice(0, directory.indexOf('/')))
    .filter((name) => ownerOf(`${name}/witness`)?.role === `${name}/witness`);
  return inNameOrder(new Set(names)).map((name) => ({ name, prefix: null }));
};

/**
 * The rigs that `mayor/rigs.json` names, sorted; null where the bytes are not such a document. A rig whose entry has no
 * usable prefix has `prefix: null`.
 */
const parseRigs = (bytes: Uint8Array): readonly Rig[] | null => {
  const { rigs } = fieldsOf(tryOr(() => JSON.parse(new TextDecoder().decode(bytes)), null));
  if (typeof rigs !== 'object' || rigs === null || Array.isArray(rigs)) return null;
  return inNameOrder(Object.entries(rigs), ([name]) => name).map(([name, entry]) => ({
    name,
    prefix: text(fieldsOf(fieldsOf(entry).beads).prefix),
  }));
};

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
