/** The processes that Gas Town and Gas City run beside their agents. */
import { defineKind, readBareNumber } from '../src/kind.ts';

export default defineKind({
  id: 'daemon',
  title: 'Daemons',
  summary: 'The PID files and locks of the processes that Gas Town and Gas City run beside their agents.',
  where: {
    beside: {
      daemon: ['daemon.pid', 'daemon.lock', 'shutdown.lock'],
      '.runtime/pids': ['*.pid'],
      '.runtime/nudge_poller': ['*.pid'],
      '.runtime/locks': ['*.lock'],
      '.runtime/locks/*': ['*.lock'],
      'deacon/dogs/*': ['.dog.lock'],
      '.gc': ['controller.lock'],
      '.gc/session-name-locks': ['*.lock'],
      '.gc/nudges/pollers': ['*.pid'],
    },
  },
  claims: null,
  witnesses: ['process'],
  freshMs: 60_000,
  // Every file that is not a PID file is taken by flock(2): it stays for ever, and the kernel knows who holds it.
  read: (bytes, { name }) =>
    name.endsWith('.pid')
      ? readBareNumber(bytes, name === 'daemon.pid' ? 'gt daemon' : name.slice(0, -'.pid'.length))
      : { kind: 'claim', claim: { by: 'flock' } },
  letGo: 'move-aside',
});
