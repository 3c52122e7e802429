/** All stories; `fixtures/towns/` contains the same as JSON, with the report for each. */
import { createHash } from 'node:crypto';
import type { LockFile, Snapshot } from '../../../src/core/types/evidence.ts';
import { TABLE_STORIES } from './decision-table.ts';
import { KIND_STORIES } from './kinds.ts';
import { PLACE_STORIES } from './places.ts';
import { PROCESS_STORIES } from './processes.ts';
import { SESSION_STORIES } from './sessions.ts';
import type { Story } from './story.ts';
import { TOOL_STORIES } from './tools.ts';

export type { Story } from './story.ts';

/** The builders use the content as a stamp; fixtures contain realistic stamps instead. Equal stamps stay equal. */
const stampLikeDisk = (lock: LockFile, place: number): LockFile =>
  lock.stamp === null
    ? lock
    : {
        ...lock,
        stamp: {
          ...lock.stamp,
          ino: String(1_048_577 + place),
          mtimeNs: `${lock.mtimeMs ?? 0}000000`,
          sha256: createHash('sha256').update(lock.stamp.sha256).digest('hex'),
        },
      };

const asOnDisk = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  locks: snapshot.locks.map(stampLikeDisk),
});

export const STORIES: readonly Story[] = [
  ...PLACE_STORIES,
  ...PROCESS_STORIES,
  ...SESSION_STORIES,
  ...TABLE_STORIES,
  ...KIND_STORIES,
  ...TOOL_STORIES,
].map((story) => ({ ...story, snapshot: asOnDisk(story.snapshot) }));
