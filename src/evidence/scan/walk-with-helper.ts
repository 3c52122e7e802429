/** Walks a large tree with a second thread. The result is the same as with one thread. */
import type { Worker as WorkerThread } from 'node:worker_threads';
import type { HelperTask } from './scan-thread.ts';
import {
  addWalked,
  type Subtree,
  type Walked,
  type WalkOptions,
  walkAll,
  walkInSteps,
  walkToFrontier,
} from './walk.ts';
import {
  type Board,
  countRemaining,
  newBoard,
  readProgress,
  takeNext,
  takenByHelper,
  waitForHelper,
} from './walk-board.ts';

/** Number of subtrees that is enough to share work evenly whatever their sizes. Smaller towns end before that. */
const FRONTIER = 256;

/** Directories after which the rest is estimated; and the estimated rest that is worth starting a thread for (some 20 ms). */
const SAMPLE = 2_000;
const WORTHWHILE = 30_000;

/** Milliseconds without progress after which the helper counts as dead. Its part is then walked again. */
const STALL_MS = 3_000;

/**
 * Walks a subtree with a helper thread on another core: `always`, or where the rest is large and a core is idle
 * (under load a second thread only takes turns with the first). The result is the same in every case. Yields after
 * each small part of a large tree, so that the walk can be interrupted.
 */
export function* walkWithHelper(
  start: Subtree,
  always: boolean,
  options: WalkOptions,
  walked: Walked,
): Generator<void, void> {
  const subtrees = walkToFrontier(start, FRONTIER, options, walked);
  const board = newBoard(subtrees.length);
  const atFrontier = walked.directories;
  let helper: (() => Walked | null) | null = null;
  let isDecided = false;
  const decide = (taken: number): void => {
    const entered = walked.directories - atFrontier;
    if (isDecided || (!always && entered < SAMPLE)) return;
    isDecided = true;
    const rest = (entered / taken) * countRemaining(board);
    if (always || (rest > WORTHWHILE && hasIdleCore())) helper = startHelper(subtrees, board, options);
  };
  const { onDirectory } = options;
  const own: WalkOptions = {
    ...options,
    onDirectory:
      onDirectory === null
        ? null
        : (directories, sightings) => onDirectory(directories + readProgress(board), sightings),
  };

  if (always) decide(0);
  for (let index = takeNext(board, false); index !== null; index = takeNext(board, false)) {
    const subtree = subtrees[index];
    if (subtree !== undefined) yield* walkInSteps([subtree], own, walked);
    decide(index + 1);
  }
  finish(helper, subtrees, board, own, walked);
}

const finish = (
  helper: (() => Walked | null) | null,
  subtrees: readonly Subtree[],
  board: Board,
  options: WalkOptions,
  walked: Walked,
): void => {
  if (helper === null) return;
  const more = helper();
  if (more === null) {
    const lost = takenByHelper(board).map((index) => subtrees[index]);
    walkAll(
      lost.filter((subtree) => subtree !== undefined),
      options,
      walked,
    );
    return;
  }
  addWalked(walked, more);
};

/**
 * Starts the thread; the function returned waits for it and says what it found, or null where it did nothing. If it
 * cannot start or fails, its part is walked here.
 */
const startHelper = (
  subtrees: readonly Subtree[],
  board: Board,
  { homes, files, inGitDirs, prune, uid }: WalkOptions,
): (() => Walked | null) | null => {
  // Loaded here, because most runs do not need it.
  const { MessageChannel, receiveMessageOnPort, Worker } = process.getBuiltinModule('node:worker_threads');
  const { port1, port2 } = new MessageChannel();
  const { shared } = board;
  const workerData: HelperTask = { shared, port: port2, subtrees, homes, files, inGitDirs, prune, uid };
  let worker: WorkerThread;
  try {
    const options = { workerData, transferList: [port2], execArgv: [] };
    worker = new Worker(new URL('./scan-thread.js', import.meta.url), options);
  } catch {
    return null; // not permitted here, or no memory for it
  }
  worker.unref();
  worker.on('error', () => {});
  return () => {
    const message = waitForHelper(board, STALL_MS) ? receiveMessageOnPort(port1) : undefined;
    port1.close();
    void worker.terminate();
    return message === undefined ? null : (message.message as Walked);
  };
};

/** One core is free besides ours, as far as the last minute tells. */
const hasIdleCore = (): boolean => {
  // Loaded here, because most runs do not need it.
  const { availableParallelism, loadavg } = process.getBuiltinModule('node:os');
  const cores = availableParallelism();
  return cores > 1 && (loadavg()[0] ?? cores) <= cores - 1;
};
