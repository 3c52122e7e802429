/** The one table of what is looked for, compiled from the kinds before any walk starts. */
import { builtInKinds } from '../../../kinds/index.ts';
import type { LockFile } from '../../core/types/evidence.ts';
import type { Kind } from '../../core/types/kind.ts';
import type { Home, Homes } from '../scan/homes.ts';

/** A kind whose locks lie in homes of one name, and what that name says of the layout. */
export interface KindInHome {
  readonly kind: Kind;
  readonly layout: LockFile['layout'];
}

export interface LockTable {
  readonly homes: Homes;
  /** By the names of homes. */
  readonly kindsIn: ReadonlyMap<string, readonly KindInHome[]>;
  /** By their ids. */
  readonly kinds: ReadonlyMap<string, Kind>;
  /** Where the second record of a claim on a worker lies today, relative to the worker. */
  readonly companions: readonly string[];
}

/** Compiles the table of these kinds. Throws for a home that no walk would look up. */
export const compileTable = (kinds: readonly Kind[]): LockTable => {
  const kindsIn = new Map<string, KindInHome[]>();
  const companions: string[] = [];
  for (const kind of kinds) {
    const { homes, companion } = kind.where;
    for (const [home, layout] of Object.entries(homes)) {
      if (!/^\.[^/]+$/.test(home))
        throw new Error(`kind ${kind.id}: ${home} is no name that begins with a dot`);
      kindsIn.set(home, [...(kindsIn.get(home) ?? []), { kind, layout }]);
      if (kind.claims === 'worker' && companion !== undefined && layout === 'runtime')
        companions.push(`${home}/${companion}`);
    }
  }
  const homes = [...kindsIn].map(([name, its]): [string, Home] => [
    name,
    {
      prefixes: its.map(({ kind }) => kind.where.name),
      isOld: its.some(({ layout }) => layout === 'legacy'),
    },
  ]);
  return {
    homes: new Map(homes),
    kindsIn,
    kinds: new Map(kinds.map((kind) => [kind.id, kind])),
    companions,
  };
};

/** The table of the built-in kinds. */
export const builtInTable = compileTable(builtInKinds);
