/**
 * Which agent a directory, a session name or an environment belongs to. Layout and names are Gas Town's (field notes).
 * Everything is decided by the shape of paths and names, so that a town with a missing or broken rigs.json can be read too.
 *
 * A role is the canonical name of an agent: `mayor`, `deacon`, `deacon/dogs/<d>`, `<rig>/witness`, `<rig>/refinery`,
 * `<rig>/mayor`, `<rig>/crew/<n>`, `<rig>/polecats/<n>`.
 */
import type { GasTownEnvironment, Rig } from '../types/evidence.ts';

export interface Owner {
  readonly role: string;
  /** Top directory of that agent, relative to the town. */
  readonly dir: string;
  /** The path itself is a place where that agent is meant to work. */
  readonly canonical: boolean;
}

const NOT_RIGS = new Set([
  'mayor',
  'deacon',
  'daemon',
  'logs',
  'settings',
  'plugins',
  'docs',
  'node_modules',
]);

/** True where `path` is `dir` or lies below it. Both relative to the town; `.` contains everything but what lies outside, `../`. */
export const isWithin = (path: string, dir: string): boolean =>
  (dir === '.' && !path.startsWith('../')) ||
  path === dir ||
  (path.startsWith(dir) && path[dir.length] === '/');

/** The path relative to the town root, or null where it lies outside. */
export const relativeTo = (root: string, path: string): string | null => {
  if (path === root) return '.';
  const prefix = root.endsWith('/') ? root : `${root}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : null;
};

const rigOwner = (worker: string, segments: readonly string[]): Owner | null => {
  // By index: destructuring makes three objects, and there may be ten thousand workers.
  const rig = segments[0] ?? '';
  const place = segments[1] ?? '';
  const name = segments[2] ?? '';
  const inner = segments[3];
  const depth = segments.length;
  if (rig.startsWith('.') || NOT_RIGS.has(rig)) return null;
  if ((place === 'crew' || place === 'polecats') && name !== '') {
    const dir = depth === 3 ? worker : `${rig}/${place}/${name}`;
    const canonical = depth === 3 || (place === 'polecats' && depth === 4 && inner === rig);
    return { role: dir, dir, canonical };
  }
  if (place === 'witness' || place === 'refinery') {
    const dir = `${rig}/${place}`;
    return { role: dir, dir, canonical: depth === 2 || (depth === 3 && name === 'rig') };
  }
  if (place === 'mayor') {
    const dir = `${rig}/mayor`;
    return { role: dir, dir, canonical: depth === 3 && name === 'rig' };
  }
  return null;
};

/** The agent whose place a directory is, or lies in; null for the town root, rig roots and places of no agent. */
export const ownerOf = (worker: string): Owner | null => {
  const segments = worker.split('/');
  const first = segments[0] ?? '';
  const second = segments[1] ?? '';
  const third = segments[2] ?? '';
  const depth = segments.length;
  if (first === 'mayor')
    return { role: 'mayor', dir: 'mayor', canonical: depth === 1 || (depth === 2 && second === 'rig') };
  if (first === 'deacon') {
    if (second === 'dogs' && third !== '') {
      const dir = `deacon/dogs/${third}`;
      return { role: dir, dir, canonical: depth <= 4 };
    }
    return { role: 'deacon', dir: 'deacon', canonical: depth === 1 };
  }
  return depth >= 2 ? rigOwner(worker, segments) : null;
};

/** True for a directory in which Gas Town keeps workers and nothing else: `<rig>/crew`, `<rig>/polecats`, `deacon/dogs`. */
export const holdsWorkers = (directory: string): boolean =>
  ownerOf(`${directory}/name`)?.dir === `${directory}/name`;

/**
 * All roles that may rightfully work in the owner's place: a crew directory `<rig2>-<name>` is the worktree of
 * `<rig2>/crew/<name>` in another rig; a rig's `mayor/` belongs to the town's mayor as well.
 */
export const rolesOf = (owner: Owner, rigs: readonly Rig[]): readonly string[] => {
  const { role } = owner;
  if (role.endsWith('/mayor') && role.indexOf('/') === role.lastIndexOf('/')) return [role, 'mayor'];
  // Names of crew members alone: most workers are told apart here, and there may be ten thousand.
  if (!role.includes('-')) return [role];
  const [, place, name = ''] = role.split('/');
  if (place !== 'crew' || !name.includes('-')) return [role];
  const guests = rigs
    .filter((rig) => name.startsWith(`${rig.name}-`) && name.length > rig.name.length + 1)
    .map((rig) => `${rig.name}/crew/${name.slice(rig.name.length + 1)}`);
  return [role, ...guests];
};

/** Session names that Gas Town gives, or gave before v0.7, to an agent. Exact names. */
export const sessionNamesOf = (role: string, prefix: string | null): readonly string[] => {
  const [first = '', second = '', third = ''] = role.split('/');
  if (role === 'mayor' || role === 'deacon') return [`hq-${role}`, `gt-${role}`];
  if (first === 'deacon')
    return third === 'boot' ? ['hq-boot', 'hq-dog-boot', 'gt-boot'] : [`hq-dog-${third}`];
  const now = prefix ?? 'gt';
  if (second === 'crew') return [`${now}-crew-${third}`, `gt-${first}-crew-${third}`];
  if (second === 'polecats') return [`${now}-${third}`, `gt-${first}-${third}`];
  return second === 'mayor' ? [] : [`${now}-${second}`, `gt-${first}-${second}`];
};

/** True where a name has the shape of the role's session under some prefix: for rigs whose prefix is not known. */
export const fitsSomePrefix = (name: string, role: string): boolean => {
  const [, place = '', worker = ''] = role.split('/');
  const tail = place === 'crew' ? `-crew-${worker}` : place === 'polecats' ? `-${worker}` : `-${place}`;
  return place !== '' && name.endsWith(tail) && /^[a-z0-9]+$/.test(name.slice(0, -tail.length));
};

const TOWN_ROLES: Readonly<Record<string, string>> = {
  mayor: 'mayor',
  'mayor/': 'mayor',
  deacon: 'deacon',
  'deacon/': 'deacon',
  boot: 'deacon/dogs/boot',
  'deacon/boot': 'deacon/dogs/boot',
};

const PLACES: Readonly<Record<string, string>> = { polecat: 'polecats', polecats: 'polecats', crew: 'crew' };

/** The roles that an identity text may mean: `rig/name` is a crew member or a polecat of that name. Empty: no identity. */
export const rolesOfIdentity = (identity: string): readonly string[] => {
  const town = TOWN_ROLES[identity];
  if (town !== undefined) return [town];
  const parts = identity.split('/').filter((part) => part !== '');
  const [first = '', second = '', third = ''] = parts;
  if (first === 'deacon' && (second === 'dogs' || second === 'dog') && third !== '')
    return [`deacon/dogs/${third}`];
  if (parts.length === 3) {
    const place = PLACES[second];
    return place === undefined ? [] : [`${first}/${place}/${third}`];
  }
  if (parts.length !== 2) return [];
  if (second === 'witness' || second === 'refinery' || second === 'mayor') return [`${first}/${second}`];
  return [`${first}/crew/${second}`, `${first}/polecats/${second}`];
};

/** The roles that an environment names (`GT_ROLE`, alone or with `GT_RIG` and `GT_CREW` or `GT_POLECAT`). */
export const rolesOfEnvironment = (environment: GasTownEnvironment): readonly string[] => {
  const { GT_ROLE: role = '', GT_RIG: rig = '', GT_CREW: crew = '', GT_POLECAT: polecat = '' } = environment;
  if (role.includes('/') || TOWN_ROLES[role] !== undefined) return rolesOfIdentity(role);
  if (rig === '') return [];
  if (role === 'witness' || role === 'refinery') return [`${rig}/${role}`];
  if (crew !== '' && role !== 'polecat') return [`${rig}/crew/${crew}`];
  if (polecat !== '' && role !== 'crew') return [`${rig}/polecats/${polecat}`];
  return [];
};
