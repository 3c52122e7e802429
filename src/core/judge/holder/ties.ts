/**
 * What ties a running process to a worker, and what puts it plainly elsewhere: its pane, the variables that name its
 * agent, a tool's registry, its user, its working directory. A recorded number may have been given to another process;
 * clocks step, so place and owner say more than time. Pure.
 */
import { type Belonging, homeOf, rolesSay, sessionSays } from '../../town/belonging.ts';
import { lineage } from '../../town/machine-index.ts';
import { isWithin, relativeTo, rolesOfEnvironment } from '../../town/roles.ts';
import type { TownIndex, WorkerView } from '../../town/views.ts';
import type { ProcessInfo } from '../../types/evidence.ts';
import type { Case } from '../case.ts';
import { isAtPlaceOf, registrationsOf } from '../occupants/at-work.ts';

export interface Ties {
  /** Something says that it works for this worker: then it is this worker's, whatever the clocks say. */
  readonly mine: boolean;
  /** Why it is plainly somebody else's, as the end of a sentence (`works in gastown/crew/bob`); null where it is not. */
  readonly elsewhere: string | null;
  /** Working directory and variables could be read: it means something where they say nothing. */
  readonly known: boolean;
  /** Another worker, or another town, whose pane, variables, registry or working directory claims it. */
  readonly claimedBy: string | null;
}

/** What one source says: whether the process is this worker's, another's or neither, and the words for it. */
interface Saying {
  readonly says: Belonging;
  readonly text: string;
  readonly claimedBy: string | null;
}

const UNSAID: Saying = { says: 'unsaid', text: '', claimedBy: null };

const paneSays = (process: ProcessInfo, worker: WorkerView, index: TownIndex): Saying => {
  const from = index.machine.processes.has(process.pid) ? process.pid : process.ppid;
  for (const pid of [process.pid, ...lineage(from, index)]) {
    const view = index.machine.paneByPid.get(pid);
    if (view === undefined) continue;
    const [role = 'another town'] = [...view.environmentRoles, ...view.nameRoles];
    const claimedBy = view.town === 'other' ? 'another town' : role;
    return { says: sessionSays(view, worker), text: `runs in a pane of ${claimedBy}`, claimedBy };
  }
  return UNSAID;
};

const variablesSay = ({ environment }: ProcessInfo, worker: WorkerView, index: TownIndex): Saying => {
  if (environment === null) return UNSAID;
  const { root, aliases } = index.snapshot.town;
  const named = [environment.GT_TOWN_ROOT, environment.GT_ROOT].filter((value) => value !== undefined);
  // A town around ours does not count as another town: the question may be about one of its rigs.
  const isOurs = (value: string): boolean => aliases.includes(value) || relativeTo(value, root) !== null;
  if (named.length > 0 && !named.some(isOurs))
    return { says: 'other', text: 'belongs to another town', claimedBy: 'another town' };
  const roles = rolesOfEnvironment(environment);
  const [role = ''] = roles;
  return { says: rolesSay(roles, worker), text: `works as ${role}`, claimedBy: role };
};

/** True for what cannot be an agent. At a place of no agent only such a process counts as elsewhere: others may have gone there. */
const isNoAgent = (process: ProcessInfo, index: TownIndex): boolean => {
  const { class: kind } = index.machine.classify(process);
  return kind !== 'agent' && kind !== 'unknown';
};

const placeSays = (place: string, process: ProcessInfo, worker: WorkerView, index: TownIndex): Saying => {
  const path = relativeTo(index.snapshot.town.root, place);
  if (path === null) return { says: 'other', text: `works in ${place}, outside the town`, claimedBy: null };
  if (isWithin(path, worker.worker) || isAtPlaceOf(path, worker, index))
    return { says: 'mine', text: 'works here', claimedBy: null };
  const home = homeOf(path, index);
  if (home === null || isWithin(worker.worker, home))
    return isNoAgent(process, index)
      ? { says: 'other', text: `stands in ${place}`, claimedBy: null }
      : UNSAID;
  return { says: 'other', text: `works in ${home}`, claimedBy: home };
};

/** Weighs what a live process with a recorded number says of itself. */
export const tiesOf = (process: ProcessInfo, { lock, worker, index }: Case): Ties => {
  const { cwd, environment, uid } = process;
  const known = cwd?.seen === true && (environment !== null || index.machine.seen.host.platform !== 'linux');
  const claims = [
    paneSays(process, worker, index),
    variablesSay(process, worker, index),
    ...registrationsOf(process).map((session) => placeSays(session.cwd, process, worker, index)),
  ];
  const sayings = [...claims, cwd?.seen === true ? placeSays(cwd.value, process, worker, index) : UNSAID];
  const mine = sayings.some(({ says }) => says === 'mine');
  const other = sayings.find(({ says }) => says === 'other');
  const isAnotherUsers = uid !== null && lock.uid !== null && uid !== lock.uid;
  // Only root may look at another user's processes: for everybody else the user is the only evidence.
  const isClosed = index.machine.seen.host.uid !== 0 && uid !== index.machine.seen.host.uid;
  // An agent, or whatever has no name, that hides where it works may have taken the lock as another user than the directory's.
  const mayBeAgent = process.names.length === 0 || index.machine.classify(process).class === 'agent';
  const isTelling = known || (isClosed && !mayBeAgent);
  const user = isAnotherUsers && isTelling ? `runs as another user (uid ${uid})` : null;
  const place = known ? (other?.text ?? null) : null;
  return {
    mine,
    elsewhere: mine ? null : (place ?? user),
    known,
    // Where something ties it to this worker, it may just have gone to another's directory.
    claimedBy:
      (mine ? claims : sayings).find(({ says, claimedBy }) => says === 'other' && claimedBy !== null)
        ?.claimedBy ?? null,
  };
};
