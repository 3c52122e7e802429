/** Session evidence: does the tmux pane or session that a record names still stand, and is it still this worker's? */

import { homeOf, isPlainlyAnothers, panesAround, sessionSays } from '../town/belonging.ts';
import { isWithin, rolesOfIdentity } from '../town/roles.ts';
import { isUnreached } from '../town/unreached.ts';
import type { PaneView, TownIndex, WorkerView } from '../town/views.ts';
import type { LockRecord, TmuxServer } from '../types/evidence.ts';
import type { Fact, Reason, SessionState } from '../types/judgement.ts';
import { LATE_MS, MUCH_LATER_MS } from './holder/recorded-number.ts';
import { isAtPlaceOf } from './occupants/at-work.ts';

export interface SessionFinding {
  readonly state: SessionState;
  readonly reason: Reason;
  readonly fact: Fact;
  /** Live panes behind the name; several where one session shows several. */
  readonly panes: readonly PaneView[];
}

export type SessionNaming = 'none' | 'pane' | 'session-id' | 'identity' | 'name';

/** What kind of name `session_id` is. `%N` only ever matches pane ids, `$N` session ids; a `/` makes it an identity. */
export const namingOf = (sessionId: string): SessionNaming => {
  if (sessionId === '' || sessionId === '/') return 'none';
  if (/^%\d+$/.test(sessionId)) return 'pane';
  if (/^\$\d+$/.test(sessionId)) return 'session-id';
  return sessionId.includes('/') ? 'identity' : 'name';
};

const tmux = (text: string): Fact => ({ source: 'tmux', text });

/** Is the pane what an identity such as `gastown/joe` names, seen from the worker whose lock says so? */
const answersTo = (view: PaneView, identity: string, worker: WorkerView): boolean => {
  const named = rolesOfIdentity(identity);
  const meant = worker.owner === null ? named : worker.roles.filter((role) => named.includes(role));
  const claimed = view.town === 'other' ? [] : [...view.environmentRoles, ...view.nameRoles];
  return claimed.some((role) => meant.includes(role));
};

const panesNamed = (
  sessionId: string,
  naming: SessionNaming,
  worker: WorkerView,
  index: TownIndex,
): readonly PaneView[] => {
  if (naming === 'pane') return index.machine.panesById.get(sessionId) ?? [];
  if (naming === 'session-id') return index.machine.panesBySession.get(sessionId) ?? [];
  if (naming === 'name') return index.machine.panesByName.get(sessionId) ?? [];
  return panesAround(worker, index).filter((view) => answersTo(view, sessionId, worker));
};

type Rejection = 'dead' | 'younger-server' | 'anothers' | 'other-server';

/** The worker's places whose locks carry the same bytes: whichever of them the pane is seen in owns the lock. */
const isSeenAtTwin = (view: PaneView, worker: WorkerView, twins: readonly WorkerView[]): boolean => {
  const { path } = view;
  const sittingHere = path !== null && isWithin(path, worker.worker);
  const isOurs = sessionSays(view, worker) === 'mine';
  return twins.some((twin) => {
    const isTheirs = sessionSays(view, twin) === 'mine';
    // Agents look into other directories: where a session says whose it is, the place says nothing against it.
    if (isOurs !== isTheirs) return isTheirs;
    return path !== null && !sittingHere && isWithin(path, twin.worker);
  });
};

/**
 * When the server started, by its own clock reading then or by the kernel's now, whichever is earlier: where the clock was
 * set since, the two differ, and a server is younger than a lock only if both say so.
 */
const startOf = ({ pid, startedAtMs }: TmuxServer, index: TownIndex): number | null => {
  const byKernel = pid === null ? null : (index.machine.processes.get(pid)?.startedAtMs ?? null);
  return startedAtMs === null || byKernel === null ? startedAtMs : Math.min(startedAtMs, byKernel);
};

/**
 * A pane on a server that is younger than the lock bears its number, or its session's name, by chance. Clocks step, so
 * the place has to say so too, as for recorded processes: nobody works in it or it is elsewhere, or the server is much
 * younger and nothing says that the pane is this worker's.
 */
const isOfYoungerServer = (
  view: PaneView,
  { acquiredAtMs }: LockRecord,
  worker: WorkerView,
  index: TownIndex,
): boolean => {
  const startedAtMs = startOf(view.server, index);
  if (acquiredAtMs === null || startedAtMs === null) return false;
  const lateMs = startedAtMs - acquiredAtMs;
  if (lateMs <= LATE_MS) return false;
  if (view.idle) return true;
  const isHere = view.path !== null && isAtPlaceOf(view.path, worker, index);
  if (isHere || sessionSays(view, worker) === 'mine') return false;
  return lateMs > MUCH_LATER_MS || isElsewhere(view, worker, index);
};

