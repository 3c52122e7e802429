/** The journal decides what `undo` writes: whatever an attacker puts in it, or in its place, must not redirect that. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { makeRunId } from '../../src/lock/files/names.ts';
import { journalPath } from '../../src/repair/journal.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { examineTown } from '../../src/town-locks.ts';
import { doctor, documentOf } from '../cli/run-cli.ts';
import { applyRelease } from '../lock/support/release.ts';
import { cleanUp, makeTown, OTHER_UID, type TestTown } from '../support/index.ts';

afterEach(cleanUp);

const WORKER = 'gastown/crew/ada';

/** A town in which one lock was released, and its line in the journal. */
const releasedTown = async () => {
  const town = makeTown();
  const path = town.lock(WORKER, { session_id: '' });
  const outcome = await releaseOnly(town);
  if (outcome.status !== 'fixed') throw new Error(outcome.reason);
  const journal = journalPath(town.root);
  const text = readFileSync(journal, 'utf8');
  const entry = JSON.parse(text.trim().split('\n')[0] ?? '') as Record<string, unknown>;
  return { town, path, backup: outcome.backup, journal, text, entry };
};

const releaseOnly = async (town: TestTown) => {
  const { verdicts } = await examineTown(town.root);
  const [verdict] = verdicts;
  if (verdict === undefined) throw new Error('there is no lock');
  const step = { lock: verdict.lock, state: verdict.state, force: false };
  return applyRelease(step, makeRunId(Date.now()), 1, { townRoot: town.root });
};

const JOURNAL = '.runtime/lock-doctor/journal.jsonl';
const fifo = (path: string): void => {
  execFileSync('mkfifo', [path]);
};

const RUN = '20261128T000000Z-abcdef';
/** An entry of the journal with changes, and with an ID of its own run. */
const forged = (entry: Record<string, unknown>, change: Record<string, unknown>): string => {
  const lock = `${WORKER}/.runtime/agent.lock`;
  const own = { ...entry, run: RUN, id: `${RUN}-1`, lock, backup: `${lock}.released-${RUN}-1` };
  return `${JSON.stringify({ ...own, ...change })}\n`;
};

const outsideOf = (prefix: string) => ({
  lock: `${prefix}/.runtime/agent.lock`,
  backup: `${prefix}/.runtime/agent.lock.released-${RUN}-1`,
});

