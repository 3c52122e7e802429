/** Finds processes that outlived the commands of `exec` whose locks are still there. Looks at nothing where no holder has died. */
import { relativeTo } from '../../core/town/roles.ts';
import type {
  Asker,
  LeftRunning,
  LockFile,
  LoneCompanion,
  PidLookup,
  TrueHolder,
} from '../../core/types/evidence.ts';
import { findLeftRunning, type Survivor } from './left-running.ts';
import type { ProcessTable } from './row.ts';

export interface AfterExecQuestion {
  readonly table: ProcessTable;
  readonly locks: readonly LockFile[];
  readonly companions: readonly LoneCompanion[];
  readonly lookups: readonly PidLookup[];
  /** Town root, symlinks resolved. */
  readonly root: string;
  readonly asker: Asker;
}

/** The processes that carry the mark of a lock whose own holder has ended, one entry each; usually none. */
export const lookAfterExec = async (question: AfterExecQuestion): Promise<readonly LeftRunning[]> => {
  const places = placesInQuestion(question);
  if (places.size === 0) return [];
  const { table, asker, root } = question;
  const { survivors } = await findLeftRunning(table, new Set(places.keys()));
  const others = survivors.filter(({ row }) => !asker.pids.includes(row.pid));
  const fromServers = others.filter(({ fromServer }) => fromServer).map(({ row }) => row.pid);
  const cwds = await table.details.workingDirectories(fromServers);
  // Panes that a marked server made later carry the mark too, for any worker: their place tells whether they count.
  const counts = ({ nonce, row, fromServer }: Survivor): boolean => {
    const cwd = cwds.get(row.pid);
    if (!fromServer || cwd?.seen !== true) return true;
    return relativeTo(`${root}/${places.get(nonce)}`.replace(/\/\.$/, ''), cwd.value) !== null;
  };
  return others.filter(counts).map(({ nonce, row, command }) => ({ nonce, pid: row.pid, command }));
};

/** Nonce → worker, of locks and second records whose true holder has ended. */
const placesInQuestion = ({ locks, companions, lookups }: AfterExecQuestion): ReadonlyMap<string, string> => {
  const places = new Map<string, string>();
  let byPid: ReadonlyMap<number, PidLookup> | null = null;
  const add = (worker: string, holder: TrueHolder | null): void => {
    if (holder === null || holder.nonce === null) return;
    byPid ??= new Map(lookups.map((lookup) => [lookup.pid, lookup]));
    const lookup = byPid.get(holder.pid);
    const isThere = lookup?.answer === 'exists' && lookup.process?.startToken === holder.startToken;
    if (!isThere) places.set(holder.nonce, worker);
  };
  for (const { worker, content, companion } of locks) {
    if (content.kind === 'record') add(worker, content.record.holder);
    add(worker, companion);
  }
  for (const { worker, holder } of companions) add(worker, holder);
  return places;
};
