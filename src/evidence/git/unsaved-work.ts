/**
 * Asks git what work would be lost with a directory. Reads only: the index is not refreshed, and no hook, filter or monitor that
 * the repository's configuration names is run.
 */
import { join, relative } from 'node:path';
import { messageOf } from '../../core/failure.ts';
import { AGENT_HOME } from '../../core/record/lock-names.ts';
import type { Observed } from '../../core/types/evidence.ts';
import { type RepositoryWork, UNPLACED } from '../../core/types/removal.ts';
import { existsSync, lstatSync, readdirSync, realpathSync } from '../../io/file-systems/servers.ts';
import { type Client, complaintOf, firstLineOf } from '../../io/programs/command.ts';
import { runGit, unseenByGit } from './git-command.ts';
import { readLinkedTree } from './linked-tree.ts';
import { type Going, REMOTE_SETTINGS, remotesIn } from './remotes.ts';

/** A directory that may be removed, and its repository. */
export interface RepositoryPlace {
  /** The working tree, or the bare repository. */
  readonly top: string;
  readonly gitDir: string;
  /** The directory that is to be removed: the top, or one below it. */
  readonly directory: string;
  readonly going: Going;
  /** It is the repository of a submodule that is not checked out: its settings name a working tree that is not there. */
  readonly isUnplaced?: boolean;
}

