import { expect, test } from '@jest/globals';
import { remedyFor } from '../../../src/core/report/after-failure.ts';

const LOCK = '/town/.git/index.lock';

test.each([
  ['/town/.runtime/lock-doctor: read-only file system (EROFS)', ['df', LOCK]],
  ['no space left on device (ENOSPC)', ['df', LOCK]],
  ['disk quota exceeded (EDQUOT)', ['df', LOCK]],
  ['permission denied (EACCES): /town/.git belongs to user 1000', ['ls', '-ld', '/town/.git']],
  [
    'operation not permitted (EPERM): /town/.git/index.lock or its directory may be immutable',
    ['lsattr', '-d', LOCK, '/town/.git'],
  ],
  ['operation not permitted (EPERM)', ['ls', '-ld', '/town/.git']],
])('%s: the next command is not the same again', (reason, next) => {
  expect(remedyFor(reason, LOCK)?.next).toEqual(next);
});

test.each([
  null,
  'another doctor holds the guard',
  'i/o error (EIO)',
  'a directory called (EROFS) was replaced',
])('%j may be tried again', (reason) => {
  expect(remedyFor(reason, LOCK)).toBeNull();
});
