/** The session that a lock names is open, but only a shell is left in it: its agent has exited. */
import {
  advice,
  defineCheck,
  type Fix,
  isWithin,
  type ProcessInfo,
  programOf,
  relativeTo,
  type Snapshot,
  type Verdict,
} from '../src/check.ts';

/** Something in the pane's background that works at another worker, or hides where: it may be that one's agent, and ends with the pane. */
const visitorIn = (pane: number, worker: string, { machine, town }: Snapshot): ProcessInfo | undefined => {
  const { list } = machine.processes;
  const below = new Set([pane]);
  // A process may have a smaller number than the one that started it.
  for (let known = 0; known < below.size; ) {
    known = below.size;
    for (const { pid, ppid } of list) if (below.has(ppid)) below.add(pid);
  }
  return list.find(({ pid, cwd }) => {
    if (pid === pane || !below.has(pid)) return false;
    if (cwd?.seen !== true) return cwd !== null;
    const path = relativeTo(town.root, cwd.value);
    return path !== null && !isWithin(path, worker);
  });
};

const fixFor = ({ holder, lock }: Verdict, snapshot: Snapshot): Fix => {
  const { tmux, asker } = snapshot.machine;
  const pane = holder?.pane ?? null;
  const server = tmux.servers.find(({ socket }) => socket === pane?.socket);
  const shown = server?.panes.find(({ id }) => id === pane?.id);
  if (pane === null || shown === undefined || !pane.socket.startsWith('/'))
    return advice('end its session when you no longer need it; --fix can then release the lock');
  if (asker.pane?.socket === pane.socket && asker.pane.id === pane.id)
    return advice('this is the pane you are in; once its shell exits, --fix can release the lock');
  const visitor = visitorIn(shown.pid, lock.worker, snapshot);
  if (visitor !== undefined)
    return advice(
      `${programOf(visitor)} (process ${visitor.pid}) runs in its background and may work for another worker: leave the pane alone until that has ended`,
      [['tmux', '-S', pane.socket, 'attach-session', '-t', pane.id]],
    );
  const isAlone = server?.panes.filter(({ sessionId }) => sessionId === shown.sessionId).length === 1;
  const client = ['tmux', '-S', pane.socket];
  return advice(
    `look at it, then end ${isAlone ? 'its session' : 'that pane'}; --fix can then release the lock`,
    [
      [...client, 'attach-session', '-t', pane.id],
      isAlone ? [...client, 'kill-session', '-t', shown.sessionId] : [...client, 'kill-pane', '-t', pane.id],
    ],
  );
};

export default defineCheck({
  id: 'idle-session',
  title: 'Idle sessions',
  summary: 'The agent has exited; only a shell is left in the session that its lock names.',
  run: ({ verdicts, snapshot }) =>
    verdicts
      .filter(({ notes }) => notes.includes('idle'))
      .map((verdict) => {
        const { lock, facts, holder } = verdict;
        const where = holder?.pane ? ` ${holder.pane.id} of session ${holder.pane.sessionName}` : '';
        return {
          severity: 'info',
          worker: lock.worker,
          lock: lock.id,
          message: `the agent has exited: only a shell is left in pane${where}`,
          evidence: facts,
          fix: fixFor(verdict, snapshot),
        };
      }),
});