describe('a journal entry that no repair writes', () => {
  test.each([
    ['an absolute path', { worker: '/tmp/x', ...outsideOf('/tmp/x') }, 'worker names no place in the town'],
    ['a path above the town', { worker: '../x', ...outsideOf('../x') }, 'worker names no place in the town'],
    ['a way up in the middle', { worker: 'a/../../x', ...outsideOf('a/../../x') }, 'worker names no place'],
    ["another worker's path", outsideOf('gastown/crew/bob'), 'lock is not one of that worker'],
    ['a lock of an unknown kind', { kind: 'note' }, 'unknown kind of lock: note'],
    ['an unknown deed', { deed: 'burn' }, 'deed'],
    ['an absolute lock', outsideOf('/tmp/x'), 'lock is not one of that worker'],
    ['a file that is not a lock', { lock: `${WORKER}/.runtime/other` }, 'lock is not one of that worker'],
    ['a copy that is not ours', { backup: 'mayor/town.json' }, 'backup is not a copy of that lock'],
    [
      'the copy of another release',
      { backup: `${WORKER}/.runtime/agent.lock.released-${RUN}-2` },
      'backup is',
    ],
    ['an id of another run', { id: '20261128T000001Z-abcdef-1' }, 'id is not of that run'],
    ['an invalid ID', { id: '../x' }, 'id must be text of the form'],
    ['an invalid run', { run: 'x' }, 'run must be text of the form'],
    ['an incomplete second record', { companion: { a: 1 } }, 'companion.pid is missing'],
    ['an invalid second record', { companion: 'x' }, 'companion must be an object'],
    ['no second record', { companion: undefined }, 'companion is missing'],
    ['a holder without a PID', { holder: { pid: 'x', sessionId: '', hostname: '' } }, 'holder.pid must be'],
    [
      'a stamp without a hash',
      { stamp: { dev: '1', ino: '1', mtimeNs: '1', size: 1 } },
      'stamp.sha256 is missing',
    ],
    [
      'an invalid hash',
      { stamp: { dev: '1', ino: '1', mtimeNs: '1', size: 1, sha256: 'x' } },
      'stamp.sha256 must',
    ],
    ['an invalid state', { state: 'dead' }, 'state must be one of held, stale'],
    ['an invalid time', { at: 'x' }, 'at must be text of the form'],
    ['another version', { v: 2 }, 'v must be 1'],
    ['an unknown event', { event: 'x', reason: null }, 'event must be one of release, released'],
  ])('because of %s is reported with its line, and nothing is done', async (_what, change, words) => {
    const { town, path, journal, entry } = await releasedTown();
    mkdirSync(town.path('elsewhere/.runtime'), { recursive: true });
    writeFileSync(journal, forged(entry, change));
    writeFileSync(`${path}.released-${RUN}-1`, 'x');
    const before = readdirSync(dirname(path));
    expect(await undoReleases(null, { townRoot: town.root })).toEqual({
      run: null,
      outcomes: [],
      notBegun: 0,
      damage: { journal, lines: 1, firstLine: 1, why: expect.stringContaining(words) },
    });
    expect(readdirSync(dirname(path))).toEqual(before);
  });

  test('makes undo exit with 1 and appears in its JSON', async () => {
    const { town, journal, entry } = await releasedTown();
    writeFileSync(journal, forged(entry, outsideOf('../x')));
    const words = 'line 1 (lock is not one of that worker: ../x/.runtime/agent.lock)';
    const { status, stdout } = doctor(['undo', '--town', town.root]);
    expect([status, stdout]).toEqual([1, expect.stringContaining(`${journal} is damaged: ${words}`)]);
    const { damage } = documentOf<{ damage: object }>(doctor(['undo', '--json', '--town', town.root]).stdout);
    expect(damage).toMatchObject({ lines: 1, firstLine: 1 });
  });

  test('is not one of an older version without kind and deed, which is still accepted', async () => {
    const { town, path, journal, entry } = await releasedTown();
    const { kind, deed, ...old } = entry;
    expect([kind, deed]).toEqual(['agent', 'move-aside']);
    writeFileSync(journal, `${JSON.stringify(old)}\n`);
    expect(await undoReleases(null, { townRoot: town.root })).toMatchObject({
      outcomes: [{ status: 'restored', lock: path }],
      damage: null,
    });
    expect(existsSync(path)).toBe(true);
  });

  test('does not prevent the others from being restored', async () => {
    const { town, path, journal, entry } = await releasedTown();
    appendFileSync(journal, `${forged(entry, outsideOf('../x'))}{"a":\n`);
    const { outcomes, damage } = await undoReleases(null, { townRoot: town.root });
    expect(outcomes).toMatchObject([{ status: 'restored', lock: path }]);
    // Empty lines count, so the number is the one that an editor shows.
    expect(damage).toMatchObject({ lines: 2, firstLine: 5 });
  });

  test('does not count as damage if a kill cut it off, because nothing was done after it', async () => {
    const { town, journal, text } = await releasedTown();
    for (const length of [1, 9, 40]) appendFileSync(journal, `\n${text.trim().slice(0, length)}`);
    expect(await undoReleases(null, { townRoot: town.root })).toMatchObject({
      outcomes: [{ status: 'restored' }],
      damage: null,
    });
  });

  test('does not make undo write through a symlink out of the town', async () => {
    const { town, journal, entry } = await releasedTown();
    const outside = makeTown();
    mkdirSync(outside.path('.runtime'));
    symlinkSync(outside.root, town.path('way-out'));
    const { lock, backup } = outsideOf('way-out');
    const copy = readFileSync(`${town.path(String(entry.backup))}`);
    writeFileSync(outside.path(`.runtime/agent.lock.released-${RUN}-1`), copy);
    writeFileSync(journal, forged(entry, { worker: 'way-out', lock, backup }));
    expect(await undoReleases(null, { townRoot: town.root })).toMatchObject({
      outcomes: [{ status: 'failed', reason: expect.stringContaining('is a symbolic link') }],
    });
    expect(readdirSync(outside.path('.runtime'))).toEqual([`agent.lock.released-${RUN}-1`]);
  });
});

