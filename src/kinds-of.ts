/** Which kinds of lock are looked for: the built-in ones and those of plug-ins, as the configuration switches and configures them. */
import { builtInKinds } from '../kinds/index.ts';
import type { Config } from './config.ts';
import { didYouMean } from './core/did-you-mean.ts';
import { Failure } from './core/failure.ts';
import type { Kind } from './core/types/kind.ts';
import { compileTable, type LockTable } from './evidence/locks/lock-table.ts';

/** The table of the built-in kinds. */
export const builtInTable = compileTable(builtInKinds);

/**
 * The table of all kinds that are on: those that know where their locks lie, less those that are switched off, and those that
 * the configuration gives places. Throws Failure E_CONFIG for a kind that nobody knows, and for a place that nobody looks at.
 *
 * @param plugged kinds of plug-ins; null: none was loaded, and what is said of such is passed over
 */
export const tableFor = (
  { kinds, path }: Pick<Config, 'kinds' | 'path'>,
  plugged: readonly Kind[] | null = null,
): LockTable => {
  const named = Object.entries(kinds).filter(([id]) => plugged !== null || !id.includes('/'));
  if (named.length === 0 && (plugged ?? []).length === 0) return builtInTable;
  const all = [...builtInKinds, ...(plugged ?? [])];
  const ids = all.map(({ id }) => id);
  for (const [id, value] of named) {
    const near = didYouMean(id, ids);
    if (!ids.includes(id))
      throw new Failure(
        'E_CONFIG',
        `${path}: there is no kind of lock "${id}"`,
        near === null ? `Known kinds: ${ids.join(', ')}.` : `Did you mean ${near}?`,
      );
    if (id === 'agent' && value === false)
      throw new Failure('E_CONFIG', `${path}: agents' own locks are always looked for`);
  }
  try {
    return compileTable(all.flatMap((kind) => configured(kind, kinds[kind.id] ?? true)));
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
