/** Places of locks that could not be looked into: there may be a lock in each of them. */
import type { Gap, Snapshot } from '../types/evidence.ts';
import { relativeTo } from './roles.ts';

export interface ClosedHome {
  readonly worker: string;
  /** Absolute. */
  readonly path: string;
  readonly is: NonNullable<Gap['home']>;
  readonly why: string;
}

/** All closed homes of a snapshot, sorted by path; without those outside the town. */
export const closedHomesOf = ({ gaps, town: { root } }: Snapshot): readonly ClosedHome[] =>
  gaps.flatMap(({ what, why, home }) => {
    if (home === undefined) return [];
    const path = what.slice(what.indexOf(':') + 1);
    const worker = relativeTo(root, path.slice(0, path.lastIndexOf('/')) || '/');
    return worker === null ? [] : [{ worker, path, is: home, why }];
  });
