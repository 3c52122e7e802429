/** The lock directories of the npm package proper-lockfile; the configuration says where they lie. */
import { defineKind } from '../src/kind.ts';

/** Milliseconds: proper-lockfile's default. */
const STALE_MS = 10_000;

export default defineKind({
  id: 'proper-lockfile',
  title: 'proper-lockfile locks',
  summary: 'Lock directories of the npm package proper-lockfile, where lock-doctor.json says so.',
  where: { files: [] },
  claims: null,
  witnesses: [],
  freshMs: 0,
  read: null,
  readDirectory: ({ options: { stale = '' } }) => ({
    kind: 'claim',
    claim: { by: 'mtime', refreshedWithinMs: /^\d{1,9}$/.test(stale) ? Number(stale) : STALE_MS },
  }),
  letGo: null,
});
