/** File names as kinds give them: a name, or one with a `*` for any text. Pure, and fast enough for the loop of a walk. */

/** What a name begins and ends with; `after` is null for a name without a star. */
export interface NamePattern {
  readonly before: string;
  readonly after: string | null;
}

/** Throws for a name with a slash or several stars, or none at all. */
export const namePattern = (text: string): NamePattern => {
  // Not split: when a literal is split, V8 looks up each part among all strings that it knows.
  const star = text.indexOf('*');
  if (text === '' || text === '.' || text === '..' || text.includes('/') || star !== text.lastIndexOf('*'))
    throw new Error(`${JSON.stringify(text)} is not a file name with at most one *`);
  return star < 0
    ? { before: text, after: null }
    : { before: text.slice(0, star), after: text.slice(star + 1) };
};

/** True where the whole name fits. */
const fitsName = ({ before, after }: NamePattern, name: string): boolean =>
  after === null
    ? name === before
    : name.length >= before.length + after.length && name.startsWith(before) && name.endsWith(after);

/** True where the name fits one of them. */
export const fitsSome = (patterns: readonly NamePattern[], name: string): boolean => {
  for (const pattern of patterns) if (fitsName(pattern, name)) return true;
  return false;
};

/** Many patterns at once. Most are names without a star, which one look-up in a set finds. */
export interface NameTable {
  readonly exact: ReadonlySet<string>;
  readonly patterns: readonly NamePattern[];
}

export const nameTable = (names: readonly string[]): NameTable => {
  const all = names.map(namePattern);
  return {
    exact: new Set(all.filter(({ after }) => after === null).map(({ before }) => before)),
    patterns: all.filter(({ after }) => after !== null),
  };
};

/** True where the name is one of them, or fits one. */
export const isInTable = ({ exact, patterns }: NameTable, name: string): boolean =>
  exact.has(name) || (patterns.length > 0 && fitsSome(patterns, name));
