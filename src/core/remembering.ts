/** Answers that are found once. */

/**
 * A function that asks only once for each key, and answers as before from then on. Keys are compared as those of a `Map`.
 * An answer of `undefined` is not remembered, nor one that was thrown.
 */
export const remembering = <Question, Answer>(
  ask: (question: Question) => Answer,
  keyOf: (question: Question) => unknown = (question) => question,
): ((question: Question) => Answer) => {
  const known = new Map<unknown, Answer>();
  return (question) => {
    const key = keyOf(question);
    const before = known.get(key);
    if (before !== undefined) return before;
    const answer = ask(question);
    known.set(key, answer);
    return answer;
  };
};