describe('the place of the journal', () => {
  /** Moves `path` to `elsewhere` and leaves a symlink in its place. */
  const link = (path: string, elsewhere: string): void => {
    renameSync(path, elsewhere);
    symlinkSync(elsewhere, path);
  };
  const replace = (path: string, make: () => void): void => {
    rmSync(path, { recursive: true });
    make();
  };

  test.each([
    ['.runtime is a symlink', '.runtime', (path, away) => link(path, away)],
    ['.runtime is a file', '.runtime', (path) => replace(path, () => writeFileSync(path, ''))],
    ['the directory is a symlink', '.runtime/lock-doctor', (path, away) => link(path, away)],
    ['the directory is a FIFO', '.runtime/lock-doctor', (path) => replace(path, () => fifo(path))],
    ['the journal is a symlink', JOURNAL, (path, away) => link(path, away)],
    ['the journal is a directory', JOURNAL, (path) => replace(path, () => mkdirSync(path))],
    ['the journal is a FIFO', JOURNAL, (path) => replace(path, () => fifo(path))],
    ['the journal has a second name', JOURNAL, (path, away) => linkSync(path, away)],
  ] satisfies [string, string, (path: string, away: string) => void][])(
    '%s: undo and --fix refuse with its path, and neither writes nor blocks',
    async (_what, name, change) => {
      const { town, path, text } = await releasedTown();
      const away = town.path('away');
      change(town.path(name), away);
      await expect(undoReleases(null, { townRoot: town.root })).rejects.toMatchObject({
        code: 'E_IO',
        message: expect.stringContaining(town.path(name)),
      });
      town.lock(WORKER, { session_id: '' });
      expect(await releaseOnly(town)).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining(town.path(name)),
      });
      expect(existsSync(path)).toBe(true);
      if (name === JOURNAL && existsSync(away)) expect(readFileSync(away, 'utf8')).toBe(text);
    },
  );

  test.each([
    ['a FIFO', fifo],
    ['a directory', (path: string) => mkdirSync(path)],
    ['a dangling symlink', (path: string) => symlinkSync('/nowhere', path)],
  ])('%s instead of it makes undo exit with 2 and --fix with 1', async (_what, make) => {
    const { town, journal } = await releasedTown();
    replace(journal, () => make(journal));
    const undone = doctor(['undo', '--town', town.root]);
    expect([undone.status, undone.stdout]).toEqual([2, '']);
    expect(undone.stderr).toMatch(new RegExp(`^doctor: the journal ${journal} cannot be read: .+\n$`));
    town.lock(WORKER, { session_id: '' });
    const fixed = doctor(['--fix', '--yes', '--town', town.root]);
    expect([fixed.status, fixed.stdout]).toEqual([1, expect.stringContaining('could not be released')]);
  });

  test('may contain more than 512 MiB, which undo reads to the end', async () => {
    const { town, journal, text } = await releasedTown();
    truncateSync(journal, 513 * 1024 * 1024);
    appendFileSync(journal, `\n${text}`);
    const { status, stdout } = doctor(['undo', '--town', town.root]);
    expect(stdout).toContain(`restored ${WORKER}`);
    expect(stdout).toContain('is longer than 1048576 bytes');
    expect(status).toBe(1);
  });
});

describe('undo as root (skipped otherwise)', () => {
  const asRoot = process.geteuid?.() === 0 ? test : test.skip;

  asRoot("restores locks from a user's journal only in directories of that user", async () => {
    const { town, path, journal } = await releasedTown();
    chownSync(journal, OTHER_UID, OTHER_UID);
    expect((await undoReleases(null, { townRoot: town.root })).outcomes).toMatchObject([
      { status: 'failed', reason: expect.stringContaining(`belongs to user ${OTHER_UID}`) },
    ]);
    expect(existsSync(path)).toBe(false);
    // The worker's owner could also restore the lock without the doctor.
    for (const place of [WORKER, `${WORKER}/.runtime`, `${WORKER}/.runtime/agent.lock.flock`])
      chownSync(town.path(place), OTHER_UID, OTHER_UID);
    expect((await undoReleases(null, { townRoot: town.root })).outcomes).toMatchObject([
      { status: 'restored' },
    ]);
  });
});
