/** Who is seen in a worker's place and does not count: bystanders, infrastructure, and what was left behind. */
import { type ProgramClass, programOf } from '../../programs/classify.ts';
import { lineage } from '../../town/machine-index.ts';
import { relativeTo } from '../../town/roles.ts';
import type { PaneView, TownIndex, WorkerView } from '../../town/views.ts';
import type { ProcessInfo } from '../../types/evidence.ts';
import { isAtPlaceOf } from './at-work.ts';
import { programAt } from './strangers.ts';

/** A process that does not count, and why. */
export interface Nobody {
  readonly process: ProcessInfo;
  readonly class: Exclude<ProgramClass, 'agent' | 'unknown'>;
  /** For a sentence: `an editor`. */
  readonly why: string;
}

/** Finds the processes whose working directory is at a worker's place and that do not count; without the asker. */
export const nobodyReader = (index: TownIndex): ((worker: WorkerView) => readonly Nobody[]) => {
  const { asker, processes } = index.machine.seen;
  const { town } = index.snapshot;
  const nobodies = processes.list.flatMap((process) => {
    const { pid, cwd } = process;
    const { class: kind, why } = index.machine.classify(process);
    if (kind === 'agent' || kind === 'unknown' || asker.pids.includes(pid)) return [];
    const path = cwd?.seen === true ? relativeTo(town.root, cwd.value) : null;
    return path === null ? [] : [{ path, process, class: kind, why }];
  });
  return (worker) => nobodies.filter(({ path }) => isAtPlaceOf(path, worker, index));
};

/** As many as fit on one line. */
const MAX_NAMED = 5;

/** One sentence that names who is seen at a worker's place and does not count; null where there is none. */
export type BystanderReader = (
  worker: WorkerView,
  /** Panes that the evidence mentions already. */
  told: readonly PaneView[],
) => string | null;

export const bystanderReader = (index: TownIndex): BystanderReader => {
  const read = nobodyReader(index);
  return (worker, told) => {
    const near = read(worker);
    if (near.length === 0) return null;
    const shown = new Set(told.map(({ pane }) => pane.pid));
    const here = near.filter(({ process: { pid } }) =>
      [...lineage(pid, index)].every((one) => !shown.has(one)),
    );
    if (here.length === 0) return null;
    const named = here
      .slice(0, MAX_NAMED)
      .map(({ process, why }) => `${programAt(programOf(process), process.pid)}, ${why}`);
    const more = here.length - named.length;
    return `not counted as agents: ${named.join('; ')}${more === 0 ? '' : `; and ${more} more`}`;
  };
};
