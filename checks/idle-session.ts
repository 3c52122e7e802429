/** The session that a lock names is open, but only a shell is left in it: its agent has exited. */
import { advice, defineCheck, type Fix, type Snapshot, type Verdict } from '../src/check.ts';

const fixFor = ({ holder }: Verdict, { machine: { tmux, asker } }: Snapshot): Fix => {
  const pane = holder?.pane ?? null;
  const server = tmux.servers.find(({ socket }) => socket === pane?.socket);
  const shown = server?.panes.find(({ id }) => id === pane?.id);
  if (pane === null || shown === undefined || !pane.socket.startsWith('/'))
    return advice('end its session when you no longer need it; --fix can then release the lock');
  if (asker.pane?.socket === pane.socket && asker.pane.id === pane.id)
    return advice('this is the pane you are in; once its shell exits, --fix can release the lock');
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
