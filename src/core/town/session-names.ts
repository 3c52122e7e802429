/** Which of a town's known roles a tmux session's name fits. Pure. */
import { groupBy } from '../group-by.ts';
import { remembering } from '../remembering.ts';
import type { TownFacts } from '../types/evidence.ts';
import { fitsSomePrefix, sessionNamesOf } from './roles.ts';

/** Returns a function that finds which of these roles a session name fits. */
export const nameReader = (
  { rigs }: TownFacts,
  roles: ReadonlySet<string>,
): ((name: string) => readonly string[]) => {
  const prefixes = new Map(rigs.map((rig) => [rig.name, rig.prefix]));
  const knownPrefixes = new Set(rigs.map((rig) => rig.prefix));
  const prefixOf = (role: string): string | null => prefixes.get(role.split('/')[0] ?? '') ?? null;
  // Made on the first question: without panes there is none.
  let similarTo: ((name: string) => readonly string[]) | null = null;
  return remembering((name) => {
    similarTo ??= similarRoles(roles);
    const similar = similarTo(name);
    const exact = similar.filter((role) => sessionNamesOf(role, prefixOf(role)).includes(name));
    const prefixIsTaken = knownPrefixes.has(name.split('-')[0] ?? '');
    const loose = prefixIsTaken
      ? []
      : similar.filter((role) => prefixOf(role) === null && fitsSomePrefix(name, role));
    return [...new Set([...exact, ...loose])];
  });
};

/**
 * Finds the roles that end like a session name; it can fit no others. Every session name of a role ends in a hyphen and the
 * role's last word or, where an agent's name follows, the kind of its place.
 */
const similarRoles = (roles: ReadonlySet<string>): ((name: string) => readonly string[]) => {
  const byLastWord = groupBy(roles, lastWordOf);
  const byKind = groupBy(roles, kindOfPlace);
  return (name) => {
    const endings = [...name.matchAll(/-/g)].map(({ index }) => name.slice(index + 1));
    const similar = endings.flatMap((ending) => [
      ...(byLastWord.get(ending) ?? []),
      ...(byKind.get(ending) ?? []),
    ]);
    return [...new Set(similar)];
  };
};

/** Both look for slashes instead of splitting: a town may have ten thousand roles. */
const lastWordOf = (role: string): string => role.slice(role.lastIndexOf('/') + 1);

const kindOfPlace = (role: string): string | null => {
  const [first, last] = [role.indexOf('/'), role.lastIndexOf('/')];
  const place = role.slice(first + 1, last);
  return first === last || place === 'crew' || place === 'polecats' ? null : place;
};
