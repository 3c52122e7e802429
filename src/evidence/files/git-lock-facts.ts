/** Facts around a git lock that names nobody: its file system, its working tree, and git's own note. Reads only, never throws. */
import { Buffer } from 'node:buffer';
import { lstatSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pidFileOf } from '../../core/record/lock-names.ts';
import { remembering } from '../../core/remembering.ts';
import type { LockFile, NotedPid } from '../../core/types/evidence.ts';
import { bytesAsText } from '../../io/disk/bytes-as-text.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { readingCalls, readSmallFile } from '../../io/disk/small-file.ts';
import { systemCalls } from '../../io/disk/system-calls.ts';
import { networkFileSystem } from '../../io/file-systems/file-systems.ts';
import { tryOr } from '../../io/try-or.ts';
import { settingIn } from '../git/git-config.ts';

/** Adds these facts to locks in git directories that name nobody; other locks stay as they are. */
export const withGitLockFacts = (locks: readonly LockFile[]): readonly LockFile[] => {
  const networkOf = remembering(networkAt);
  const treeOf = remembering(treeSetIn);
  return locks.map((lock) => {
    const { gitDir, content, path } = lock;
    if (gitDir === undefined || content.kind !== 'claim' || content.claim.by !== 'open-file') return lock;
    const network = lock.pathBytes === null ? networkOf(dirname(path)) : null;
    const notedPid = notedBeside(path);
    const tree = lock.tree === undefined ? treeOf(gitDir.path) : null;
    return {
      ...lock,
      gitDir: tree === null ? gitDir : { ...gitDir, tree },
      ...(notedPid === null ? {} : { notedPid }),
      ...(network === null ? {} : { network }),
    };
  });
};

/** An unknown file system counts as a network one: then other machines may hold the lock. */
const networkAt = (directory: string): string | null =>
  tryOr(() => networkFileSystem(systemCalls, directory, process.platform), 'unknown');

/** Thousands of branches have their settings in one file. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

const configIn = (gitDir: string, name: string): string => {
  // It may be a link to that of another repository, as git-new-workdir makes it.
  const reading = readSmallFile(readingCalls, realOrSame(`${gitDir}/${name}`), MAX_CONFIG_BYTES);
  return reading.kind === 'file' ? bytesAsText(reading.bytes) : '';
};

/** The working tree that a setting of the repository names (`core.worktree`); null where none does. */
const treeSetIn = (gitDir: string): string | null => {
  const config = configIn(gitDir, 'config');
  const ofTree =
    settingIn(config, 'extensions', 'worktreeconfig') === null ? '' : configIn(gitDir, 'config.worktree');
  const path = settingIn(ofTree, 'core', 'worktree') ?? settingIn(config, 'core', 'worktree');
  return typeof path === 'string' ? realOrSame(resolve(gitDir, path)) : null;
};

/** git writes no more into such a file. */
const MAX_NOTE_BYTES = 32;

/** Detached maintenance leaves the PID of the process that started it, which has ended: such a note does not prove a death. */
const OF_MAINTENANCE = '/objects/maintenance.lock';

const notedBeside = (lock: string): NotedPid | null => {
  const path = pidFileOf(lock);
  if (path === lock) return null;
  const reading = readSmallFile(readingCalls, path, MAX_NOTE_BYTES);
  if (reading.kind !== 'file') return null;
  const pid = /^pid (\d{1,10})\n$/.exec(Buffer.from(reading.bytes).toString('latin1'))?.[1];
  if (pid === undefined || Number(pid) === 0) return null;
  const { mtimeMs } = reading;
  return {
    pid: Number(pid),
    mtimeMs,
    isOfThisLock: lock.endsWith(OF_MAINTENANCE) ? null : isSince(lock, mtimeMs),
  };
};

/** Did the lock exist by then? Its birth time tells, as its modification time moves; null where the disk keeps no birth time. */
const isSince = (lock: string, mtimeMs: number): boolean | null => {
  try {
    const stat = lstatSync(lock, { bigint: true });
    // 1970 where the disk keeps none; on old kernels the time of the last change, which is never earlier.
    if (stat.birthtimeNs <= 0n) return null;
    return stat.birthtimeNs / 1_000_000n <= BigInt(mtimeMs);
  } catch {
    return null;
  }
};
