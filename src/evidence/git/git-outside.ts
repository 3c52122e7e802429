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
  /** Something is there, but no git directory: a file, or a directory without `HEAD`. */
  readonly isHollow: boolean;
}

/** Where the `.git` of that directory leads; null where it has none, or one that a scan looks into. Loops lead nowhere. */
export const gitOutside = (root: string): GitOutside | null => {
  const path = `${root}/.git`;
  try {
    const entry = lstatSync(path, { throwIfNoEntry: false });
    if (entry === undefined || entry.isDirectory()) return null;
    const isSymlink = entry.isSymbolicLink();
    const target = isSymlink ? resolve(root, readlinkSync(path)) : pointerIn(root);
    if (target === null) return null;
    const gone = isGone(target);
    const isHollow = !gone && isGone(`${target}/HEAD`);
    const isOutside = isSymlink || relativeTo(root, realOrSame(target)) === null;
    return isOutside || isHollow ? { path: target, isSymlink, isGone: gone, isHollow } : null;
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
  if (outside === null || !(outside.isGone || outside.isSymlink || outside.isHollow)) return [];
  if (outside.isHollow)
    return [
      {
        what: `directory:${outside.path}`,
        why: 'is where .git of this working tree leads, and no repository: no lock of git was looked for',
      },
    ];
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