/** It works outside the town, or at another worker. */
const isElsewhere = (
  { path, pane, environmentKnown }: PaneView,
  worker: WorkerView,
  index: TownIndex,
): boolean => {
  if (pane.path === null || !environmentKnown) return false;
  const home = path === null ? null : homeOf(path, index);
  return path === null || (home !== null && !isWithin(worker.worker, home));
};

const reject = (
  view: PaneView,
  record: LockRecord,
  worker: WorkerView,
  twins: readonly WorkerView[],
  index: TownIndex,
): Rejection | null => {
  if (view.pane.dead) return 'dead';
  if (isOfYoungerServer(view, record, worker, index)) return 'younger-server';
  if (isPlainlyAnothers(view, worker, index) || isSeenAtTwin(view, worker, twins)) return 'anothers';
  return index.machine.townServers.has(view.server) ? null : 'other-server';
};

const place = (view: PaneView): string => `${view.pane.id} of session ${view.pane.sessionName}`;

const REJECTED: Readonly<Record<Rejection, (view: PaneView) => string>> = {
  dead: (view) => `pane ${place(view)} shows a process that has ended`,
  'younger-server': (view) => `pane ${place(view)} is on a tmux server that started after the lock was taken`,
  anothers: (view) => `pane ${place(view)} is another's now`,
  'other-server': (view) => `pane ${place(view)} is on a tmux server without any pane of this town`,
};

const liveText = (views: readonly PaneView[]): string => {
  const [first] = views;
  if (first === undefined) return '';
  const shown = views.every((view) => view.idle)
    ? `shows only ${first.pane.command}`
    : `runs ${first.agent ?? first.pane.command}`;
  return `pane ${place(first)} is there and ${shown}`;
};

const unreached = (index: TownIndex): string => {
  const { installed, servers, enumerated } = index.machine.seen.tmux;
  if (!installed) return 'tmux is not installed here, so its sessions could not be read';
  const failed = servers.find(isUnreached);
  if (failed !== undefined)
    return `tmux server ${failed.socket} was not reached: ${failed.reason ?? 'unknown reason'}`;
  return enumerated ? 'tmux was not reached' : 'running tmux servers could not be counted';
};

/** A finding that shows no live pane. */
const without = (state: SessionState, reason: Reason, text: string): SessionFinding => ({
  state,
  reason,
  fact: tmux(text),
  panes: NO_PANES,
});

const NO_PANES: readonly PaneView[] = [];

/** What is found where no session is named, or none is asked about. */
export const NO_SESSION_NAMED = without('unnamed', 'session-unnamed', 'the lock names no tmux session');

/** Session evidence for a record; `foreign` records' pane and session numbers never match anything here. */
export const judgeSession = (
  record: LockRecord,
  foreign: boolean,
  worker: WorkerView,
  twins: readonly WorkerView[],
  index: TownIndex,
): SessionFinding => {
  const { sessionId } = record;
  const naming = namingOf(sessionId);
  if (naming === 'none') return NO_SESSION_NAMED;
  const isNumber = naming === 'pane' || naming === 'session-id';
  if (foreign && isNumber)
    return without('unknown', 'session-unknown', `${sessionId} is a number of a tmux server elsewhere`);
  const candidates = panesNamed(sessionId, naming, worker, index);
  if (candidates.length > 0) return judgeCandidates(candidates, naming, record, worker, twins, index);
  if (!index.machine.tmuxAnswered) return without('unknown', 'session-unknown', unreached(index));
  const kind = kindOf(naming);
  return without('gone', `${kind}-gone`, `${kind} ${sessionId} is gone: ${placesAsked(index)}`);
};

const kindOf = (naming: SessionNaming): 'pane' | 'session' => (naming === 'pane' ? 'pane' : 'session');

const placesAsked = (index: TownIndex): string => {
  const asked = index.machine.seen.tmux.servers.filter((server) => server.status === 'ok').length;
  return asked === 0 ? 'no tmux server runs' : `on none of ${asked} tmux server${asked === 1 ? '' : 's'}`;
};

/** Panes of that name: whether one of them is still this worker's. */
const judgeCandidates = (
  candidates: readonly PaneView[],
  naming: SessionNaming,
  record: LockRecord,
  worker: WorkerView,
  twins: readonly WorkerView[],
  index: TownIndex,
): SessionFinding => {
  const kind = kindOf(naming);
  const live: PaneView[] = [];
  const rejected: { readonly view: PaneView; readonly why: Rejection }[] = [];
  for (const view of candidates) {
    const why = reject(view, record, worker, twins, index);
    if (why === null) live.push(view);
    else rejected.push({ view, why });
  }
  const [first] = rejected;
  if (first === undefined || live.length > 0)
    return { state: 'live', reason: `${kind}-live`, fact: tmux(liveText(live)), panes: live };
  if (!index.machine.tmuxAnswered) return without('unknown', 'session-unknown', unreached(index));
  const isDead = naming === 'pane' && rejected.some(({ why }) => why === 'dead');
  return without('gone', isDead ? 'pane-dead' : `${kind}-recycled`, REJECTED[first.why](first.view));
};
