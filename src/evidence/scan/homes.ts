/** What a walk is told to look for: it knows no name of its own. Plain data, so that the helper thread can be given it. */

/** A directory in which locks are kept. */
export interface Home {
  /** What the names of locks, and of all that lies beside them, begin with. */
  readonly prefixes: readonly string[];
  /** Its name is that of an older layout. */
  readonly isOld: boolean;
}

/** The homes of all kinds by their names, each of which begins with a dot. */
export type Homes = ReadonlyMap<string, Home>;

/** True for a lock in this home, and for everything that is kept beside one under a name derived from its own. */
export const isNamedLikeLock = ({ prefixes }: Home, name: string): boolean => {
  for (const prefix of prefixes) if (name.startsWith(prefix)) return true;
  return false;
};
