/** Entries directly below the root of the file system are reached like any others, by their own names. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openDirectory, openOwned } from '../../../src/io/disk/open-directory.ts';
import { systemCalls } from '../../../src/io/disk/system-calls.ts';

const thrownBy = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

test.each(['/', realpathSync(mkdtempSync(join(tmpdir(), 'open-directory-')))])(
  'entries of %s are reached, but nothing beside or below them',
  (path) => {
    const entry = join(path, path === '/' ? 'usr' : 'entry');
    if (path !== '/') mkdirSync(entry);
    const directory = openDirectory(systemCalls, path);
    try {
      expect(directory.calls.lstat(path)).toBeDefined();
      expect(directory.calls.lstat(entry)).toBeDefined();
      expect(thrownBy(() => directory.calls.mkdir(entry))).toMatchObject({ code: 'EEXIST', path: entry });
      const outside = [join(entry, 'below'), `${path}${entry}`, 'entry', `${path}/../${entry}`];
      for (const other of outside) expect(() => directory.calls.lstat(other)).toThrow('does not lie in');
    } finally {
      directory.close();
      if (path !== '/') rmSync(path, { recursive: true });
    }
  },
);

test('the root of the file system can be opened as a directory that must be owned', () => {
  openOwned(systemCalls, '/').close();
});
