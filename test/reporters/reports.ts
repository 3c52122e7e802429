/** Reports for the tests of reporters, made by the real judge and checks from built snapshots. */
import { createHash } from 'node:crypto';
import { builtInChecks } from '../../checks/index.ts';
import { examineSnapshot } from '../../src/core/judge/examine.ts';
import { buildReport } from '../../src/core/report/report.ts';
import { runCheck } from '../../src/core/run-checks.ts';
import type { Check } from '../../src/core/types/check.ts';
import type { Report } from '../../src/core/types/report.ts';
import type { Presentation } from '../../src/reporters/screen/style.ts';
import { aLock, aPane, aServer, aSnapshot, type SnapshotParts } from '../support/snapshot.ts';

export const reportOf = (parts: SnapshotParts, checks: readonly Check[] = builtInChecks): Report => {
  const examination = examineSnapshot(aSnapshot(parts));
  const report = buildReport({
    examination,
    outcomes: checks.map((check) => runCheck(check, examination, () => 0)),
    command: 'doctor',
    tool: { name: 'lock-doctor', version: '1.2.3' },
    durationMs: 143,
    failOn: 'warning',
    workers: null,
  });
  // Built locks have no bytes and therefore no real digest.
  const digest = (text: string | null): string | null =>
    text === null ? null : createHash('sha256').update(text).digest('hex');
  return { ...report, locks: report.locks.map((lock) => ({ ...lock, sha256: digest(lock.sha256) })) };
};

export const healthy = (): Report =>
  reportOf({ locks: [aLock('gastown/crew/ada')], servers: [aServer([aPane()])] });

/** One live agent, one dead lock, and one invalid lock. */
export const sick = (): Report =>
  reportOf({
    locks: [
      aLock('gastown/crew/ada'),
      aLock('gastown/crew/bob', { sessionId: '%55' }),
      aLock(
        'gastown/crew/joe',
        {},
        { content: { kind: 'invalid', problem: 'empty', detail: 'the file is empty' } },
      ),
    ],
    servers: [aServer([aPane()])],
  });

/** A tmux server does not answer, so nothing can be concluded. */
export const doubtful = (): Report =>
  reportOf({
    locks: [aLock('gastown/crew/ada')],
    servers: [aServer([], { status: 'failed', reason: 'did not answer within 2000 ms' })],
  });

/** Names that would affect a terminal, an issue or a workflow. */
export const hostile = (): Report =>
  reportOf({
    locks: [aLock('gastown/crew/\u001b[31mred\u202e\n::error::x', { sessionId: '\u009b2J|`<b>@all' })],
  });

export const crowded = (locks: number): Report =>
  reportOf({
    locks: Array.from({ length: locks }, (_, index) =>
      aLock(`gastown/crew/w${String(index).padStart(2, '0')}`, { sessionId: `%${index + 60}` }),
    ),
  });

export const SCREEN: Presentation = {
  colors: null,
  ascii: false,
  width: 80,
  layout: 'screen',
  verbosity: 'normal',
  links: false,
};
