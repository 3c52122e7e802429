/** The files by which git keeps two processes from writing one file; they do not name their holder. */
import { type Claim, defineKind } from '../src/kind.ts';

/**
 * Locks that each working tree has for itself, the main one and linked ones. Both lists have every file that git's sources lock
 * (`hold_lock_file_for_update`), except those that carry a PID (`next-index-<pid>.lock`): they are in nobody's way.
 */
const OF_EACH_TREE = [
  'index.lock',
  'HEAD.lock',
  'config.worktree.lock',
  'fsmonitor--daemon.ipc.lock',
  'MERGE_MSG.lock',
  'MERGE_MODE.lock',
  'MERGE_RR.lock',
  'MERGE_AUTOSTASH.lock',
  'SQUASH_MSG.lock',
  'AUTO_MERGE.lock',
  'BISECT_HEAD.lock',
  'BISECT_EXPECTED_REV.lock',
  'NOTES_MERGE_PARTIAL.lock',
  'NOTES_MERGE_REF.lock',
  'ORIG_HEAD.lock',
  'FETCH_HEAD.lock',
  'MERGE_HEAD.lock',
  'CHERRY_PICK_HEAD.lock',
  'REVERT_HEAD.lock',
  'REBASE_HEAD.lock',
  'info/sparse-checkout.lock',
  'reftable/*.lock',
  'refs/**/*.lock',
  'sequencer/*.lock',
  'rebase-merge/*.lock',
  'rebase-apply/*.lock',
] as const;

/** Locks that all working trees of a repository share. */
const OF_ALL_TREES = [
  'logs/**/*.lock',
  'config.lock',
  'packed-refs.lock',
  // Written while `packed-refs.lock` is held, and made only where there is none: the next git fails at it as at a lock.
  'packed-refs.new',
  'shallow.lock',
  'gc.pid',
  'gc.pid.lock',
  'gc.log.lock',
  'objects/maintenance.lock',
  'objects/schedule.lock',
  'objects/loose-object-idx.lock',
  'objects/info/alternates.lock',
  'objects/info/commit-graph.lock',
  'objects/info/commit-graphs/commit-graph-chain.lock',
  'objects/pack/multi-pack-index.lock',
  'objects/pack/multi-pack-index.d/multi-pack-index-chain.lock',
] as const;

/** `4242 build-1`, without a line break. git ignores it once that process is gone, and after 12 hours. */
const GC_PID = /^(\d{1,10}) ([!-~]{1,255})\n?$/;

/** No file of this form is longer. */
const GC_PID_BYTES = 300;

const BY_NOBODY: Claim = { by: 'open-file' };

const claimOf = (bytes: Uint8Array, name: string): Claim => {
  if (name !== 'gc.pid' || bytes.length > GC_PID_BYTES) return BY_NOBODY;
  const [, pid, hostname] = GC_PID.exec(new TextDecoder('latin1').decode(bytes)) ?? [];
  if (pid === undefined || hostname === undefined || Number(pid) === 0) return BY_NOBODY;
  return {
    by: 'number',
    pid: Number(pid),
    start: null,
    hostname,
    since: null,
    name: 'git gc',
    isShared: false,
    isHarmless: true,
  };
};

export default defineKind({
  id: 'git-lock',
  title: "git's own locks",
  summary: 'A lock that a git which was killed left in a repository.',
  where: {
    inGitDir: { main: [...OF_EACH_TREE, ...OF_ALL_TREES], linked: [...OF_EACH_TREE, 'logs/HEAD.lock'] },
  },
  claims: null,
  witnesses: ['process', 'open-file', 'git'],
  freshMs: 60_000,
  isOfAnySize: true,
  read: (bytes, { name }) => ({ kind: 'claim', claim: claimOf(bytes, name) }),
  letGo: 'move-aside',
});
