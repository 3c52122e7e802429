/** The helper thread of a large scan: takes subtrees from the shared board until none is left, and hands over what it found. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { realDisk } from '../../io/disk/disk.ts';
import { nothingWalked, type Subtree, type WalkOptions, walkAll } from './walk.ts';
import { beginWork, endWork, openBoard, takeNext, tellProgress } from './walk-board.ts';

/** What the thread is given. */
export interface HelperTask extends Omit<WalkOptions, 'disk' | 'onDirectory'> {
  readonly shared: SharedArrayBuffer;
  readonly port: MessagePort;
  readonly subtrees: readonly Subtree[];
}

const { shared, port, subtrees, ...rules } = workerData as HelperTask;
const board = openBoard(shared);

if (beginWork(board)) {
  const walked = nothingWalked();
  const onDirectory = (count: number): void => tellProgress(board, count);
  const options = { ...rules, disk: realDisk, onDirectory };
  for (let index = takeNext(board, true); index !== null; index = takeNext(board, true)) {
    const subtree = subtrees[index];
    if (subtree !== undefined) walkAll([subtree], options, walked);
  }
  port.postMessage(walked);
  endWork(board);
}
