/** The table of all names that are looked for, compiled from the kinds before a walk starts. */
import agent from '../../../kinds/agent.ts';
import { groupBy } from '../../core/group-by.ts';
import { fitsSome, type NamePattern, namePattern, nameTable } from '../../core/record/name-pattern.ts';
import type { LockFile } from '../../core/types/evidence.ts';
import type { Kind } from '../../core/types/kind.ts';
import { baseName } from '../../io/disk/disk-path.ts';
import type { GitNames, Home, Homes, InGitDirs, NamedFiles } from '../scan/homes.ts';

/** A kind whose locks lie in homes of one name, and what that name says of the layout. */
export interface KindInHome {
  readonly kind: Kind;
  readonly layout: LockFile['layout'];
  /** Its locks there: their names. */
  readonly names: readonly NamePattern[];
  /** What precedes the home's name at the end of its path; null for anything. */
  readonly above: string | null;
  /** Its locks are one directory further down, in one of any name. */
  readonly isBelow: boolean;
}

/** A kind whose locks lie at places relative to something: a git directory, or the root. */
interface KindAtPath {
  readonly kind: Kind;
  readonly fits: (path: string) => boolean;
}

export interface LockTable {
  /** All homes; and only those with locks that claim a worker, which are looked at for a single worker. */
  readonly homes: Homes;
  readonly claimHomes: Homes;
  /** By the names of homes. */
  readonly kindsIn: ReadonlyMap<string, readonly KindInHome[]>;
  /** Kinds by id. */
  readonly kinds: ReadonlyMap<string, Kind>;
  /** Where the second record of a claim on a worker lies today, relative to the worker. */
  readonly companions: readonly string[];
  /** Null: no kind looks there. */
  readonly inGitDirs:
    | (InGitDirs & Readonly<Record<'mainKinds' | 'linkedKinds', readonly KindAtPath[]>>)
    | null;
  /** Null: no kind is looked for everywhere. */
  readonly files: (NamedFiles & { readonly kinds: readonly KindAtPath[] }) | null;
  /** Kinds whose locks are directories of certain names, wherever they lie. */
  readonly directories: readonly KindAtPath[];
}

const NO_HOME: Home = {
  prefixes: [],
  names: [],
  isOld: false,
  isClaimed: false,
  below: null,
  isLock: false,
};

/** Compiles the table of these kinds. Throws for a place that no walk would look up. */
export const compileTable = (kinds: readonly Kind[]): LockTable => {
  const kindsIn = new Map<string, KindInHome[]>();
  const companions: string[] = [];
  for (const kind of kinds) {
    if (kind.livesIn !== undefined && !isToolName(kind.livesIn))
      throw new Error(`kind ${kind.id}: ${kind.livesIn} is not a name that begins with a dot`);
    for (const [home, at] of homesOf(kind)) kindsIn.set(home, [...(kindsIn.get(home) ?? []), at]);
    if (kind.claims !== 'worker' || kind.where.companion === undefined) continue;
    for (const [home, layout] of Object.entries(kind.where.homes))
      if (layout === 'runtime') companions.push(`${home}/${kind.where.companion}`);
  }
  const directories = kinds.flatMap((kind) =>
    ('beside' in kind.where ? (kind.where.directories ?? []) : []).map((name) => ({ kind, name })),
  );
  const homes = new Map([
    ...[...kindsIn].map(([name, its]) => [name, homeOf(its)] as const),
    ...directories.map(({ name }) => [name, { ...NO_HOME, isLock: true }] as const),
  ]);
  return {
    homes,
    claimHomes: new Map([...homes].filter(([, { isClaimed }]) => isClaimed)),
    kindsIn,
    kinds: new Map(kinds.map((kind) => [kind.id, kind])),
    companions,
    inGitDirs: gitDirsOf(kinds),
    files: filesOf(kinds),
    directories: directories.map(({ kind, name }) => ({ kind, fits: pathFitter(`**/${name}`) })),
  };
};

