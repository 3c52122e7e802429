/**
 * The memory that two walking threads share: whose turn is next, how far the helper is, and who took what. Both threads
 * are synchronous, so this is all they know of each other.
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

/** A board for so many subtrees, nobody at work. */
export const newBoard = (subtrees: number): Board =>
  openBoard(new SharedArrayBuffer((OWNERS + subtrees) * Int32Array.BYTES_PER_ELEMENT));

/** The same board in the other thread. */
export const openBoard = (shared: SharedArrayBuffer): Board => ({ shared, cells: new Int32Array(shared) });

/** Index of the next subtree that nobody has taken, or null. */
export const takeNext = ({ cells }: Board, isHelper: boolean): number | null => {
  const index = Atomics.add(cells, CURSOR, 1);
  if (index >= cells.length - OWNERS) return null;
  if (isHelper) Atomics.store(cells, OWNERS + index, 1);
  return index;
};

/** Subtrees that nobody has taken yet. */
export const countRemaining = ({ cells }: Board): number =>
  Math.max(0, cells.length - OWNERS - Atomics.load(cells, CURSOR));

/** The helper reports for work; false where it came too late. */
export const beginWork = ({ cells }: Board): boolean =>
  Atomics.compareExchange(cells, STATE, IDLE, WORKING) === IDLE;

/** The helper shows that it lives: directories it has entered. */
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
 * Blocks until the helper has handed over (true). False where it never began, and now never will, or where it showed no
 * progress for `stallMs`: a thread that died cannot say so to one that waits.
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
