/** The kind `agent`: where it is found, what it claims, and what its bytes mean. */
import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import agent from '../../kinds/agent.ts';

const read = (text: string) => agent.read(Buffer.from(text), { name: 'agent.lock', options: {} });

test('agent: is found at its current place and at that of older releases, with a second record beside it', () => {
  expect(agent.where).toEqual({
    homes: { '.runtime': 'runtime', '.gastown': 'legacy' },
    name: 'agent.lock',
    companion: 'agent.lock.holder',
  });
});

test('agent: claims its worker: all witnesses are asked, and it sets no rules of its own', () => {
  expect(agent).toMatchObject({ id: 'agent', claims: 'worker', letGo: 'move-aside' });
  expect(agent).not.toHaveProperty('witnesses');
});

describe('the bytes of an agent lock', () => {
  test('name a process, a session, a host and a time', () => {
    const text = '{"pid":41822,"acquired_at":"2026-08-11T07:00:00Z","session_id":"%55","hostname":"build-1"}';
    expect(read(text)).toEqual({
      kind: 'record',
      record: {
        pid: 41822,
        acquiredAt: '2026-08-11T07:00:00Z',
        acquiredAtMs: Date.UTC(2026, 7, 11, 7),
        sessionId: '%55',
        hostname: 'build-1',
        holder: null,
      },
    });
  });

  test.each([
    ['an empty file', '', 'empty'],
    ['text that is not JSON', 'pid 41822', 'not-json'],
    ['a bare number', '41822', 'wrong-type'],
    ['a time that cannot be parsed', '{"pid":1,"acquired_at":"yesterday"}', 'bad-time'],
  ])('are invalid, not guessed at: %s', (_, text, problem) => {
    expect(read(text)).toMatchObject({ kind: 'invalid', problem });
  });
});
