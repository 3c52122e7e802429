/** A session of Copilot CLI that is open: the file's name says in which process; its text is not used. */
import { claimByNumber, defineKind } from '../src/kind.ts';

export default defineKind({
  id: 'copilot',
  title: 'Copilot sessions',
  summary: 'The marks by which Copilot CLI says that a session is open.',
  where: { beside: { 'session-state/*': ['inuse.*.lock'] } },
  livesIn: '.copilot',
  claims: null,
  witnesses: ['process'],
  freshMs: 60_000,
  read: (_, { name }) => {
    const [, pid] = /^inuse\.(\d{1,15})\.lock$/.exec(name) ?? [];
    return pid === undefined
      ? { kind: 'invalid', problem: 'wrong-type', detail: 'there is no PID in its name' }
      : claimByNumber(Number(pid), { name: 'copilot session' });
  },
  letGo: 'move-aside',
});
