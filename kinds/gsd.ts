/** The session of GSD that works through a project on its own. */
import { defineKind, readNumberField } from '../src/kind.ts';

/** Milliseconds. The tool touches its lock directory every 10 s, and takes over one that was not touched for this long. */
const TAKEN_OVER_AFTER_MS = 30 * 60_000;

export default defineKind({
  id: 'gsd',
  title: 'GSD sessions',
  summary: 'The session of GSD that works through a project on its own.',
  where: {
    // `auto 2.lock` is a copy that a file-syncing service makes, `auto-M001.lock` belongs to one of several workers.
    beside: { '.gsd': ['auto.lock', 'auto *.lock', 'auto-*.lock'] },
    directories: ['.gsd.lock'],
  },
  claims: null,
  witnesses: ['process'],
  freshMs: 60_000,
  read: (bytes) => readNumberField(bytes, { since: 'startedAt', tool: 'GSD', names: ['unitType', 'unitId'] }),
  readDirectory: () => ({ kind: 'claim', claim: { by: 'mtime', refreshedWithinMs: TAKEN_OVER_AFTER_MS } }),
  letGo: 'move-aside',
});
