import { defineKind, readBareNumber } from '../src/kind.ts';

/** Locks that name a process, and what it is. The others bd and dolt take by flock(2), whatever is written in them. */
const NUMBERED: Readonly<Record<string, string>> = {
  'bd.sock.startlock': 'bd, starting its daemon',
  'dolt-server.pid': 'dolt server',
};

/** What Beads and its database leave beside the issues of a repository. */
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
