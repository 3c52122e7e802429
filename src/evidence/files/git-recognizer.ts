/** Tells which processes are gits, whatever they are called. Reads only, and never throws. */
import { statSync } from 'node:fs';
import { remembering } from '../../core/remembering.ts';
import { baseName } from '../../io/disk/disk-path.ts';
import { findProgram, findSystemProgram } from '../../io/programs/find-program.ts';
import { tryOr } from '../../io/try-or.ts';
import { withoutStackTraces } from '../processes/linux/proc-files.ts';
import type { ProcessRow, ProcessTable } from '../processes/row.ts';
import { isGitLike, isGitName } from './git-arguments.ts';

/**
 * Knows a git by its own name, by the name of the program that a link of another name led to, and as a link or a copy of this
 * machine's git by the size of that program.
 *
 * @param mayWait true for programs of a process that lie where a look may wait for ever
 */
export const gitRecognizer = (
  { details }: ProcessTable,
  mayWait: (pid: number, program: string) => boolean,
): ((row: ProcessRow) => boolean) => {
  let sizes: ReadonlySet<number> | undefined;
  const runsGit = (pid: number): boolean => {
    const program = details.executable(pid);
    if (program === null) return false;
    if (isGitName(baseName(program))) return true;
    if (mayWait(pid, program)) return false;
    sizes ??= sizesOfGit();
    const size = sizeOf(`${details.directory(pid)}/exe`);
    return size !== null && sizes.has(size);
  };
  return remembering(
    ({ pid, comm }) => isGitLike(comm, details.argv(pid)) || withoutStackTraces(() => runsGit(pid)),
    ({ pid }) => pid,
  );
};

const sizesOfGit = (): ReadonlySet<number> => {
  const programs = [findProgram('git', process.env), findSystemProgram('git', process.env)];
  return new Set(programs.flatMap((program) => (program === null ? [] : (sizeOf(program) ?? []))));
};

const sizeOf = (path: string): number | null => tryOr(() => statSync(path).size, null);
