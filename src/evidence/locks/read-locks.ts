/** Reads the locks that a scan found. Writes nothing. */
import { lstatSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { describeFileProblem } from '../../core/record/file-problem.ts';
import { flat } from '../../core/record/flat.ts';
import { MAX_LOCK_BYTES } from '../../core/record/lock-record.ts';
import { inNameOrder } from '../../core/town/name-order.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type { KindRules, LinkedTree, LockContent, LockFile, LockGitDir } from '../../core/types/evidence.ts';
import type { Kind, LockFileName } from '../../core/types/kind.ts';
import { displayPath, displayRelative, pathBytes } from '../../io/disk/disk-path.ts';
import { realPaths } from '../../io/disk/real-path.ts';
import { type FileReading, readFileStart, readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import { stampOf } from '../../io/disk/stamp.ts';
import { OUTSIDE } from '../git/facts.ts';
import { lookAtLinkedTree } from '../git/linked-tree.ts';
import type { FoundLock } from '../scan/scan.ts';
import { outsideName, placeName } from '../town/outside-trees.ts';
import { readHolder } from './read-holder.ts';

/**
 * Reads every lock that a scan found, sorted by worker; those that have vanished since are left out. Of the locks seen
 * `before`, only those whose file has changed are read again.
 */
export const readLocks = (
  found: readonly FoundLock[],
  root: string,
  before: readonly LockFile[] = [],
): readonly LockFile[] => {
  const known = new Map(before.map((lock) => [lock.path, lock]));
  const realDirectory = realPaths();
  const locks = found
    .map((each) => unchanged(each, known.get(displayPath(each.path))) ?? readLock(each, root, realDirectory))
    .filter((lock) => lock !== null);
  // Neither contains a NUL, which comes before everything.
  return inNameOrder(locks, ({ worker, path }) => `${worker}\0${path}`);
};

/** The lock as it was read before, where its file is still the same and no second record may have changed beside it. */
const unchanged = (found: FoundLock, before: LockFile | undefined): LockFile | null => {
  const stamp = before?.stamp ?? null;
  if (before === undefined || stamp === null || found.companion !== null || before.companion !== null)
    return null;
  // Its working tree, or the note that its git wrote beside it, may have appeared or gone.
  if (found.gitDir !== null) return null;
  const now = lstatSync(found.path, { bigint: true, throwIfNoEntry: false });
  const same =
    now?.isFile() === true &&
    String(now.dev) === stamp.dev &&
    String(now.ino) === stamp.ino &&
    String(now.mtimeNs) === stamp.mtimeNs &&
    Number(now.size) === stamp.size &&
    Number(now.uid) === before.uid;
  return same ? { ...before, git: isInGitDir(found) ? OUTSIDE : null } : null;
};

const NO_COMPANION = { holder: null, unread: null } as const;

const NO_TREE = { tree: null, realPath: null } as const;

/**
 * Reads one lock below the real path `root` as it is now; null where it is gone. git's facts are added later.
 * Never throws, never follows a symlink, never reads more than 64 KiB.
 */
const readLock = (
  found: FoundLock,
  root: string,
  realDirectory: (path: string) => string,
): LockFile | null => {
  const read = found.kind.isOfAnySize === true ? readFileStart : readSmallFile;
  const reading = read(readingCalls, found.path, MAX_LOCK_BYTES);
  if (reading.kind === 'absent') return null;
  const isDirectory = reading.kind === 'other' && reading.problem === 'directory';
  // Where locks are directories, a file of that name (yarn.lock) is not one.
  if (found.kind.read === null && !isDirectory) return null;
  const companion = found.companion === null ? NO_COMPANION : readHolder(readingCalls, found.companion);
  const { kind } = found;
  const { linkedGitDir } = found;
  const { tree, realPath } =
    linkedGitDir === null ? NO_TREE : lookAtLinkedTree(linkedGitDir.path, linkedGitDir, realDirectory);
  const worker = workerOf(found, realPath, root);
  const lock: LockFile = {
    id: flat(
      `${kind.id}:${kind.claims === 'worker' ? worker : pathInTown(root, found)}${found.hasTwin ? '#legacy' : ''}`,
    ),
    kind: kind.id,
    worker,
    path: displayPath(found.path),
    pathBytes: pathBytes(found.path),
    layout: found.layout,
    isRegularFile: isRegularFile(reading),
    stamp: reading.kind === 'file' ? stampOf(reading) : null,
    mtimeMs: reading.mtimeMs,
    uid: reading.uid,
    content:
      companion.unread === null
        ? contentOf(reading, kind, displayPath(found.path))
        : inDoubt(kind, companion.unread),
    companion: companion.holder,
    git: isInGitDir(found) ? OUTSIDE : null,
  };
  if (kind.claims === 'worker') return lock;
  return {
    ...lock,
    rules: rulesOf(kind),
    ...(tree === null ? {} : { tree }),
    ...(found.gitDir === null ? {} : { gitDir: gitDirOf(found.gitDir, tree) }),
  };
};

/** The path of the lock relative to the root, `../main/.git/index.lock` for one that lies outside. */
const pathInTown = (root: string, { path, gitDir }: FoundLock): string => {
  if (gitDir?.isOutside !== true) return displayRelative(root, path);
  return relative(root, displayPath(path));
};

const gitDirOf = (
  { path, main, tree: known, isOutside, leadsFrom }: NonNullable<FoundLock['gitDir']>,
  tree: LinkedTree | null,
): LockGitDir => {
  const gitDir = displayPath(path);
  return {
    path: gitDir,
    main: displayPath(main),
    tree: tree === null ? (known ?? treeAround(gitDir)) : tree.path,
    ...(isOutside === true ? { isOutside } : {}),
    ...(leadsFrom === undefined ? {} : { leadsFrom }),
  };
};

/** The working tree around a `.git`, where no setting says otherwise. */
const treeAround = (gitDir: string): string | null =>
  gitDir.endsWith('/.git') ? gitDir.slice(0, -'/.git'.length) || '/' : null;

/** The place that a lock speaks for, relative to the root: a linked working tree outside the root begins with `../`. */
const workerOf = ({ place }: FoundLock, realPath: string | null, root: string): string => {
  if (realPath === null) return placeName(root, place);
  return relativeTo(root, realPath) ?? outsideName(root, realPath) ?? displayRelative(root, place);
};

const isInGitDir = ({ kind }: FoundLock): boolean => 'inGitDir' in kind.where;

/** The rules alone, without the kind's functions: a snapshot is plain data. */
const rulesOf = (kind: KindRules & Pick<Kind, 'letGo'>): KindRules => ({
  claims: kind.claims,
  witnesses: kind.witnesses,
  freshMs: kind.freshMs,
  ...(kind.letGo === null ? { isNeverLetGo: true } : {}),
});

/** Never shown: such a file is left out before. */
const NO_LOCK: LockContent = { kind: 'unread', why: 'locks of this kind are directories' };

const NO_OPTIONS: LockFileName['options'] = {};

/** What the bytes of a lock's file mean, by its kind. */
const contentOf = (
  reading: Exclude<FileReading, { kind: 'absent' }>,
  { read, readDirectory }: Kind,
  path: string,
): LockContent => {
  const file: LockFileName = { name: basename(path), options: NO_OPTIONS };
  switch (reading.kind) {
    case 'file':
      return read === null ? NO_LOCK : read(reading.bytes, file);
    case 'other':
      if (reading.problem === 'directory' && readDirectory !== undefined) return readDirectory(file);
      return { kind: 'invalid', problem: reading.problem, detail: describeFileProblem(reading) };
    case 'unread':
      return { kind: 'unread', why: reading.why };
  }
};

const isRegularFile = (reading: FileReading): boolean =>
  reading.kind === 'file' ||
  (reading.kind === 'other' && reading.problem === 'too-large') ||
  (reading.kind === 'unread' && reading.isRegularFile);

/** The second record could not be read: whoever it names may be alive, so the lock must not be judged without it. */
const inDoubt = ({ where }: Kind, why: string): LockContent => ({
  kind: 'unread',
  why: `its second record ${'homes' in where ? where.companion : ''} could not be read: ${why}`,
});
