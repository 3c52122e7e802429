/** The background server of Codex, and the threads that are being written. */
import { defineKind, readBareNumber, readNumberField } from '../src/kind.ts';

export default defineKind({
  id: 'codex',
  title: 'Codex locks',
  summary: 'The PID files of the background server of Codex, and the locks of its threads.',
  where: {
    beside: {
      'app-server-daemon': ['*.pid', 'daemon.lock', '*.pid.lock'],
      'thread-writer-locks': ['*.lock'],
    },
  },
  livesIn: '.codex',
  claims: null,
  witnesses: ['process'],
  freshMs: 60_000,
  read: (bytes, { name }) => {
    if (!name.endsWith('.pid')) return { kind: 'claim', claim: { by: 'flock' } };
    const called = `codex ${name.slice(0, -'.pid'.length)}`;
    const read = readNumberField(bytes, { start: 'processStartTime', tool: called });
    return read.kind === 'invalid' && read.problem === 'not-json' ? readBareNumber(bytes, called) : read;
  },
  letGo: 'move-aside',
});
