/**
 * The memory that two walking threads share: the next free subtree, the helper's progress, and who took what. Both
 * threads are synchronous, so this is all they know of each other.
 */

export interface Board {
  readonly shared: SharedArrayBuffer;
  readonly cells: Int32Array;
}

const CURSOR = 0;
const STATE = 1;
const PROGRESS = 2;
const OWNERS = 3;

const IDLE = 0;
const WORKING = 1;
const DONE = 2;
const CALLED_OFF = 3;

/** A board for so many subtrees, none of them taken. */
export const newBoard = (subtrees: number): Board =>
  openBoard(new SharedArrayBuffer((OWNERS + subtrees) * Int32Array.BYTES_PER_ELEMENT));

/** The same board in the other thread. */
export const openBoard = (shared: SharedArrayBuffer): Board => ({ shared, cells: new Int32Array(shared) });

/** Takes the next free subtree: its index, or null where none is left. */
export const takeNext = ({ cells }: Board, isHelper: boolean): number | null => {
  const index = Atomics.add(cells, CURSOR, 1);
  if (index >= cells.length - OWNERS) return null;
  if (isHelper) Atomics.store(cells, OWNERS + index, 1);
  return index;
};

/** Number of subtrees that are still free. */
export const countRemaining = ({ cells }: Board): number =>
  Math.max(0, cells.length - OWNERS - Atomics.load(cells, CURSOR));

/** The helper starts work; false where it came too late. */
export const beginWork = ({ cells }: Board): boolean =>
  Atomics.compareExchange(cells, STATE, IDLE, WORKING) === IDLE;

/** The helper reports its progress: directories that it has entered. */
export const tellProgress = ({ cells }: Board, directories: number): void => {
  Atomics.store(cells, PROGRESS, directories);
};

/** The helper has handed over everything. */
export const endWork = ({ cells }: Board): void => {
  Atomics.store(cells, STATE, DONE);
  Atomics.notify(cells, STATE);
};

/** Directories that the helper has entered so far. */
export const readProgress = ({ cells }: Board): number => Atomics.load(cells, PROGRESS);

/**
 * Blocks until the helper has handed over (true). False where it never began (from now on it cannot), or where it
 * made no progress for `stallMs`: a dead thread cannot tell a blocked one that it died.
 */
export const waitForHelper = (board: Board, stallMs: number): boolean => {
  const { cells } = board;
  if (Atomics.compareExchange(cells, STATE, IDLE, CALLED_OFF) === IDLE) return false;
  for (let seen = -1; Atomics.load(cells, STATE) === WORKING; ) {
    const progress = readProgress(board);
    if (progress === seen) return false;
    seen = progress;
    Atomics.wait(cells, STATE, WORKING, stallMs);
  }
  return true;
};

/** Indices of the subtrees that the helper took. */
export const takenByHelper = ({ cells }: Board): readonly number[] =>
  Array.from(cells.subarray(OWNERS), (owner, index) => (owner === 1 ? index : -1)).filter(
    (index) => index >= 0,
  );
