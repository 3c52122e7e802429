/** Which of several names was probably meant by a mistyped one. */

/** Restricted Damerau-Levenshtein distance: edits, and swaps of neighbours, from one word to the other. */
const distance = (from: string, to: string): number => {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= from.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const cell = (up: number, left: number): number =>
        rows[row - up]?.[column - left] ?? line[column - left] ?? 0;
      const same = from[row - 1] === to[column - 1];
      let best = Math.min(cell(1, 0) + 1, (line[column - 1] ?? 0) + 1, cell(1, 1) + (same ? 0 : 1));
      const swapped =
        row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) best = Math.min(best, cell(2, 2) + 1);
      line.push(best);
    }
    rows.push(line);
  }
  return rows[from.length]?.[to.length] ?? Number.POSITIVE_INFINITY;
};

/** The candidate that was probably meant, or null where none is close enough to be worth saying. */
export const didYouMean = (word: string, candidates: readonly string[]): string | null => {
  const asked = word.toLowerCase();
  const allowed = Math.max(1, Math.floor(asked.length / 3));
  let best: { readonly candidate: string; readonly edits: number } | null = null;
  for (const candidate of candidates) {
    // A much longer or shorter word cannot be near; skipping it keeps long lists of workers cheap.
    if (Math.abs(candidate.length - asked.length) > allowed) continue;
    const edits = distance(asked, candidate.toLowerCase());
    if (edits <= allowed && (best === null || edits < best.edits)) best = { candidate, edits };
  }
  return best?.candidate ?? null;
};

/** The same for ids whose words are joined by dashes: a word that is near none means all that have it, `git-lock or git-worktree`. */
export const idMeant = (word: string, ids: readonly string[]): string | null => {
  const near = didYouMean(word, ids);
  if (near !== null) return near;
  const having = ids.filter((id) => id.split('-').includes(word.toLowerCase()));
  return having.length === 0 ? null : having.join(' or ');
};

/** The worker that was probably meant, by its path or by the last name of it; null where none is close enough. */
export const nearWorker = (word: string, workers: readonly string[]): string | null => {
  const named = workers.filter((worker) => worker !== '.');
  const whole = didYouMean(word, named);
  if (whole !== null) return whole;
  const lastOf = (worker: string): string => worker.slice(worker.lastIndexOf('/') + 1);
  const near = didYouMean(word, named.map(lastOf));
  const meant = near === null ? [] : named.filter((worker) => lastOf(worker) === near);
  return meant.length === 1 ? (meant[0] ?? null) : null;
};

/** Shorter names differ by a letter on purpose: `ada`, `adam`. */
const SHORTEST_SLIP = 5;

/**
 * True where one name is probably the other one mistyped: a letter is missing or doubled, or two letters are swapped. A different
 * digit or letter in the same place does not count, since people tell names apart that way: `feature-1`, `feature-2`.
 */
export const isSlip = (word: string, other: string): boolean => {
  const [short, long] = word.length <= other.length ? [word, other] : [other, word];
  if (short.length < SHORTEST_SLIP || long.length - short.length > 1) return false;
  if (short.replace(/\D/g, '') !== long.replace(/\D/g, '')) return false;
  const at = [...long].findIndex((_, index) => long[index] !== short[index]);
  if (at < 0) return false;
  if (long.length > short.length) return long.slice(0, at) + long.slice(at + 1) === short;
  return `${long.slice(0, at)}${long[at + 1] ?? ''}${long[at]}${long.slice(at + 2)}` === short;
};
