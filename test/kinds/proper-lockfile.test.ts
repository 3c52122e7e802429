/** The kind `proper-lockfile`: directories that name nobody. */
import { expect, test } from '@jest/globals';
import kind from '../../kinds/proper-lockfile.ts';

const read = (options: Record<string, string>) => kind.readDirectory?.({ name: 'a.lock', options });

test('is looked for nowhere until it is configured, reads no file, and lets nothing go', () => {
  expect(kind).toMatchObject({ where: { files: [] }, read: null, letGo: null });
});

test.each([
  [{}, 10_000],
  [{ stale: '60000' }, 60_000],
  [{ stale: 'soon' }, 10_000],
])('with %j its holder touches it within %d ms', (options, refreshedWithinMs) => {
  expect(read(options)).toEqual({ kind: 'claim', claim: { by: 'mtime', refreshedWithinMs } });
});
