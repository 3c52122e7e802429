/** The kind `git-worktree`: whom a reason names, in each format that tools are known to write. */
import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import gitWorktree from '../../kinds/git-worktree.ts';

const read = (bytes: string | Uint8Array) =>
  gitWorktree.read(Buffer.from(bytes), { name: 'locked', options: {} });

const NUMBER = { by: 'number', hostname: '', since: null, isShared: true };

test('git-worktree: is found only in the administrative files of linked working trees, and claims no worker', () => {
  expect(gitWorktree).toMatchObject({
    where: { inGitDir: { linked: ['locked'] } },
    claims: null,
    letGo: 'move-aside',
  });
});

describe('a reason that names a process', () => {
  test.each([
    ['claude agent agent-ab12 (pid 4242)\n', 4242, null, 'claude agent agent-ab12'],
    ['claude agent agent-ab12 (pid 4242 start 18273645)\n', 4242, '18273645', 'claude agent agent-ab12'],
    ['claude agent agent-ab12 (pid 4242) start 18273645', 4242, '18273645', 'claude agent agent-ab12'],
    [
      'claude session fix login (pid 4242 start Sun Nov 29 15:10:55 2026)\n',
      4242,
      'Sun Nov 29 15:10:55 2026',
      'claude session fix login',
    ],
    ['openclaw pid=4242\n', 4242, null, 'openclaw'],
  ])('%j', (text, pid, start, name) => {
    expect(read(text)).toEqual({
      kind: 'claim',
      claim: { ...NUMBER, pid, start, name, ...(start === null ? {} : { isStartNative: true }) },
    });
  });

  test('of flow-claim also gives the host and the time', () => {
    const text = 'flow-claim issue=7 pid=4242 session=ab12 host=build-1 ts=2026-08-11T07:00:00Z\n';
    expect(read(text)).toEqual({
      kind: 'claim',
      claim: {
        ...NUMBER,
        pid: 4242,
        start: null,
        name: 'flow-claim',
        hostname: 'build-1',
        since: { text: '2026-08-11T07:00:00Z', ms: Date.UTC(2026, 7, 11, 7) },
      },
    });
  });
});

describe("any other reason is a person's note", () => {
  test.each([
    ['', ''],
    ['\n', ''],
    ['added with --lock\n', 'added with --lock'],
    ['initialisiere', 'initialisiere'],
    ['afk: back on monday (pid unknown)\n', 'afk: back on monday (pid unknown)'],
    ['see (pid 4242) in the log\n', 'see (pid 4242) in the log'],
    ['{"build":"1","createdAt":1,"owner":"supacode"}', '{"build":"1","createdAt":1,"owner":"supacode"}'],
    ['two\nlines\n', 'two lines'],
    // A person may also name a process, in exactly the format of a tool.
    ['mine; do not touch (pid 4242)\n', 'mine; do not touch (pid 4242)'],
    ['training run, ends on monday (pid 4242 start 1)', 'training run, ends on monday (pid 4242 start 1)'],
    ['not a claude agent x (pid 4242)', 'not a claude agent x (pid 4242)'],
    ['training pid=4242\n', 'training pid=4242'],
    ['openclaws pid=4242\n', 'openclaws pid=4242'],
    // Not a possible PID.
    ['claude agent agent-ab12 (pid 0)\n', 'claude agent agent-ab12 (pid 0)'],
    ['openclaw pid=0\n', 'openclaw pid=0'],
    ['openclaw pid=4294967296\n', 'openclaw pid=4294967296'],
    ['claude agent a (pid 2147483648)', 'claude agent a (pid 2147483648)'],
    ['openclaw pid=4242 pid=4243\n', 'openclaw pid=4242 pid=4243'],
    ['flow-claim issue=7 pid=4242 host=a host=b', 'flow-claim issue=7 pid=4242 host=a host=b'],
    ['flow-claim issue=7 PID=4242 pid=4243', 'flow-claim issue=7 PID=4242 pid=4243'],
    ['claude agent agent-ab12 (pid 4242) (pid 4243)', 'claude agent agent-ab12 (pid 4242) (pid 4243)'],
    ['claude session login (pid 4242) (pid 4243)', 'claude session login (pid 4242) (pid 4243)'],
    ['claude agent a (pid 4242 start 1) start 2', 'claude agent a (pid 4242 start 1) start 2'],
    // A person who adds to a tool's text makes the lock their own.
    ['openclaw pid=4242 keep for Bob\n', 'openclaw pid=4242 keep for Bob'],
    ['openclaw pid=4242\nBob: do not touch\n', 'openclaw pid=4242 Bob: do not touch'],
    ['flow-claim issue=7 pid=4242 DO NOT TOUCH', 'flow-claim issue=7 pid=4242 DO NOT TOUCH'],
    ['claude agent do not touch (pid 4242)', 'claude agent do not touch (pid 4242)'],
    [
      'claude agent a (pid 4242) start again when Bob is back',
      'claude agent a (pid 4242) start again when Bob is back',
    ],
    [
      'claude session login (pid 4242)\nclaude session search (pid 4243)\n',
      'claude session login (pid 4242) claude session search (pid 4243)',
    ],
    ['do not touch\nclaude agent a (pid 4242)\n', 'do not touch claude agent a (pid 4242)'],
    ['claude session a\nb (pid 4242)\n', 'claude session a b (pid 4242)'],
  ])('%j', (text, note) => {
    expect(read(text)).toEqual({ kind: 'claim', claim: { by: 'person', note } });
  });

  test('if it goes on beyond the length that a report prints', () => {
    const text = `openclaw pid=4242 ${'issue=7'.padEnd(400, '7')} do not touch\n`;
    expect(read(text)).toMatchObject({ kind: 'claim', claim: { by: 'person' } });
  });

  test('any bytes are read as a claim on one line, without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const content = read(bytes);
        if (content.kind !== 'claim') throw new Error(`read as ${content.kind}`);
        const { claim } = content;
        if (claim.by === 'person') {
          expect(claim.note).not.toMatch(/[\n\r]/);
          expect([...claim.note].length).toBeLessThanOrEqual(300);
        } else expect(claim).toMatchObject({ by: 'number' });
      }),
    );
  });
});
