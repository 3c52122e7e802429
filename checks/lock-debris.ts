/** What killed runs left beside a lock, and what git keeps of a worktree that was deleted. */
import {
  advice,
  defineCheck,
  type Examination,
  type Finding,
  type GoneTree,
  isAbandoned,
  isLockMovedAside,
  type Leftover,
  type MovedTree,
  optionWith,
  relativeTo,
  repairCommand,
  type Snapshot,
  townOption,
  workerArgument,
} from '../src/check.ts';

const SAID: Readonly<Record<Leftover['kind'], string>> = {
  tmp: 'its writer died before it finished this file',
  new: 'doctor was killed before it put this lock in place',
  old: 'doctor was killed halfway through a release; this may still be the lock',
  released: 'the backup of a released lock',
};

/**
 * git's record of a deleted worktree, which keeps its branch from other worktrees. Where its lock is a finding, that one says it,
 * because the lock has to go first.
 */
const findingFor = (
  { name, path, gitDir, isLocked }: GoneTree,
  { snapshot, verdicts, lockless }: Examination,
): readonly Finding[] => {
  const movedTo = snapshot.town.movedTrees?.find((tree) => tree.path === path)?.movedTo;
  const inside = lockless.find(({ worker }) => worker === name)?.occupant;
  const lock = verdicts.find((one) => one.lock.worker === name && one.lock.kind === 'git-worktree');
  if (isLocked && lock !== undefined && !lock.notes.includes('by-hand')) return [];
  const explain = [
    ['doctor', 'explain', workerArgument(name, snapshot.town.root), ...townOption(snapshot.town)],
  ];
  const moved = 'if it was moved, run git worktree repair PATH';
  return [
    {
      severity: 'info',
      worker: name,
      lock: null,
      about: relativeTo(snapshot.town.root, path) ?? path,
      message: `git still lists this worktree${isLocked ? ', which is locked' : ''}, but ${movedTo === undefined ? 'its directory is gone' : `it was moved to ${movedTo}, where somebody works`}${inside === undefined ? '' : `; ${inside.text}`}`,
      evidence: [{ source: 'git', text: `${path} is gone` }],
      fix:
        inside !== undefined
          ? advice('let its agent end first', explain)
          : movedTo !== undefined
            ? advice('tell git where it is now', [repairCommand(gitDir, movedTo)])
            : isLocked
              ? advice(
                  `if it was deleted, and not on a disk that is not mounted, unlock it yourself and let git forget it; ${moved}`,
                  explain,
                )
              : advice(`if it was deleted, run git worktree remove PATH; ${moved}`, [
                  // prune would also forget worktrees on disks that are not mounted.
                  ['git', '-C', gitDir, 'worktree', 'remove', path],
                ]),
    },
  ];
};

/** A worktree that was moved while something else stands at its old place; where its lock is a finding, that one says it. */
const findingForMoved = (
  { name, path, gitDir, movedTo }: MovedTree,
  { verdicts, snapshot }: Examination,
): readonly Finding[] =>
  verdicts.some(({ lock }) => lock.tree?.path === path && lock.tree.movedTo !== undefined)
    ? []
    : [
        {
          severity: 'info',
          worker: name,
          lock: null,
          about: relativeTo(snapshot.town.root, path) ?? path,
          message: `git lists a worktree here, but it was moved to ${movedTo}, where somebody works`,
          evidence: [
            { source: 'git', text: `the .git of ${movedTo} leads to the files that git has of ${path}` },
          ],
          fix: advice('tell git where it is now', [repairCommand(gitDir, movedTo)]),
        },
      ];

/** Never `agent.lock.flock`, which stays forever by design. */
const leftBeside = (snapshot: Snapshot): readonly Finding[] =>
  snapshot.leftovers.flatMap((leftover) => {
    const { worker, path, kind, mtimeMs } = leftover;
    // Moving a lock aside keeps its time, so a recent time does not mean that the run is still at work.
    const missing = isLockMovedAside(leftover, snapshot.locks);
    if (kind === 'released' || !(missing || isAbandoned(mtimeMs, snapshot.takenAtMs))) return [];
    return {
      severity: missing ? 'warning' : 'info',
      worker,
      lock: null,
      about: relativeTo(snapshot.town.root, path) ?? path,
      message: `${path.split('/').at(-1) ?? path}: ${SAID[kind]}`,
      evidence: [{ source: 'lock', text: path }],
      fix: advice('the next repair, or the next agent that takes the lock, cleans it up', [
        ['doctor', '--fix', ...optionWith('worker', worker), ...townOption(snapshot.town)],
      ]),
    };
  });

export default defineCheck({
  id: 'lock-debris',
  title: 'Lock debris',
  summary: "Files that killed writers left beside a lock, and git's records of deleted worktrees.",
  run: (examination) => {
    const { snapshot } = examination;
    const { goneTrees = [], movedTrees = [] } = snapshot.town;
    const isGone = ({ path }: MovedTree): boolean => goneTrees.some((tree) => tree.path === path);
    return [
      ...leftBeside(snapshot),
      ...goneTrees.flatMap((tree) => findingFor(tree, examination)),
      ...movedTrees
        .filter((tree) => tree.isCopy !== true && !isGone(tree))
        .flatMap((tree) => findingForMoved(tree, examination)),
    ];
  },
});
