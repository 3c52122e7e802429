/** Which worker something belongs to: a path by where it lies, a pane by what it says. Pure. */
import { isWithin, type Owner, ownerOf } from './roles.ts';
import type { PaneView, TownIndex, WorkerView } from './views.ts';

const NO_PANES: readonly PaneView[] = [];

/** The panes that may belong to a worker: every pane that one of the questions below could be true of. */
export const panesAround = (worker: WorkerView, index: TownIndex): readonly PaneView[] => {
  if (worker.owner === null) return index.machine.panes;
  if (worker.roles.length === 1) return index.machine.panesByRole.get(worker.owner.role) ?? NO_PANES;
  const [first = [], ...others] = [...new Set([worker.owner.role, ...worker.roles])].map(
    (role) => index.machine.panesByRole.get(role) ?? [],
  );
  return others.every((views) => views.length === 0) ? first : [...new Set([first, ...others].flat())];
};

/** What tells whose place a path is. */
type Places = Pick<TownIndex, 'snapshot' | 'homes' | 'aboveLocks'>;

/** Outside Gas Towns a directory called `witness` is just that, unless a lock says otherwise. */
const isAgentsPlace = ({ dir }: Owner, { snapshot, aboveLocks }: Places): boolean =>
  snapshot.town.marked || aboveLocks.has(dir);

/** The worker in whose place a path lies: its agent's directory, else the deepest of `homes` that it lies in. */
export const homeOf = (path: string, index: Places): string | null => {
  const owner = ownerOf(path);
  if (owner !== null && isAgentsPlace(owner, index)) return owner.dir;
  for (let place = path; ; place = place.slice(0, place.lastIndexOf('/'))) {
    if (index.homes.has(place)) return place;
    if (!place.includes('/')) return place !== '..' && index.homes.has('.') ? '.' : null;
  }
};

export type Belonging = 'mine' | 'other' | 'unsaid';

/** Whether something that names these roles belongs to the worker; `unsaid` where it names none. */
export const rolesSay = (roles: readonly string[], worker: WorkerView): Belonging => {
  if (roles.length === 0) return 'unsaid';
  if (worker.owner === null) {
    // A lock at a place of no agent (the town root, a rig) may belong to any agent that works below it.
    return roles.some((role) => isWithin(role, worker.worker)) || worker.worker === '.' ? 'unsaid' : 'other';
  }
  return roles.some((role) => worker.roles.includes(role)) ? 'mine' : 'other';
};

const nameSays = (view: PaneView, worker: WorkerView): Belonging => {
  const verdict = rolesSay(view.nameRoles, worker);
  if (verdict !== 'mine' || view.nameRoles.length === 1 || view.path === null) return verdict;
  // The name fits several rigs, or there are several names: the place decides, and where it does not, the worker gets the doubt.
  const place = ownerOf(view.path);
  return place !== null && !worker.roles.includes(place.role) && view.nameRoles.includes(place.role)
    ? 'other'
    : 'mine';
};

/** Whether the pane is the worker's by what its session says: environment first, name second; a contradiction says nothing. */
export const sessionSays = (view: PaneView, worker: WorkerView): Belonging => {
  if (view.town === 'other') return 'other';
  const environment = rolesSay(worker.owner === null ? view.placedRoles : view.environmentRoles, worker);
  const name = nameSays(view, worker);
  if (environment === 'unsaid') return name === 'other' && !view.environmentKnown ? 'unsaid' : name;
  return environment === 'other' && name === 'mine' ? 'unsaid' : environment;
};

/** True where the pane is plainly another's (contract, section 9): its session says so, or it is idle at another worker's place. */
export const isPlainlyAnothers = (view: PaneView, worker: WorkerView, index: TownIndex): boolean => {
  const said = sessionSays(view, worker);
  if (said !== 'unsaid') return said === 'other';
  if (view.agent !== null || view.path === null || !view.environmentKnown) return false;
  const home = homeOf(view.path, index);
  const mine = homeOf(worker.worker, index) ?? worker.worker;
  return home !== null && home !== mine && !isWithin(home, worker.worker) && !isWithin(worker.worker, home);
};