/** Files and directories that stand in a git directory while an operation is unfinished. */
const OPERATIONS: readonly (readonly [file: string, operation: string])[] = [
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['MERGE_HEAD', 'merge'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['sequencer', 'cherry-pick or revert'],
  ['BISECT_LOG', 'bisect'],
];

interface Tree extends Pick<RepositoryWork, 'changed' | 'untracked' | 'isRuntimeOnly' | 'isIgnored'> {
  /** It has no commit yet. */
  readonly isUnborn: boolean;
}

const NO_TREE: Tree = {
  isUnborn: false,
  changed: 0,
  untracked: 0,
  isRuntimeOnly: false,
  isIgnored: false,
};

const NO_COMMITS = { commits: 0, walk: [] } as const;
const NO_REFS = {
  branch: null,
  unpushed: { ...NO_COMMITS, onlyOn: [] },
  stashes: 0,
  inOtherRefs: NO_COMMITS,
} as const;

/** The whole answer, or why it is not complete: a partial answer could be mistaken for a whole one. */
export const readUnsavedWork = async (
  place: RepositoryPlace,
  client: Client,
): Promise<Observed<RepositoryWork>> => {
  try {
    return { seen: true, value: await readAll(place, client) };
  } catch (error) {
    if (error instanceof Unseen) return error.answer;
    const why = messageOf(error);
    return unseenByGit(why.split('\n', 1)[0] ?? why);
  }
};

/** Ends the reading of one repository. */
class Unseen extends Error {
  readonly answer: Observed<never>;
  constructor(complaint: string) {
    super(complaint);
    this.answer = unseenByGit(complaint);
  }
}

type Ask = (args: readonly string[], quietCode?: number) => Promise<string>;

const asker =
  (top: string, client: Client): Ask =>
  async (args, quietCode) => {
    const result = await runGit(top, args, client);
    if (result.status === 'failed' && result.code === quietCode && result.stderr === '') return '';
    if (result.status !== 'ok') throw new Unseen(complaintOf(result));
    // git may end with 0 although it could not read everything.
    const complaint = firstLineOf(result.stderr);
    if (complaint !== null) throw new Unseen(complaint);
    return result.stdout.toString('utf8');
  };

const readAll = async (place: RepositoryPlace, client: Client): Promise<RepositoryWork> => {
  const { top, gitDir, directory, isUnplaced = false } = place;
  const askPlain = asker(top, client);
  const ask: Ask = isUnplaced ? (args, quiet) => askPlain([...UNPLACED, ...args], quiet) : askPlain;
  const isLinked = existsSync(join(gitDir, 'commondir'));
  const kind = directory === top ? (isLinked ? 'linked' : 'main') : 'part';
  const isBare = top === gitDir;
  if (!isBare) await refuseElsewhere(top, ask);
  const filters = isBare ? [] : await silencedFilters(ask);
  const tree = isBare ? NO_TREE : await readTree(place, filters, ask);
  const refs = kind === 'part' ? NO_REFS : await readRefs(kind, place, tree.isUnborn, ask);
  return {
    kind,
    top,
    isUnplaced,
    ...refs,
    changed: tree.changed,
    untracked: tree.untracked,
    isRuntimeOnly: tree.isRuntimeOnly,
    isIgnored: tree.isIgnored,
    operation: OPERATIONS.find(([file]) => existsSync(join(gitDir, file)))?.[1] ?? null,
    hidden: isBare ? 0 : await countHidden(place, ask),
    linkedTrees: kind === 'main' ? linkedTreesOf(gitDir) : [],
  };
};

/** `core.worktree` may lead to another directory: what git says there does not apply to this one. */
const refuseElsewhere = async (top: string, ask: Ask): Promise<void> => {
  const answer = (await ask(['rev-parse', '--show-toplevel'])).replace(/\n$/, '');
  if (realpathSync.native(answer) !== realpathSync.native(top))
    throw new Unseen(`its working tree is ${answer}`);
};

/**
 * git would run the filters that the repository itself names to compare files. They are switched off, and a file that needs one
 * counts as changed. Filters of the user's own configuration may run.
 */
const silencedFilters = async (ask: Ask): Promise<readonly string[]> => {
  const listed = await ask(['config', '--show-scope', '-z', '--name-only', '--get-regexp', '^filter\\.'], 1);
  const words = listed.split('\0');
  const names = new Set<string>();
  for (let at = 0; at + 1 < words.length; at += 2) {
    const [, name] = /^filter\.(.+)\.[^.]+$/s.exec(words[at + 1] ?? '') ?? [];
    if ((words[at] === 'local' || words[at] === 'worktree') && name !== undefined) names.add(name);
  }
  // `-c` ends the name at the first `=`.
  const odd = [...names].find((name) => name.includes('='));
  if (odd !== undefined)
    throw new Unseen(`its configuration has a filter that cannot be switched off: ${odd}`);
  return [...names].flatMap((name) =>
    ['clean=', 'smudge=', 'process=', 'required=false'].flatMap((setting) => [
      '-c',
      `filter.${name}.${setting}`,
    ]),
  );
};

const readTree = async (
  { top, directory }: RepositoryPlace,
  filters: readonly string[],
  ask: Ask,
): Promise<Tree> => {
  const inside = relative(top, directory);
  const answer = await ask([
    ...filters,
    '--literal-pathspecs',
    ...['status', '--porcelain=v2', '--branch', '-z', '--no-renames', '--no-ahead-behind'],
    // A submodule is asked about its own files.
    ...['--untracked-files=normal', '--ignore-submodules=dirty'],
    ...(inside === '' ? [] : ['--ignored=traditional', '--', inside]),
  ]);
  let { isUnborn, changed, untracked, isIgnored } = NO_TREE;
  for (const entry of answer.split('\0')) {
    if (entry.startsWith('# branch.oid ')) isUnborn = entry.endsWith('(initial)');
    else if (entry.startsWith('? ')) untracked += 1;
    else if (entry.startsWith('! '))
      isIgnored ||= `${inside}/`.startsWith(entry.slice(2).replace(/\/?$/, '/'));
    else if (/^[12u] /.test(entry)) changed += 1;
  }
  const isRuntimeOnly = untracked === 1 && answer.split('\0').includes(`? ${AGENT_HOME}/`);
  return { isUnborn, changed, untracked, isRuntimeOnly, isIgnored };
};

const readRefs = async (
  kind: 'linked' | 'main',
  { top, going }: RepositoryPlace,
  isUnborn: boolean,
  ask: Ask,
): Promise<Pick<RepositoryWork, 'branch' | 'unpushed' | 'stashes' | 'inOtherRefs'>> => {
  // The ref that HEAD points to; empty where HEAD leads to no commit (a bare repository may have none).
  const head = isUnborn
    ? ''
    : await ask(['rev-parse', '--quiet', '--verify', '--symbolic-full-name', 'HEAD'], 1);
  const tips = head === '' ? [] : ['HEAD'];
  // HEAD may also point to a ref that is no branch.
  const [, branch = null] = /^refs\/heads\/(.+)\n$/.exec(head) ?? [];
  const others = branch === null ? [] : [`--exclude=${branch}`];
  const { tracked, fetched, vain } = remotesIn(
    await ask(['config', '-z', '--get-regexp', REMOTE_SETTINGS], 1),
    top,
    going,
  );
  const counted =
    kind === 'linked'
      ? [...tips, '--not', '--remotes', ...others, '--branches']
      : [
          ...tips,
          ...['--branches', '--tags', '--remotes', '--not'],
          // An exclusion applies to the next pattern only.
          ...tracked.flatMap((refs) => [
            ...vain.map(({ name }) => `--exclude=refs/remotes/${name}/*`),
            `--glob=${refs}`,
          ]),
          '--',
        ];
  const isEmpty = kind === 'linked' && tips.length === 0;
  const walk = [
    ...(kind === 'linked' ? ['--glob=refs/worktree'] : ['--exclude=refs/stash', '--all']),
    ...['--not', ...tips, '--branches', '--tags', '--remotes', '--glob=refs/prefetch'],
    ...fetched.map((refs) => `--glob=${refs}`),
    '--',
  ];
  const inOtherRefs = { commits: numberIn(await ask(['rev-list', '--count', ...walk])), walk };
  const hasStash = (await ask(['for-each-ref', '--format=%(refname)', 'refs/stash'])) !== '';
  const stashes = hasStash ? await ask(['rev-list', '--walk-reflogs', '--count', 'refs/stash']) : '0';
  return {
    branch,
    unpushed: {
      commits: isEmpty ? 0 : numberIn(await ask(['rev-list', '--count', ...counted])),
      walk: counted,
      onlyOn: kind === 'linked' ? [] : vain.map(({ name, why }) => `${name} (${why})`),
    },
    stashes: hasStash ? Math.max(1, numberIn(stashes)) : 0,
    inOtherRefs,
  };
};

const numberIn = (text: string): number => {
  if (!/^\d+\n?$/.test(text)) throw new Unseen(`answered ${JSON.stringify(text.slice(0, 80))}`);
  return Number(text);
};

/** Number of entries that are marked `assume-unchanged`, or marked `skip-worktree` although the file exists. */
const countHidden = async ({ top, directory }: RepositoryPlace, ask: Ask): Promise<number> => {
  const inside = relative(top, directory);
  const listed = await ask([
    '--literal-pathspecs',
    'ls-files',
    '-v',
    '-z',
    ...(inside === '' ? [] : ['--', inside]),
  ]);
  return listed.split('\0').filter((entry) => /^[a-zS] /.test(entry) && isThere(join(top, entry.slice(2))))
    .length;
};

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** Linked working trees that exist, or of which that cannot be told. */
const linkedTreesOf = (gitDir: string): readonly string[] => {
  const home = join(gitDir, 'worktrees');
  if (!existsSync(home)) return [];
  return readdirSync(home).flatMap((name) => {
    const { path, exists } = readLinkedTree(join(home, name));
    return exists.seen && !exists.value ? [] : [path ?? join(home, name)];
  });
};
