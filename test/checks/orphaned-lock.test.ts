import { describe, expect, test } from '@jest/globals';
import check from '../../checks/orphaned-lock.ts';
import { absent, aLock, aPane, aServer, HOUR, NOW, present, ROOT } from '../support/snapshot.ts';
import { runOn } from './run-on.ts';

const ADA = 'gastown/crew/ada';
const BOB = 'gastown/crew/bob';
const holder = { pid: 5151, startToken: '5000', bootId: null, pidNamespace: null, nonce: null };

describe('orphaned-lock reports', () => {
  test('a live process whose pane is gone, with the command that shows it', () => {
    const [finding, ...more] = runOn(check, { locks: [aLock(ADA)], lookups: [present(4242)] });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      severity: 'warning',
      worker: ADA,
      message: 'process 4242 is still running, but its pane %3 is gone; taken 8 h ago',
      fix: { action: 'advice', commands: [['ps', '-fp', '4242']] },
    });
  });

  test.each([
    ['the holder named in one of our records', aLock(ADA, { holder })],
    ['the holder named in the companion record', aLock(ADA, {}, { companion: holder })],
  ])('%s, not the dead PID kept for other readers', (_, lock) => {
    const [finding] = runOn(check, { locks: [lock], lookups: [absent(4242), present(5151)] });
    expect(finding?.message).toBe('process 5151 is still running, but its pane %3 is gone; taken 8 h ago');
    expect(finding?.fix).toMatchObject({ commands: [['ps', '-fp', '5151']] });
  });

  const here = { seen: true, value: `${ROOT}/${BOB}` } as const;
  const soon = { startedAtMs: NOW - 8 * HOUR + 60_000, names: ['claude'] };

  test.each<[string, Parameters<typeof runOn>[1]]>([
    ['working directory', { lookups: [present(4242, { ...soon, cwd: here })] }],
    ['role', { lookups: [present(4242, { ...soon, environment: { GT_ROLE: BOB } })] }],
    [
      'registry record',
      {
        lookups: [
          present(4242, {
            ...soon,
            registered: { tool: 'claude', name: null, status: null, cwd: here.value },
          }),
        ],
      },
    ],
    [
      'pane',
      {
        lookups: [present(4242, soon)],
        servers: [aServer([aPane({ id: '%8', pid: 4242, sessionName: 'gt-crew-bob', path: here.value })])],
      },
    ],
    [
      'role, though it stands here',
      {
        lookups: [
          present(4242, {
            ...soon,
            cwd: { seen: true, value: `${ROOT}/${ADA}` },
            environment: { GT_ROLE: BOB },
          }),
        ],
      },
    ],
    ['lock', { locks: [aLock(ADA), aLock(BOB, { sessionId: '' })], lookups: [present(4242, soon)] }],
  ])('a process that is claimed by another worker’s %s, and advises to leave it alone', (_, parts) => {
    const [finding] = runOn(check, { locks: [aLock(ADA)], ...parts });
    expect(finding?.fix).toEqual({
      action: 'advice',
      text: `process 4242 may belong to ${BOB} instead; leave it alone`,
      commands: [['doctor', 'explain', ADA, '--town', ROOT]],
    });
  });

  test('a live process with advice, never with a release', () => {
    const [finding] = runOn(check, { locks: [aLock(ADA)], lookups: [present(4242)] });
    expect(finding?.fix?.action).toBe('advice');
  });
});

describe('orphaned-lock is silent about', () => {
  test('a live process in its pane', () => {
    expect(
      runOn(check, { locks: [aLock(ADA)], lookups: [present(4242)], servers: [aServer([aPane()])] }),
    ).toEqual([]);
  });

  test('a live process that named no session', () => {
    expect(runOn(check, { locks: [aLock(ADA, { sessionId: '' })], lookups: [present(4242)] })).toEqual([]);
  });

  test('a lock taken a moment ago', () => {
    const at = NOW - 5000;
    const lock = aLock(ADA, { acquiredAtMs: at }, { mtimeMs: at });
    expect(runOn(check, { locks: [lock], lookups: [present(4242)] })).toEqual([]);
  });

  test('a dead process', () => {
    expect(runOn(check, { locks: [aLock(ADA)] })).toEqual([]);
  });
});
