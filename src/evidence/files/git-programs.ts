/**
 * Every git that runs, and where: by its working directory, and by what its arguments and variables name. A git that runs a hook
 * has no file of the repository open, so this is what shows it. Reads only, and never throws.
 */
import { isAbsolute, resolve } from 'node:path';
import type { GitUse, Uses } from '../../core/types/evidence.ts';
import type { ProcessRow, ProcessTable } from '../processes/row.ts';
import { hasEnded } from '../processes/table.ts';

/** git, its helpers (`git-remote-https`), and others that write the same files. */
const GIT_LIKE = /^(?:git(?:-.*)?|jj|sl|lazygit|tig|gitui)$/;

/** They run for long and take no lock: the daemon that watches a tree, and the one that keeps passwords. */
const BYSTANDERS = /^(?:fsmonitor--daemon|credential-cache--daemon|credential-cache|daemon)$/;

/** Variables that name a repository, or a part of one. */
const VARIABLES = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_COMMON_DIR'] as const;

/** Lists them. What is closed to us counts as hidden only for processes of these users. */
export const readGitUses = async (table: ProcessTable, uids: ReadonlySet<number>): Promise<Uses<GitUse>> => {
  const { rows, listing, details } = table;
  if (!listing.seen) return { uses: [], hidden: `processes could not be listed: ${listing.why}` };
  const running = [...rows.values()].filter(
    (row) => !row.dead && !row.isKernelThread && isGit(row, details.argv(row.pid)),
  );
  const cwds = await details.workingDirectories(running.map(({ pid }) => pid));
  const uses: GitUse[] = [];
  let hidden: string | null = null;
  for (const row of running) {
    const { pid, comm } = row;
    const cwd = cwds.get(pid);
    const variables = details.variables(pid, VARIABLES);
    const base = cwd?.seen === true ? cwd.value : '/';
    const named = [...namedByArguments(details.argv(pid)), ...(variables ?? [])];
    const places = [
      ...(cwd?.seen === true ? [cwd.value] : []),
      ...named.map((path) => (isAbsolute(path) ? path : resolve(base, path))),
    ];
    uses.push({ pid, command: comm, places });
    // Without a working directory it is ending, and writes nothing any more.
    const isEnding = cwd?.seen === false && ['ENOENT', 'ESRCH'].includes(cwd.why);
    const isClosed = !isEnding && (cwd?.seen !== true || variables === null);
    if (isClosed && uids.has(details.uid(pid) ?? -1) && !hasEnded(row, table))
      hidden ??= `where process ${pid} (${comm}) works is closed to us`;
  }
  return { uses, hidden };
};

const isGit = ({ comm }: ProcessRow, argv: readonly string[]): boolean => {
  const name = (argv[0] ?? '').split('/').at(-1) ?? '';
  if (!GIT_LIKE.test(comm) && !GIT_LIKE.test(name)) return false;
  return !argv.slice(1, 8).some((argument) => BYSTANDERS.test(argument));
};

const namedByArguments = (argv: readonly string[]): readonly string[] =>
  argv.flatMap((argument, at) => {
    if (argument === '-C' || argument === '--git-dir' || argument === '--work-tree')
      return argv[at + 1] ?? [];
    return /^--(?:git-dir|work-tree)=(.+)$/s.exec(argument)?.[1] ?? [];
  });