// No patterns: V8 compiles one that is met a second time to machine code, and this runs before every look.

const isDotName = (name: string): boolean => name.length > 1 && name.startsWith('.') && !name.includes('/');

/** The name of a directory in a user's home. */
const isToolName = (name: string): boolean =>
  isDotName(name) && !name.includes('*') && !name.includes('\0') && !name.endsWith('.');

/** One name of a path, in a directory that any tool may have made. */
const isPlainName = (name: string): boolean =>
  name !== '.' && name !== '..' && name >= '!' && name < '\x7f' && name.indexOf('*', 1) < 0;

/** Homes by their names, of one kind. */
const homesOf = (kind: Kind): readonly (readonly [string, KindInHome])[] => {
  const { where } = kind;
  if ('homes' in where)
    return Object.entries(where.homes).map(([home, layout]) => {
      if (!isDotName(home)) throw new Error(`kind ${kind.id}: ${home} is not a name that begins with a dot`);
      return [home, { kind, layout, names: [namePattern(where.name)], above: null, isBelow: false }];
    });
  if (!('beside' in where)) return [];
  return Object.entries(where.beside).map(([path, names]) => {
    const isBelow = path.endsWith('/*');
    const parts = (isBelow ? path.slice(0, -'/*'.length) : path).split('/');
    if (!parts.every(isPlainName))
      throw new Error(`kind ${kind.id}: ${path} is not the name of a directory, nor the end of a path`);
    const above = parts.length > 1 ? parts.slice(0, -1).join('/') : null;
    const at = { kind, layout: 'runtime' as const, names: names.map(namePattern), above, isBelow };
    return [parts.at(-1) ?? '', at];
  });
};

const homeOf = (its: readonly KindInHome[]): Home => {
  const below = its.filter(({ isBelow }) => isBelow);
  const [here, names] = [its.filter(({ isBelow }) => !isBelow), below.flatMap((at) => at.names)];
  return {
    prefixes: here.flatMap(({ kind }) => ('homes' in kind.where ? [kind.where.name] : [])),
    names: here.flatMap(({ kind, names }) => ('homes' in kind.where ? [] : names)),
    isOld: here.some(({ layout }) => layout === 'legacy'),
    isClaimed: here.some(({ kind }) => kind.claims === 'worker'),
    below: below.length === 0 ? null : { ...NO_HOME, names },
    isLock: false,
  };
};

const gitDirsOf = (kinds: readonly Kind[]): LockTable['inGitDirs'] => {
  const paths = (part: 'main' | 'linked') =>
    kinds.flatMap((kind) =>
      ('inGitDir' in kind.where ? (kind.where.inGitDir[part] ?? []) : []).map((path) => ({ kind, path })),
    );
  const [main, linked] = [paths('main'), paths('linked')];
  if (main.length + linked.length === 0) return null;
  return {
    main: gitNames(main.map(({ path }) => path)),
    linked: gitNames(linked.map(({ path }) => path)),
    mainKinds: main.map(({ kind, path }) => ({ kind, fits: pathFitter(path) })),
    linkedKinds: linked.map(({ kind, path }) => ({ kind, fits: pathFitter(path) })),
  };
};

/** What the path of a directory ends in where everything below it is meant. */
const DEEP = '/**';

const gitNames = (paths: readonly string[]): GitNames => {
  const parts = paths.map((path) => {
    const end = path.lastIndexOf('/');
    return { path, directory: path.slice(0, Math.max(0, end)), name: path.slice(end + 1) };
  });
  const lower = parts.filter(({ directory }) => directory !== '');
  const listed = lower.filter(({ path }) => path.includes('*'));
  const single = lower.map(({ path }) => path).filter((path) => !path.includes('*'));
  const directories = groupBy(listed, ({ directory }) => directory);
  return {
    names: nameTable(parts.filter(({ directory }) => directory === '').map(({ name }) => name)),
    paths: groupBy(single, (path) => path.slice(0, path.indexOf('/'))),
    directories: [...directories].map(([path, within]) => ({
      path: path.endsWith(DEEP) ? path.slice(0, -DEEP.length) : path,
      first: path.includes('/') ? path.slice(0, path.indexOf('/')) : path,
      names: nameTable(within.map(({ name }) => name)),
      isDeep: path.endsWith(DEEP),
    })),
  };
};

