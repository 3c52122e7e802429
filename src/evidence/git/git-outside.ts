/** A root whose git directory lies outside of it: a scan of the root does not see the locks in there. Reads only, never throws. */
import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { relativeTo } from '../../core/town/roles.ts';
import type { Gap } from '../../core/types/evidence.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { isAbsence } from '../../io/errno.ts';
import { pointerIn } from './linked-tree.ts';

export interface GitOutside {
  /** Absolute. */
  readonly path: string;
  /** `.git` itself is a symbolic link. */
  readonly isSymlink: boolean;
  /** Nothing is there any more. */
  readonly isGone: boolean;
}

/** Where the `.git` of that directory leads; null where it has none, or one that a scan looks into. */
export const gitOutside = (root: string): GitOutside | null => {
  const path = `${root}/.git`;
  try {
    const entry = lstatSync(path, { throwIfNoEntry: false });
    if (entry === undefined || entry.isDirectory()) return null;
    const isSymlink = entry.isSymbolicLink();
    const target = isSymlink ? resolve(root, readlinkSync(path)) : pointerIn(root);
    if (target === null || (!isSymlink && relativeTo(root, realOrSame(target)) !== null)) return null;
    return { path: target, isSymlink, isGone: isGone(target) };
  } catch {
    return null;
  }
};

const isGone = (path: string): boolean => {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    return isAbsence(error);
  }
};

/** What of a root nobody has looked at for that; none where `doctor` on another root would show it. */
export const gitGaps = (root: string): readonly Gap[] => {
  const outside = gitOutside(root);
  if (outside === null || !(outside.isGone || outside.isSymlink)) return [];
  return [
    outside.isGone
      ? {
          what: `directory:${outside.path}`,
          why: 'is gone, and with it the repository of this working tree: no lock of git was looked for',
        }
      : {
          what: `directory:${root}/.git`,
          why: `is a symbolic link, which is not followed; run doctor in ${outside.path} for locks of git`,
        },
  ];
};
