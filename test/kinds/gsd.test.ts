/** The kind `gsd`: its file, the copies of that file, and its directory. */
import { Buffer } from 'node:buffer';
import { expect, test } from '@jest/globals';
import kind from '../../kinds/gsd.ts';
import { readsAnyBytes } from '../support/any-bytes.ts';

test('a file names the process, since when it runs, and its work', () => {
  const text = `{
  "pid": 68721,
  "startedAt": "2026-03-11T17:19:00.842Z",
  "unitType": "complete-slice",
  "unitId": "M001/S13",
  "unitStartedAt": "2026-03-11T17:19:00.842Z",
  "completedUnits": 1
}`;
  expect(kind.read(Buffer.from(text), { name: 'auto.lock', options: {} })).toMatchObject({
    kind: 'claim',
    claim: {
      by: 'number',
      pid: 68721,
      start: null,
      since: { ms: Date.UTC(2026, 2, 11, 17, 19, 0, 842) },
      name: 'GSD complete-slice M001/S13',
    },
  });
});

test('a directory does not name its holder, which touches it', () => {
  expect(kind.readDirectory?.({ name: '.gsd.lock', options: {} })).toEqual({
    kind: 'claim',
    claim: { by: 'mtime', refreshedWithinMs: 1_800_000 },
  });
});

test('gsd: accepts any bytes', () => readsAnyBytes(kind, ['auto.lock', 'auto 2.lock']));
