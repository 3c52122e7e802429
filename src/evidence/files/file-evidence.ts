/** Who uses the files of locks and the repositories around them: gathered once, and only for locks that need it. Reads only. */
import { isAsked } from '../../core/judge/witnesses.ts';
import type { FileEvidence, LockFile } from '../../core/types/evidence.ts';
import type { ProcessTable } from '../processes/row.ts';
import { readFlocks } from './flocks.ts';
import { readGitUses } from './git-programs.ts';
import { readOpenFiles } from './open-files.ts';

/** Undefined where no lock needs it: then nothing is looked at. */
export const readFileEvidence = async (
  locks: readonly LockFile[],
  table: ProcessTable,
  uid: number,
): Promise<FileEvidence | undefined> => {
  const nameless = locks.filter(needsWitnesses);
  const flocks = locks.filter(isFlock).map(({ path }) => path);
  if (nameless.length + flocks.length === 0) return undefined;
  const uids = new Set([uid, ...nameless.flatMap((lock) => lock.uid ?? [])]);
  const opened = nameless.filter((lock) => isAsked(lock, 'open-file')).map(({ path }) => path);
  return {
    ...(opened.length > 0 ? { open: readOpenFiles(opened, table, uids) } : {}),
    ...(flocks.length > 0 ? { flocks: readFlocks(flocks, table) } : {}),
    ...(nameless.some((lock) => isAsked(lock, 'git')) ? { git: await readGitUses(table, uids) } : {}),
  };
};

/** Without the files that stay for ever and that nobody has locked: there is nothing to say of them. */
export const withoutFreeFlocks = (
  locks: readonly LockFile[],
  files: FileEvidence | undefined,
): readonly LockFile[] => {
  const held = new Set(files?.flocks?.uses.map(({ path }) => path));
  return locks.filter((lock) => !isFlock(lock) || held.has(lock.path));
};

const isFlock = ({ content }: LockFile): boolean => content.kind === 'claim' && content.claim.by === 'flock';

/** Nobody is named by number: somebody's note needs no witness, unless it may be git's own. */
const needsWitnesses = ({ content, tree }: LockFile): boolean =>
  content.kind === 'claim' &&
  (content.claim.by === 'open-file' || (content.claim.by === 'person' && tree?.isUnfinished === true));
