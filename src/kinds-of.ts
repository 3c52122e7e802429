/** Decides which kinds of lock are looked for: built-in ones and those of plug-ins, as the configuration says. */
import { builtInKinds } from '../kinds/index.ts';
import type { Config } from './config.ts';
import { idMeant } from './core/did-you-mean.ts';
import { Failure } from './core/failure.ts';
import type { Kind } from './core/types/kind.ts';
import { compileTable, type LockTable } from './evidence/locks/lock-table.ts';
import type { TownRoot } from './evidence/town/root.ts';

/** Compiled when it is first asked for: a run needs one of these tables, which takes half a millisecond. */
const tableOf = (isIn: (kind: Kind) => boolean): (() => LockTable) => {
  let table: LockTable | null = null;
  return () => {
    table ??= compileTable(builtInKinds.filter(isIn));
    return table;
  };
};

/** The table of all built-in kinds, wherever they are looked for. */
export const builtInTable = tableOf(() => true);

/** The directories in a user's home in which the tools of these kinds live: all that `--home` looks at. */
export const homeDirectories = (kinds: Iterable<Kind> = builtInKinds): readonly string[] =>
  [...new Set([...kinds].flatMap(({ livesIn }) => livesIn ?? []))].sort();

const homeTable = tableOf(({ livesIn }) => livesIn !== undefined);
const treeTable = tableOf(({ livesIn }) => livesIn === undefined);

/**
 * The table of all kinds that are on: those with places of their own unless they are switched off, and those to which the
 * configuration gives places. Throws Failure E_CONFIG for an unknown kind, and for a place that is never searched.
 *
 * Kinds that live in a user's home are on below their directory there, and where the configuration names them; for `--home`
 * no others are.
 *
 * @param root absolute, and how it was found
 * @param plugged kinds of plug-ins; null: none was loaded, and settings for such kinds are ignored
 */
export const tableFor = (
  { kinds, path }: Pick<Config, 'kinds' | 'path'>,
  { root, source }: Pick<TownRoot, 'root' | 'source'>,
  plugged: readonly Kind[] | null = null,
): LockTable => {
  const named = Object.entries(kinds).filter(([id]) => plugged !== null || !id.includes('/'));
  const directories = root.split('/');
  const isHome = source === 'home';
  const isOff = ({ livesIn, id }: Kind): boolean =>
    isHome
      ? livesIn === undefined
      : livesIn !== undefined && kinds[id] === undefined && !directories.includes(livesIn);
  if (named.length === 0 && (plugged ?? []).length === 0) {
    if (isHome) return homeTable();
    const isBelowOne = homeDirectories().some((name) => directories.includes(name));
    if (!isBelowOne) return treeTable();
  }
  const all = [...builtInKinds, ...(plugged ?? [])];
  const ids = all.map(({ id }) => id);
  for (const [id, value] of named) {
    if (!ids.includes(id)) {
      const near = idMeant(id, ids);
      throw new Failure(
        'E_CONFIG',
        `${path}: there is no kind of lock "${id}"`,
        near === null ? `Known kinds: ${ids.join(', ')}.` : `Did you mean ${near}?`,
      );
    }
    if (id === 'agent' && value === false)
      throw new Failure('E_CONFIG', `${path}: agents' own locks are always looked for`);
  }
  try {
    return compileTable(all.flatMap((kind) => (isOff(kind) ? [] : configured(kind, kinds[kind.id] ?? true))));
  } catch (cause) {
    throw new Failure('E_CONFIG', `${path === null ? '' : `${path}: `}${(cause as Error).message}`, null, {
      cause,
    });
  }
};

const configured = (kind: Kind, value: Config['kinds'][string]): readonly Kind[] => {
  if (value === false) return [];
  if (value === true || kind.claims === 'worker') return [kind];
  const { files, options = {} } = value;
  const { read, readDirectory } = kind;
  return [
    {
      ...kind,
      ...('files' in kind.where ? { where: { files: files ?? kind.where.files } } : {}),
      read: read === null ? null : (bytes, file) => read(bytes, { ...file, options }),
      ...(readDirectory === undefined
        ? {}
        : { readDirectory: (file) => readDirectory({ ...file, options }) }),
    },
  ];
};
