/** What kind of name a record's `session_id` is, and which panes bear it. Pure. */
import { panesAround } from '../../town/belonging.ts';
import { rolesOfIdentity } from '../../town/roles.ts';
import type { PaneView, WorkerView } from '../../town/views.ts';
import type { Case } from '../case.ts';

export type SessionNaming = 'none' | 'pane' | 'session-id' | 'identity' | 'name';

/** What kind of name `session_id` is. `%N` only ever matches pane ids, `$N` session ids; a `/` makes it an identity. */
export const namingOf = (sessionId: string): SessionNaming => {
  if (sessionId === '' || sessionId === '/') return 'none';
  if (/^%\d+$/.test(sessionId)) return 'pane';
  if (/^\$\d+$/.test(sessionId)) return 'session-id';
  return sessionId.includes('/') ? 'identity' : 'name';
};

/** Is the pane what an identity such as `gastown/joe` names, seen from the worker whose lock says so? */
const answersTo = (view: PaneView, identity: string, worker: WorkerView): boolean => {
  const named = rolesOfIdentity(identity);
  const meant = worker.owner === null ? named : worker.roles.filter((role) => named.includes(role));
  const claimed = view.town === 'other' ? [] : [...view.environmentRoles, ...view.nameRoles];
  return claimed.some((role) => meant.includes(role));
};

/** The panes of that name, whoever they belong to. */
export const panesNamed = (naming: SessionNaming, { record, worker, index }: Case): readonly PaneView[] => {
  const { sessionId } = record;
  if (naming === 'pane') return index.machine.panesById.get(sessionId) ?? [];
  if (naming === 'session-id') return index.machine.panesBySession.get(sessionId) ?? [];
  if (naming === 'name') return index.machine.panesByName.get(sessionId) ?? [];
  return panesAround(worker, index).filter((view) => answersTo(view, sessionId, worker));
};
