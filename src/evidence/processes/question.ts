/** What process evidence is asked for. */
import type { Asker } from '../../core/types/evidence.ts';
import type { Registrations } from '../registries/registries.ts';
import type { TownPlaceFinder } from '../town/place.ts';
import type { TakenElsewhere } from './linux/containers.ts';
import type { ProcessTable } from './row.ts';

export interface ProcessQuestion {
  /** Numbers that locks name, the true holders of records of ours included; whatever stands there. */
  readonly pids: readonly number[];
  /** Processes of tmux panes: each with everything below it belongs to the evidence. */
  readonly panePids: readonly number[];
  /** Commands to know besides the built-in ones: agents, and those that are nobody. */
  readonly agents: readonly string[];
  readonly bystanders?: readonly string[];
  /** Town root, symlinks resolved. */
  readonly root: string;
  /** The town's name for what goes by another one; default: names are all there is. */
  readonly placeInTown?: TownPlaceFinder;
  /** The town's name for a place in a working tree that lies outside of it, or null; left out where there is none. */
  readonly outside?: (path: string) => string | null;
  readonly asker: Asker;
  /** Records that were taken under another host name or in another PID namespace; default: none. */
  readonly elsewhere?: readonly TakenElsewhere[];
  /** Asks tools' own registries of live sessions about the processes of a table; default: nobody is asked. */
  readonly askRegistries?: (table: ProcessTable) => Promise<Registrations>;
}