const filesOf = (kinds: readonly Kind[]): LockTable['files'] => {
  const found = kinds.flatMap((kind) =>
    ('files' in kind.where ? kind.where.files : []).map((path) => ({ kind, path })),
  );
  if (found.length === 0) return null;
  return {
    names: found.map(({ path }) => lastPattern(path)),
    kinds: found.map(({ kind, path }) => ({ kind, fits: pathFitter(path) })),
  };
};

/** Throws for a pattern that no path relative to the root fits: an absolute one, or one with `.`, `..` or empty elements. */
const lastPattern = (path: string): NamePattern => {
  const names = path.split('/');
  const last = namePattern(names.at(-1) ?? '');
  if (names.some((name) => ['', '.', '..'].includes(name)))
    throw new Error(`${JSON.stringify(path)} is not a path relative to the root without "." and ".."`);
  return last;
};

/** Tells whether a relative path fits the pattern: `*` stands for any text within a name, `**` for any number of directories. */
const pathFitter = (pattern: string): ((path: string) => boolean) => {
  let whole: RegExp | null = null;
  return (path) => {
    // Made for the first path: there are fifty patterns, and most runs meet no path that could fit.
    whole ??= pathPattern(pattern);
    return whole.test(path);
  };
};

const pathPattern = (pattern: string): RegExp => {
  const text = pattern
    .split('/')
    .map((name, at, names) =>
      name === '**'
        ? '(?:[^/]+/)*'
        : name.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*') +
          (at < names.length - 1 ? '/' : ''),
    )
    .join('');
  return new RegExp(`^${text}$`, 's');
};

/** Applies to every directory of that name. */
const isAnywhere = ({ above, isBelow }: KindInHome): boolean => above === null && !isBelow;

const NO_KINDS: readonly KindInHome[] = [];

/** What is above the last name of a path; empty where that is all. */
const aboveLast = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** The kinds that keep locks in a directory, by the names of its path. */
export const kindsAt = (directory: string, kindsIn: LockTable['kindsIn']): readonly KindInHome[] => {
  const here = kindsIn.get(baseName(directory)) ?? NO_KINDS;
  const parent = aboveLast(directory);
  const below = kindsIn.get(baseName(parent)) ?? NO_KINDS;
  // Nearly all of thousands of homes.
  if (below.length === 0 && here.every(isAnywhere)) return here;
  return [...here.filter(({ isBelow }) => !isBelow), ...below.filter(({ isBelow }) => isBelow)].filter(
    ({ above, isBelow }) => {
      if (above === null) return true;
      const before = isBelow ? aboveLast(parent) : parent;
      return before === above || before.endsWith(`/${above}`);
    },
  );
};

/** True where a lock of that kind may lie at this path, relative to the root; always true for kinds whose places are configured. */
export const mayLieAt = (kind: Kind, path: string): boolean => {
  if ('files' in kind.where) return true;
  const { inGitDirs, files, kindsIn } = compileTable([kind]);
  const names = path.split('/');
  const name = names.at(-1) ?? '';
  if (kindsAt(aboveLast(path), kindsIn).some((at) => fitsSome(at.names, name))) return true;
  if (files?.kinds.some(({ fits }) => fits(path)) === true) return true;
  return [...(inGitDirs?.mainKinds ?? []), ...(inGitDirs?.linkedKinds ?? [])].some(({ fits }) =>
    names.some((_, at) => fits(names.slice(at).join('/'))),
  );
};

/** The table of agents' own locks alone. Preflight, exec and the lock library look at nothing else and load no other kind. */
export const agentTable = compileTable([agent]);
