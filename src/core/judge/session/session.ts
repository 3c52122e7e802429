/** Session evidence: does the tmux pane or session that a record names still stand, and is it still this worker's? */
import { flat } from '../../record/flat.ts';
import { isWithin } from '../../town/roles.ts';
import { whyUnreached } from '../../town/unreached.ts';
import type { PaneView, TownIndex } from '../../town/views.ts';
import type { Fact, Reason, SessionState } from '../../types/judgement.ts';
import type { Case } from '../case.ts';
import { namingOf, panesNamed, type SessionNaming } from './naming.ts';
import { type Rejection, reject } from './rejected.ts';
import { unaskedFor } from './unasked.ts';

export interface SessionFinding {
  readonly state: SessionState;
  readonly reason: Reason;
  readonly fact: Fact;
  /** Live panes behind the name; several where one session shows several. */
  readonly panes: readonly PaneView[];
}

/** Literals, because each concatenated string would be a new object for each of ten thousand locks. */
const SESSION_REASONS = {
  pane: { live: 'pane-live', gone: 'pane-gone', recycled: 'pane-recycled' },
  session: { live: 'session-live', gone: 'session-gone', recycled: 'session-recycled' },
} as const;

const tmux = (text: string): Fact => ({ source: 'tmux', text: flat(text) });

const place = (view: PaneView): string => `${view.pane.id} of session ${view.pane.sessionName}`;

const REJECTED: Readonly<Record<Rejection, (view: PaneView) => string>> = {
  dead: (view) => `pane ${place(view)} shows a process that has exited`,
  'younger-server': (view) => `pane ${place(view)} is on a tmux server that started after the lock was taken`,
  anothers: (view) => `pane ${place(view)} now belongs to another agent`,
  'other-server': (view) => `pane ${place(view)} is on a tmux server without any pane of this town`,
};

const liveText = (views: readonly PaneView[]): string => {
  const [first] = views;
  if (first === undefined) return '';
  const shown = views.every((view) => view.idle)
    ? `shows only ${first.pane.command}`
    : `runs ${first.agent ?? first.pane.command}`;
  return `pane ${place(first)} exists and ${shown}`;
};

/** Why nobody can tell that the session is gone; null where all servers that may have it answered. */
const whyUnknown = ({ record, index }: Case): string | null => {
  if (!index.machine.tmuxAnswered) return whyUnreached(index.machine.seen.tmux);
  const [first, ...others] = unaskedFor(record, index.machine.seen.tmux.servers);
  if (first === undefined) return null;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `${record.sessionId} may be on tmux server ${first.socket}${more}: ${first.reason ?? 'it was not asked'}`;
};

const placesAsked = (index: TownIndex): string => {
  const asked = index.machine.seen.tmux.servers.filter((server) => server.status === 'ok').length;
  if (asked === 0) return 'no tmux server is running';
  return asked === 1 ? 'not on the tmux server' : `not on any of ${asked} tmux servers`;
};

const NO_PANES: readonly PaneView[] = [];

/** A finding that shows no live pane. */
const without = (state: SessionState, reason: Reason, text: string): SessionFinding => ({
  state,
  reason,
  fact: tmux(text),
  panes: NO_PANES,
});

/** The finding where no session is named, or sessions do not matter. */
export const NO_SESSION_NAMED = without('unnamed', 'session-unnamed', 'the lock names no tmux session');

/**
 * Panes of several servers may bear one number: the one in the worker's own directory counts first, then one that shows more
 * than a shell, then one of the town's own server, whichever of the servers answered first.
 */
const likeliestFirst =
  ({ worker: { worker } }: Case) =>
  (one: PaneView, other: PaneView): number => {
    const isHere = ({ path }: PaneView): boolean => path !== null && isWithin(path, worker);
    const isTownsOwn = ({ server }: PaneView): boolean => server.origin === 'town';
    return (
      Number(isHere(other)) - Number(isHere(one)) ||
      Number(one.idle) - Number(other.idle) ||
      Number(isTownsOwn(other)) - Number(isTownsOwn(one)) ||
      (one.key < other.key ? -1 : 1)
    );
  };

/** Judges the panes of that name: is one of them still this worker's? */
const judgeCandidates = (
  candidates: readonly PaneView[],
  naming: SessionNaming,
  kind: 'pane' | 'session',
  one: Case,
): SessionFinding => {
  const live: PaneView[] = [];
  const rejected: { readonly view: PaneView; readonly why: Rejection }[] = [];
  for (const view of [...candidates].sort(likeliestFirst(one))) {
    const why = reject(view, one);
    if (why === null) live.push(view);
    else rejected.push({ view, why });
  }
  const [first] = rejected;
  const reasons = SESSION_REASONS[kind];
  if (first === undefined || live.length > 0)
    return { state: 'live', reason: reasons.live, fact: tmux(liveText(live)), panes: live };
  const doubt = whyUnknown(one);
  if (doubt !== null) return without('unknown', 'session-unknown', doubt);
  const isDead = naming === 'pane' && rejected.some(({ why }) => why === 'dead');
  return without('gone', isDead ? 'pane-dead' : reasons.recycled, REJECTED[first.why](first.view));
};

/** Session evidence for a record; pane and session numbers of a foreign one never match anything here. */
export const judgeSession = (one: Case): SessionFinding => {
  const { record, foreign, index } = one;
  const { sessionId } = record;
  const naming = namingOf(sessionId);
  if (naming === 'none') return NO_SESSION_NAMED;
  const isNumber = naming === 'pane' || naming === 'session-id';
  if (foreign && isNumber)
    return without('unknown', 'session-unknown', `${sessionId} is a number of a tmux server on another host`);
  const kind = naming === 'pane' ? 'pane' : 'session';
  const candidates = panesNamed(naming, one);
  if (candidates.length > 0) return judgeCandidates(candidates, naming, kind, one);
  const doubt = whyUnknown(one);
  if (doubt !== null) return without('unknown', 'session-unknown', doubt);
  return without('gone', SESSION_REASONS[kind].gone, `${kind} ${sessionId} is gone: ${placesAsked(index)}`);
};
