/** The question that process evidence answers. */
import type { Asker } from '../../core/types/evidence.ts';
import type { Registrations } from '../registries/registries.ts';
import type { TownPlaceFinder } from '../town/place.ts';
import type { TakenElsewhere } from './linux/containers.ts';
import type { ProcessTable } from './row.ts';

export interface ProcessQuestion {
  /** PIDs that locks name, including the true holders in our own records; any numbers. */
  readonly pids: readonly number[];
  /** Processes of tmux panes; each of them is kept with all its descendants. */
  readonly panePids: readonly number[];
  /** Commands to know besides the built-in ones: agents, and bystanders. */
  readonly agents: readonly string[];
  readonly bystanders?: readonly string[];
  /** Town root, symlinks resolved. */
  readonly root: string;
  /** Finds the town's name for a directory with another name; without it, directories count by their names alone. */
  readonly placeInTown?: TownPlaceFinder;
  /** Working trees outside the root whose places `placeInTown` finds too: absolute, symlinks resolved. */
  readonly treesOutside?: readonly string[];
  readonly asker: Asker;
  /** Records that were taken under another host name or in another PID namespace; default: none. */
  readonly elsewhere?: readonly TakenElsewhere[];
  /** Those of `pids` that a lock names without its host: they may be numbers of a container; default: none. */
  readonly ofSomePlace?: readonly number[];
  /** Asks tools' own registries of live sessions about the processes of a table; default: none are asked. */
  readonly askRegistries?: (table: ProcessTable) => Promise<Registrations>;
  /** Called once with the working directories that were read, each by its own name and once. */
  readonly onDirectories?: (directories: readonly string[]) => void;
}
