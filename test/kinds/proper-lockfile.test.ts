/** The kind `proper-lockfile`: directories that do not name their holder. */
import { expect, test } from '@jest/globals';
import kind from '../../kinds/proper-lockfile.ts';

const read = (options: Record<string, string>) => kind.readDirectory?.({ name: 'a.lock', options });

test('proper-lockfile: is searched for only where it is configured, reads no file, and is never released', () => {
  expect(kind).toMatchObject({ where: { files: [] }, read: null, letGo: null });
});

test.each([
  [{}, 10_000],
  [{ stale: '60000' }, 60_000],
  [{ stale: 'soon' }, 10_000],
])('with options %j the holder touches it within %d ms', (options, refreshedWithinMs) => {
  expect(read(options)).toEqual({ kind: 'claim', claim: { by: 'mtime', refreshedWithinMs } });
});
