/** The session that a lock names is open, but no agent is left in it: only a shell, an editor or the like. */
import {
  advice,
  attachTo,
  defineCheck,
  type Fix,
  isWithin,
  type ProcessInfo,
  processesIn,
  programOf,
  programsIn,
  relativeTo,
  type Snapshot,
  type TmuxPane,
  type TmuxServer,
  type Verdict,
} from '../src/check.ts';

interface Place {
  readonly server: TmuxServer;
  readonly shown: TmuxPane;
}

const placeOf = ({ holder }: Verdict, { machine: { tmux } }: Snapshot): Place | null => {
  const pane = holder?.pane;
  const server = tmux.servers.find(({ socket }) => socket === pane?.socket);
  const shown = server?.panes.find(({ id }) => id === pane?.id);
  return server === undefined || shown === undefined ? null : { server, shown };
};

/** Something in the pane's background that works at another worker, or hides where: it may be that one's agent, and ends with the pane. */
const visitorIn = (pane: TmuxPane, worker: string, snapshot: Snapshot): ProcessInfo | undefined =>
  processesIn(pane, snapshot).find(({ pid, cwd }) => {
    if (pid === pane.pid) return false;
    if (cwd?.seen !== true) return cwd !== null;
    const path = relativeTo(snapshot.town.root, cwd.value);
    return path !== null && !isWithin(path, worker);
  });

const fixFor = (
  place: Place | null,
  programs: readonly string[],
  worker: string,
  snapshot: Snapshot,
): Fix => {
  const { asker } = snapshot.machine;
  if (place === null || !place.server.socket.startsWith('/'))
    return advice('end its session when you no longer need it; --fix can then release the lock');
  const { shown, server } = place;
  if (asker.pids.includes(shown.pid) || (asker.pane?.socket === server.socket && asker.pane.id === shown.id))
    return advice('this is the pane you are in; once its shell exits, --fix can release the lock');
  const isAlone = server.panes.filter(({ sessionId }) => sessionId === shown.sessionId).length === 1;
  const client = ['tmux', '-S', server.socket];
  const attach = attachTo({ socket: server.socket, id: shown.id });
  const visitor = visitorIn(shown, worker, snapshot);
  if (visitor !== undefined)
    return advice(
      `${programOf(visitor)} (process ${visitor.pid}) runs in its background and may work for another worker: leave the pane alone until that has ended`,
      [attach],
    );
  // Whatever ends the pane also ends these, and an editor's unsaved text with it.
  if (programs.length > 0)
    return advice(
      `save what is open in ${programs.join(', ')}, then end ${isAlone ? 'the session' : 'that pane'} from within; --fix can then release the lock`,
      [attach],
    );
  return advice(
    `look at it, then end ${isAlone ? 'its session' : 'that pane'}; --fix can then release the lock`,
    [
      attach,
      isAlone ? [...client, 'kill-session', '-t', shown.sessionId] : [...client, 'kill-pane', '-t', shown.id],
    ],
  );
};

export default defineCheck({
  id: 'idle-session',
  title: 'Idle sessions',
  summary: 'The agent has exited; no agent is left in the session that its lock names.',
  run: ({ verdicts, snapshot }) =>
    verdicts
      .filter(({ notes }) => notes.includes('idle'))
      .map((verdict) => {
        const { lock, facts, holder } = verdict;
        const place = placeOf(verdict, snapshot);
        const programs = place === null ? [] : programsIn(place.shown, snapshot);
        const left =
          programs.length === 0 ? 'only a shell is left' : `no agent is left, but ${programs.join(', ')}`;
        const where = holder?.pane ? ` ${holder.pane.id} of session ${holder.pane.sessionName}` : '';
        return {
          severity: 'info',
          worker: lock.worker,
          lock: lock.id,
          message: `the agent has exited: ${left} in pane${where}`,
          evidence: facts,
          fix: fixFor(place, programs, lock.worker, snapshot),
        };
      }),
});
