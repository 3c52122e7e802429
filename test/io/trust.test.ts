import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { distrust, mayWrite } from '../../src/io/trust.ts';
import { asOtherUser, canBecomeOthers, cleanUp, OTHER_UID, onCleanUp } from '../support/index.ts';

afterEach(cleanUp);

const asRoot = canBecomeOthers ? test : test.skip;

/** A directory of ours that contains a file. */
const makePlace = () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'trust-')));
  onCleanUp(() => {
    chmodSync(directory, 0o755);
    rmSync(directory, { recursive: true });
  });
  const file = join(directory, 'file');
  writeFileSync(file, '', { mode: 0o644 });
  chmodSync(directory, 0o755);
  return { directory, file, entries: [directory, file] };
};

describe('a file is trusted', () => {
  test('if it and its directory are ours and no other user can write there', () => {
    expect(distrust(makePlace().entries)).toBeNull();
  });

  test('if it is reached through a symlink of ours to a file of ours', () => {
    const { directory, file } = makePlace();
    symlinkSync(file, join(directory, 'link'));
    expect(distrust([directory, join(directory, 'link')])).toBeNull();
  });

  const notIfWritable = (mode: number, why: string, group: number) => {
    const { directory, file, entries } = makePlace();
    for (const path of entries) chownSync(path, -1, group);
    chmodSync(directory, mode);
    expect(distrust(entries)).toBe(`${why} can write to ${directory}`);
    chmodSync(directory, 0o755);
    chmodSync(file, mode);
    expect(distrust(entries)).toBe(`${why} can write to ${file}`);
  };

  test('not if everybody can write to it or to its directory', () =>
    notIfWritable(0o777, 'everybody', process.getgid?.() ?? 0));

  asRoot('not if a group can write to it or to its directory (skipped without root)', () =>
    notIfWritable(0o775, `group ${OTHER_UID}`, OTHER_UID),
  );

  test('in a directory like /tmp, where no other user can replace it', () => {
    const { directory, entries } = makePlace();
    chmodSync(directory, 0o1777);
    expect(distrust(entries)).toBeNull();
  });

  test('only if it exists and can be examined', () => {
    const { directory } = makePlace();
    expect(distrust([directory, join(directory, 'missing')])).toContain('ENOENT');
  });

  asRoot("if the group that can write is the owner's own (skipped without root)", () => {
    const { entries } = makePlace();
    // Debian and its derivatives: user daemon (1) has group daemon (1) to itself.
    for (const path of entries) {
      chownSync(path, 1, 1);
      chmodSync(path, 0o775);
    }
    expect(distrust(entries, 1)).toBeNull();
    chownSync(entries[0] ?? '', 1, 100);
    expect(distrust(entries, 1)).toBe(`group 100 can write to ${entries[0]}`);
  });

  asRoot('only if no other user owns it, its directory or its symlink (skipped without root)', () => {
    const { directory, file, entries } = makePlace();
    chownSync(file, OTHER_UID, -1);
    expect(distrust(entries)).toBe(`${file} belongs to user ${OTHER_UID}`);
    expect(distrust(entries, OTHER_UID)).toBeNull();
    const own = makePlace();
    symlinkSync(file, join(own.directory, 'link'));
    expect(distrust([own.directory, join(own.directory, 'link')])).toContain(`belongs to user ${OTHER_UID}`);
    chownSync(directory, OTHER_UID, -1);
    chownSync(file, 0, -1);
    expect(distrust(entries)).toBe(`${directory} belongs to user ${OTHER_UID}`);
  });

  asRoot('by everybody if root owns it (skipped without root)', async () => {
    const { directory, entries } = makePlace();
    mkdirSync(join(directory, 'more'));
    expect(await asOtherUser(() => distrust(entries))).toBeNull();
  });
});

describe('a user may be able to write to a directory', () => {
  const STRANGER = 4_000_000;

  test('unless its owner and mode rule that out', () => {
    const { directory } = makePlace();
    const mayStrangers = (mode: number): boolean => {
      chmodSync(directory, mode);
      return mayWrite(directory, STRANGER);
    };
    expect([0o755, 0o700, 0o777, 0o1777].map(mayStrangers)).toEqual([false, false, true, true]);
  });

  test("that is the user's own, if the user is root, and if it cannot be examined", () => {
    const { directory } = makePlace();
    chmodSync(directory, 0o555);
    expect(mayWrite(directory, process.getuid?.() ?? 0)).toBe(true);
    expect(mayWrite(directory, 0)).toBe(true);
    expect(mayWrite(join(directory, 'none'), STRANGER)).toBe(true);
  });

  asRoot("if a group can write that is not known to be the owner's alone", () => {
    const { directory } = makePlace();
    chownSync(directory, -1, 4_000_001);
    chmodSync(directory, 0o775);
    expect(mayWrite(directory, STRANGER)).toBe(true);
  });
});
