/** The locks of Beads and its database, beside a repository's issues. */
import { defineKind, readBareNumber } from '../src/kind.ts';

/** Locks that name a process, and what that process is. bd and dolt take the others by flock(2), whatever they contain. */
const NUMBERED: Readonly<Record<string, string>> = {
  'bd.sock.startlock': 'bd, starting its daemon',
  'dolt-server.pid': 'dolt server',
};

export default defineKind({
  id: 'beads',
  title: 'Beads locks',
  summary: 'The locks and PID files of Beads, its daemon and its database server.',
  where: {
    beside: {
      '.beads': ['bd.sock.startlock', 'dolt-server.pid', 'daemon.lock', 'dolt-server.lock'],
      '.beads/embeddeddolt': ['.lock'],
      '.dolt/noms': ['LOCK'],
    },
  },
  claims: null,
  witnesses: ['process'],
  freshMs: 60_000,
  read: (bytes, { name }) => {
    const holder = NUMBERED[name];
    return holder === undefined ? { kind: 'claim', claim: { by: 'flock' } } : readBareNumber(bytes, holder);
  },
  letGo: 'move-aside',
});
