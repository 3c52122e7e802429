/** How far another machine's clock is from ours, by the time that it says and the times at which it was asked. Pure. */

/**
 * Milliseconds by which a machine's clock is ahead of ours (negative: behind): the smallest difference that explains its answer.
 * Zero where its time lies between question and answer: then nothing shows that it is wrong.
 *
 * @param theirsMs what its clock showed at some moment between `askedMs` and `answeredMs` of ours
 */
export const clockDifference = (theirsMs: number, askedMs: number, answeredMs: number): number => {
  if (theirsMs < askedMs) return theirsMs - askedMs;
  return theirsMs > answeredMs ? theirsMs - answeredMs : 0;
};
