/** Which processes have the files of locks open: `/proc/<pid>/fd` on Linux. Reads only, and never throws. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import type { FileUse, Uses } from '../../core/types/evidence.ts';
import { describeErrno, errnoOf, isAbsence } from '../../io/errno.ts';
import { withoutStackTraces } from '../processes/linux/proc-files.ts';
import type { ProcessTable } from '../processes/row.ts';

/**
 * Looks at the open files of every process. What is closed to us counts as hidden only for processes of these users: anybody
 * else could have opened the file only if he may write there, and root's are closed to everybody.
 *
 * @param paths of locks, absolute
 */
export const readOpenFiles = (
  paths: readonly string[],
  { rows, listing, details }: ProcessTable,
  uids: ReadonlySet<number>,
): Uses<FileUse> => {
  if (process.platform !== 'linux')
    return { uses: [], hidden: 'open files are not looked at on this system' };
  if (!listing.seen) return { uses: [], hidden: `processes could not be listed: ${listing.why}` };
  const wanted = wantedFiles(paths);
  const uses: FileUse[] = [];
  let hidden: string | null = null;
  withoutStackTraces(() => {
    for (const { pid, comm, dead, isKernelThread } of rows.values()) {
      if (dead || isKernelThread) continue;
      const found = openIn(`/proc/${pid}/fd`, wanted);
      if (typeof found !== 'string') for (const path of found) uses.push({ path, pid, command: comm });
      else if (uids.has(details.uid(pid) ?? -1))
        hidden ??= `the files of process ${pid} (${comm}) are closed to us: ${found}`;
    }
  });
  return { uses, hidden };
};

/** By base name, so that few links are looked at closely; each with the file's identity. */
type Wanted = ReadonlyMap<string, readonly { readonly path: string; readonly identity: string }[]>;

const wantedFiles = (paths: readonly string[]): Wanted => {
  const wanted = new Map<string, { path: string; identity: string }[]>();
  for (const path of paths) {
    const identity = identityOf(path);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (identity !== null) wanted.set(name, [...(wanted.get(name) ?? []), { path, identity }]);
  }
  return wanted;
};

const identityOf = (path: string): string | null => {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
};

/** Paths of wanted files, or why its open files cannot be seen. */
const openIn = (directory: string, wanted: Wanted): readonly string[] | string => {
  let descriptors: readonly string[];
  try {
    descriptors = readdirSync(directory);
  } catch (error) {
    return isAbsence(error) || errnoOf(error) === 'ESRCH' ? [] : describeErrno(error);
  }
  const found = new Set<string>();
  for (const descriptor of descriptors) {
    const entry = `${directory}/${descriptor}`;
    let target: string;
    try {
      target = readlinkSync(entry);
    } catch {
      continue; // closed meanwhile
    }
    const candidates = wanted.get(target.slice(target.lastIndexOf('/') + 1));
    if (candidates === undefined) continue;
    const identity = identityOf(entry);
    for (const each of candidates) if (each.identity === identity) found.add(each.path);
  }
  return [...found];
};
