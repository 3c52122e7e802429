/** The claim of one agent on the directory that it works in. */
import { COMPANION_NAME, defineKind, LOCK_HOMES, LOCK_NAME, parseLockRecord } from '../src/kind.ts';

export default defineKind({
  id: 'agent',
  title: 'Agent locks',
  summary: 'The lock of the one agent that works in a directory.',
  where: { homes: LOCK_HOMES, name: LOCK_NAME, companion: COMPANION_NAME },
  claims: 'worker',
  read: parseLockRecord,
  letGo: 'move-aside',
});
