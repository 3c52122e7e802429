/** Finds who uses lock files and the repositories around them: once, and only for locks that need it. Reads only. */
import { statSync } from 'node:fs';
import { isAsked, isFlock, needsWitnesses } from '../../core/town/lock-rules.ts';
import type {
  FileEvidence,
  FlockEvidence,
  GitUse,
  HostFacts,
  LockFile,
  Uses,
} from '../../core/types/evidence.ts';
import type { Client } from '../../io/programs/command.ts';
import { tryOr } from '../../io/try-or.ts';
import { couldNoteHolders } from '../git/lockfile-pid.ts';
import type { ProcessTable } from '../processes/row.ts';
import type { TownPlaceFinder } from '../town/place.ts';
import { readFlocks } from './flocks.ts';
import { readGitUses } from './git-programs.ts';
import { type OpenFiles, readOpenFiles } from './open-files.ts';

export interface FileQuestion {
  readonly host: HostFacts;
  readonly placeInTown: TownPlaceFinder;
  /** How git is asked what it can do; null: it is not asked, at the moment of acting. */
  readonly git: Pick<Client, 'env' | 'timeoutMs'> | null;
}

/** Reads the evidence; undefined where no lock needs it, and then nothing is looked at. */
export const readFileEvidence = async (
  locks: readonly LockFile[],
  table: ProcessTable,
  { host, placeInTown, git: client }: FileQuestion,
): Promise<FileEvidence | undefined> => {
  const nameless = locks.filter(needsWitnesses);
  const flocks = locks.filter(isFlock);
  if (nameless.length + flocks.length === 0) return undefined;
  const uids = new Set([host.uid, ...nameless.flatMap((lock) => lock.uid ?? [])]);
  const opened = nameless.filter((lock) => isAsked(lock, 'open-file')).map(({ path }) => path);
  const gitDirs = nameless.flatMap(({ gitDir }) => gitDir ?? []);
  const mains = [...new Set(gitDirs.map(({ main }) => main))];
  const outside = whoIsOutside(nameless, host);
  const open = opened.length > 0 ? readOpenFiles(opened, table, uids, mains) : null;
  const git = nameless.some((lock) => isAsked(lock, 'git'))
    ? await readGitUses(table, { gitDirs, placeInTown })
    : null;
  const isNoted = !nameless.some((lock) => isOfGit(lock) && lock.notedPid === undefined);
  const couldNote = client !== null && !isNoted && (await couldNoteHolders(client));
  return {
    ...(couldNote ? { couldNoteHolders: true } : {}),
    ...(open === null ? {} : { open: { uses: open.uses, hidden: open.hidden ?? outside } }),
    ...(flocks.length > 0 ? { flocks: flocksIn(flocks, table, host) } : {}),
    ...(git === null ? {} : { git: together(git, open, outside) }),
  };
};

const flocksIn = (locks: readonly LockFile[], table: ProcessTable, host: HostFacts): FlockEvidence => {
  const paths = locks.map(({ path }) => path);
  return readFlocks(paths, table, host.initialPidNamespace === true, whoIsOutside(locks, host));
};

/** A lock by which git keeps two of its own apart, which names nobody. */
const isOfGit = ({ gitDir, content }: LockFile): boolean =>
  gitDir !== undefined && content.kind === 'claim' && content.claim.by === 'open-file';

const together = (git: Uses<GitUse>, open: OpenFiles | null, outside: string | null): Uses<GitUse> => ({
  uses: [...git.uses, ...(open?.below ?? [])],
  hidden: git.hidden ?? outside,
});

/**
 * Why there may be processes that we cannot list: those outside our PID namespace. Null in the initial namespace, and where all
 * of these locks are on the file system of a container whose processes we see all.
 */
const whoIsOutside = (
  locks: readonly LockFile[],
  { initialPidNamespace, numbersAreOurs }: HostFacts,
): string | null => {
  if (initialPidNamespace === true) return null;
  if (numbersAreOurs === true && locks.every(({ stamp }) => stamp !== null && stamp.dev === rootDevice()))
    return null;
  return 'processes outside of this container or sandbox cannot be seen';
};

const rootDevice = (): string | null => tryOr(() => String(statSync('/', { bigint: true }).dev), null);

/** Leaves out flock files that are not locked: such files stay for ever, and there is nothing to report. */
export const withoutFreeFlocks = (
  locks: readonly LockFile[],
  files: FileEvidence | undefined,
): readonly LockFile[] => {
  const held = new Set(files?.flocks?.uses.map(({ path }) => path));
  return locks.filter((lock) => !isFlock(lock) || held.has(lock.path));
};
