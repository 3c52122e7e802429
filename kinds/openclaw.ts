/** OpenClaw's sessions, which its gateway writes one at a time, and the gateway itself. */
import { defineKind, readNumberField } from '../src/kind.ts';

/** Milliseconds that the gateway keeps the lock of a session at most, where the lock does not say otherwise. */
const KEPT_AT_MOST_MS = 5 * 60_000;

export default defineKind({
  id: 'openclaw',
  title: 'OpenClaw locks',
  summary: 'The locks of OpenClaw’s gateway, and of the sessions that it is writing.',
  where: {
    beside: {
      sessions: ['*.jsonl.lock'],
      '.openclaw': ['gateway.lock', 'gateway.*.lock'],
    },
  },
  livesIn: '.openclaw',
  claims: null,
  witnesses: ['process'],
  freshMs: 60_000,
  read: (bytes, { name }) => {
    const [, session] = /^(.+)\.jsonl\.lock$/s.exec(name) ?? [];
    if (session === undefined)
      return readNumberField(bytes, { start: 'startTime', since: 'createdAt', tool: 'gateway' });
    return readNumberField(
      bytes,
      { start: 'starttime', since: 'createdAt', heldAtMost: 'maxHoldMs', tool: `session ${session}` },
      { heldAtMostMs: KEPT_AT_MOST_MS },
    );
  },
  letGo: 'move-aside',
});
