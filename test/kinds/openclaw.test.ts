/** The kind `openclaw`: the locks of sessions, and of the gateway. */
import { Buffer } from 'node:buffer';
import { expect, test } from '@jest/globals';
import kind from '../../kinds/openclaw.ts';
import { readsAnyBytes } from '../support/any-bytes.ts';

const read = (text: string, name: string) => kind.read(Buffer.from(text), { name, options: {} });

test('a session lock is held for at most five minutes, or for as long as it says', () => {
  const text = '{\n  "pid": 4242,\n  "createdAt": "2026-03-11T17:19:00.842Z",\n  "starttime": 18273645\n}';
  const claim = {
    by: 'number',
    pid: 4242,
    start: '18273645',
    since: { ms: Date.UTC(2026, 2, 11, 17, 19, 0, 842) },
    name: 'session 5f3a',
    heldAtMostMs: 300_000,
  };
  expect(read(text, '5f3a.jsonl.lock')).toMatchObject({ kind: 'claim', claim });
  expect(read('{"pid":4242,"maxHoldMs":720000}', '5f3a.jsonl.lock')).toMatchObject({
    claim: { heldAtMostMs: 720_000 },
  });
});

test("the gateway's lock is held for as long as the gateway runs", () => {
  const text = '{"pid":4242,"createdAt":"2026-03-11T17:19:00.842Z","configPath":"/c","startTime":18273645}';
  const content = read(text, 'gateway.0a1b2c3d.lock');
  expect(content).toMatchObject({ claim: { pid: 4242, start: '18273645', name: 'gateway' } });
  expect(content).not.toHaveProperty('claim.heldAtMostMs');
});

test('an empty lock is still being written and does not name a holder', () => {
  expect(read('', '5f3a.jsonl.lock')).toMatchObject({ kind: 'invalid', problem: 'empty' });
});

test('openclaw: accepts any bytes', () => readsAnyBytes(kind, ['5f3a.jsonl.lock', 'gateway.lock']));
