/** How far another machine's clock is from ours, out of what it says it is and when it was asked. Pure. */

/**
 * Milliseconds that a machine's clock is ahead of ours (behind: negative): the least that explains what it said. Zero where it
 * may be right, which is all that a question on the way there and back can tell.
 *
 * @param theirsMs what its clock showed at some moment between `askedMs` and `answeredMs` of ours
 */
export const clockDifference = (theirsMs: number, askedMs: number, answeredMs: number): number => {
  if (theirsMs < askedMs) return theirsMs - askedMs;
  return theirsMs > answeredMs ? theirsMs - answeredMs : 0;
};
