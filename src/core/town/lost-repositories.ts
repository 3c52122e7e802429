/** Working trees whose `.git` leads to no repository that could be looked into: a lock of git may lie there. */
import { groupBy } from '../group-by.ts';
import type { Gap, Snapshot } from '../types/evidence.ts';
import { relativeTo } from './roles.ts';

export interface LostRepository {
  readonly is: NonNullable<Gap['git']>;
  /** Absolute path of the git directory around what they lead to; null where their `.git` does not say. */
  readonly repository: string | null;
  /** The working trees, relative to the town, in the order of the gaps. */
  readonly trees: readonly [string, ...string[]];
  /** The main git directory that has the files of some of them now, and these, absolute; null where none was seen. */
  readonly repair: { readonly gitDir: string; readonly trees: readonly string[] } | null;
  /** About the `.git` of the first one: `leads to /x, which is gone`. */
  readonly why: string;
}

/** Grouped by repository: hundreds of working trees may have lost the same one. */
export const lostRepositoriesOf = ({ gaps, town: { root } }: Snapshot): readonly LostRepository[] => {
  const lost = gaps.flatMap(({ what, why, git, leadsTo, repairIn }) => {
    const path = what.slice(what.indexOf(':') + 1);
    const tree = git === undefined ? null : relativeTo(root, path.replace(/\/\.git$/, '') || '/');
    if (git === undefined || tree === null) return [];
    const repository = leadsTo?.replace(/\/(?:worktrees|modules)\/.*$/, '') ?? null;
    return [
      {
        git,
        why,
        tree,
        repository,
        repairIn,
        top: path.slice(0, -'/.git'.length) || '/',
        key: repository === null ? path : `${git} ${repository}`,
      },
    ];
  });
  return [...groupBy(lost, ({ key }) => key).values()].flatMap(([first, ...others]) =>
    first === undefined
      ? []
      : [
          {
            is: first.git,
            repository: first.repository,
            trees: [first.tree, ...others.map(({ tree }) => tree)] as const,
            repair: repairOf([first, ...others]),
            why: first.why,
          },
        ],
  );
};

const repairOf = (
  lost: readonly { readonly top: string; readonly repairIn: string | undefined }[],
): LostRepository['repair'] => {
  const gitDir = lost.find(({ repairIn }) => repairIn !== undefined)?.repairIn;
  if (gitDir === undefined) return null;
  return { gitDir, trees: lost.filter(({ repairIn }) => repairIn === gitDir).map(({ top }) => top) };
};
