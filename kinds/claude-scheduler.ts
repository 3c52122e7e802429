/** The session of Claude Code that runs the scheduled tasks of a project. */
import { defineKind, readNumberField } from '../src/kind.ts';

export default defineKind({
  id: 'claude-scheduler',
  title: 'Claude Code schedulers',
  summary: 'The one session of Claude Code that runs the scheduled tasks of a project.',
  where: { beside: { '.claude': ['scheduled_tasks.lock'] } },
  claims: null,
  witnesses: ['process'],
  freshMs: 60_000,
  read: (bytes) =>
    readNumberField(
      bytes,
      { start: 'procStart', since: 'acquiredAt', tool: 'session', names: ['sessionId'] },
      { isStartNative: true },
    ),
  letGo: 'move-aside',
});
