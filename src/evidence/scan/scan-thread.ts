/** The helper thread of a large scan: takes subtrees from the shared board until none is left, and hands over what it found. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { realDisk } from '../../io/disk/disk.ts';
import type { Homes, NamedFiles } from './homes.ts';
import { nothingWalked, type Subtree, walkAll } from './walk.ts';
import { beginWork, endWork, openBoard, takeNext, tellProgress } from './walk-board.ts';

/** What the thread is given. */
export interface HelperTask {
  readonly shared: SharedArrayBuffer;
  readonly port: MessagePort;
  readonly subtrees: readonly Subtree[];
  readonly homes: Homes;
  readonly files: NamedFiles | null;
  readonly inGitDirs: boolean;
  readonly prune: ReadonlySet<string>;
  readonly uid: number;
}

const { shared, port, subtrees, homes, files, inGitDirs, prune, uid } = workerData as HelperTask;
const board = openBoard(shared);

if (beginWork(board)) {
  const walked = nothingWalked();
  const options = {
    disk: realDisk,
    homes,
    files,
    inGitDirs,
    prune,
    uid,
    onDirectory: (count: number) => tellProgress(board, count),
  };
  for (let index = takeNext(board, true); index !== null; index = takeNext(board, true)) {
    const subtree = subtrees[index];
    if (subtree !== undefined) walkAll([subtree], options, walked);
  }
  port.postMessage(walked);
  endWork(board);
}
