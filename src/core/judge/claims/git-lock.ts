/** What a git lock's file tells besides its bytes: what it blocks, how far its git got, and which process git noted. Pure. */
import { LATE_MS } from '../../pid.ts';
import { relativeTo } from '../../town/roles.ts';
import type { TownIndex } from '../../town/views.ts';
import type { LockFile, LockGitDir } from '../../types/evidence.ts';
import type { Fact } from '../../types/judgement.ts';
import { commandWord } from '../holder/process-finding.ts';
import { type WitnessFinding, witness } from './file-witnesses.ts';

/** What git cannot do while each stands, by its name or its directory. Every other one blocks changes of the file that it is named after. */
export const KEEPS_FROM: Readonly<Record<string, string>> = {
  'index.lock': 'adding and committing',
  'HEAD.lock': 'committing and switching branches',
  'config.lock': 'changing its configuration',
  'config.worktree.lock': 'changing its configuration',
  'packed-refs.lock': 'deleting and packing refs',
  'packed-refs.new': 'deleting and packing refs',
  'MERGE_MSG.lock': 'merging and cherry-picking where that conflicts',
  'logs/': 'dropping stash entries and expiring reflogs',
  'rebase-merge/': 'continuing the rebase',
  'rebase-apply/': 'continuing the rebase',
  'sequencer/': 'continuing the cherry-pick or revert',
  'shallow.lock': 'fetching into this shallow clone',
  'gc.pid': 'collecting garbage',
  'objects/maintenance.lock': 'all automatic maintenance, silently and for good',
  'objects/schedule.lock': 'scheduling maintenance',
};

/** git never writes anything into these. */
export const ALWAYS_EMPTY: readonly string[] = ['objects/maintenance.lock', 'objects/schedule.lock'];

/**
 * What the lock blocks and, where it is stale, how far its git got. Nothing for a lock outside git directories.
 *
 * @param isFresh nobody is seen to hold it, but so soon that proves nothing
 * @param root of the town
 */
export const gitLockFacts = (
  { gitDir, path, stamp, kind }: LockFile,
  isStale: boolean,
  isFresh: boolean,
  root: string,
): readonly Fact[] => {
  const name = gitDir === undefined || kind === 'git-worktree' ? null : relativeTo(gitDir.path, path);
  if (gitDir === undefined || name === null) return [];
  const from =
    KEEPS_FROM[name] ??
    KEEPS_FROM[name.slice(0, name.indexOf('/') + 1)] ??
    `changing ${name.replace(/\.lock$/, '')}`;
  const isLeft = isStale && !isFresh;
  const keeps = isLeft ? 'was left behind, and keeps git from' : 'keeps git from';
  const unseen = isStale && isFresh ? '; nobody is seen to hold it' : '';
  const facts: Fact[] = [
    { source: 'lock', text: `${name}${submoduleOf(gitDir, root)} ${keeps} ${from}${unseen}` },
  ];
  if (!isLeft || stamp === null || ALWAYS_EMPTY.includes(name)) return facts;
  const stage =
    stamp.size === 0
      ? 'it is empty: its git was stopped before it wrote anything'
      : `it has ${stamp.size} bytes: its git was stopped before it put them in place`;
  return [...facts, { source: 'lock', text: stage }];
};

/** ` of submodule libs/a`: by the place of its working tree, else by its name; empty for a lock of any other repository. */
const submoduleOf = ({ path, main, tree }: LockGitDir, root: string): string => {
  const name = /^(?:worktrees\/[^/]+\/)?modules\/(.+)$/.exec(relativeTo(main, path) ?? '')?.[1];
  if (name === undefined) return '';
  return ` of submodule ${(tree === null ? null : relativeTo(root, tree)) ?? name.replaceAll('/modules/', '/')}`;
};

/**
 * The process that git noted beside its lock. A live one holds the lock, unless it is younger than the note. A dead one counts
 * only where the note belongs to this lock, and never alone: git itself does not remove a lock on that ground.
 */
export const judgeNote = ({ notedPid }: LockFile, { machine }: TownIndex): WitnessFinding | null => {
  if (notedPid === undefined) return null;
  const { pid, mtimeMs, isOfThisLock } = notedPid;
  const lookup = machine.lookups.get(pid);
  switch (lookup?.answer) {
    case 'exists': {
      const startedAtMs = lookup.process?.startedAtMs ?? null;
      if (startedAtMs !== null && startedAtMs > mtimeMs + LATE_MS) return null;
      const command = commandWord(lookup.process);
      return witness('alive', 'process-alive', `git noted process ${pid} (${command}) as its holder`);
    }
    case 'absent':
    case 'zombie':
      return isOfThisLock === true
        ? witness('gone', 'process-gone', `process ${pid}, which git noted as its holder, is gone`)
        : null;
    case 'thread':
      return null;
    default:
      return witness(
        'unknown',
        'process-unknown',
        `git noted process ${pid} as its holder, but doctor could not tell whether it is running`,
      );
  }
};
