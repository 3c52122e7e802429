/** What the state of a linked working tree on disk adds to the judgement of its lock. Pure. */
import type { LockFile } from '../../types/evidence.ts';
import type { Fact, Note } from '../../types/judgement.ts';

/** `gone` where its directory is known to be gone. */
export const treeNotes = ({ tree }: LockFile): readonly Note[] =>
  tree?.exists.seen === true && !tree.exists.value ? ['gone'] : [];

/** What is wrong with the working tree; nothing where it stands and is finished, or could not be looked at. */
export const treeFact = ({ tree }: LockFile): readonly Fact[] => {
  if (tree === undefined) return [];
  const path = tree.path ?? 'its directory';
  const facts: Fact[] = [];
  if (tree.isUnfinished)
    facts.push({ source: 'git', text: 'git worktree add did not finish this working tree' });
  if (tree.exists.seen && !tree.exists.value) facts.push({ source: 'git', text: `${path} is gone` });
  return facts;
};

/** Why whoever works in the linked working tree of this lock may be elsewhere than it was looked at; null where that is sure. */
export const treeDoubt = ({ tree }: LockFile): string | null => {
  if (tree === undefined) return null;
  const path = tree.path ?? 'its directory';
  if (!tree.exists.seen) return `${path} could not be looked at: ${tree.exists.why}`;
  if (tree.movedTo !== undefined)
    return `${path} is ${tree.exists.value ? 'there' : 'gone'}, but somebody works in ${tree.movedTo}, whose .git leads to this lock`;
  return tree.astray === undefined ? null : `${path} may be another directory: ${tree.astray}`;
};
