/**
 * Releasing and restoring the locks of git worktrees, under the one guard of the town: a run that dies or fails at any system
 * call loses none of them, and leaves git unchanged.
 * Runs in a PID namespace: its locks are stale by decree.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Verdict } from '../../src/core/types/judgement.ts';
import type { SystemCalls } from '../../src/io/disk/system-calls.ts';
import { makeRunId } from '../../src/lock/files/names.ts';
import { applyReleases } from '../../src/repair/apply.ts';
import { repairLeftovers } from '../../src/repair/leftovers.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { examineTown } from '../../src/town-locks.ts';
import { alone, crashing, FAULTS, failing, listCalls, withoutLinks } from '../lock/support/tapped-calls.ts';

const hasGit = spawnSync('git', ['--version']).status === 0;
const gitDescribe = hasGit ? describe : describe.skip;

/** In memory if possible, because each of hundreds of runs syncs. */
const BASE = realpathSync(existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
const TREES = ['a', 'b'] as const;

let root = '';
let verdicts: readonly Verdict[] = [];
let texts: ReadonlyMap<string, string> = new Map();
let shown = '';

const git = (...args: readonly string[]): string =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: 'pipe',
  });

const directoryOf = (tree: string): string => join(root, '.git/worktrees', tree);
const lockOf = (tree: string): string => join(directoryOf(tree), 'locked');

beforeAll(async () => {
  if (!hasGit) return;
  root = mkdtempSync(join(BASE, 'worktrees-'));
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'first');
  for (const tree of TREES) {
    git('worktree', 'add', '-q', `.claude/worktrees/${tree}`);
    const reason = `claude agent agent-${tree} (pid ${spawnSync('true').pid})`;
    git('worktree', 'lock', '--reason', reason, `.claude/worktrees/${tree}`);
    utimesSync(lockOf(tree), 1_790_000_000, 1_790_000_000);
  }
  texts = new Map(TREES.map((tree) => [tree, readFileSync(lockOf(tree), 'utf8')]));
  shown = git('worktree', 'list', '--porcelain');
  const env = { PATH: process.env.PATH ?? '', HOME: root, TMUX_TMPDIR: root };
  const found = (await examineTown(root, { env })).verdicts;
  expect(found.map(({ lock }) => lock.path).sort()).toEqual(TREES.map(lockOf));
  verdicts = found.map((verdict) => ({ ...verdict, state: 'stale', release: { allowed: true } }));
  // The search for a program that can lock happens once per process, and its calls must not be counted.
  await release(alone);
  await undo(alone);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

const release = async (calls: SystemCalls): Promise<readonly string[]> => {
  const steps = verdicts.map(({ lock, state }, at) => ({ lock, state, force: false, number: at + 1 }));
  const statuses: string[] = [];
  await applyReleases(steps, makeRunId(Date.now()), {
    townRoot: root,
    calls,
    guardTimeoutMs: 0,
    judge: async () => new Map(verdicts.map((verdict) => [verdict.lock.id, verdict])),
    onOutcome: ({ lock }, { status }) => void statuses.push(`${lock.worker} ${status}`),
  });
  return statuses;
};

const undo = (calls: SystemCalls) => undoReleases(null, { townRoot: root, calls, guardTimeoutMs: 0 });

const expectKept = (where: string): void => {
  for (const tree of TREES) {
    const names = readdirSync(directoryOf(tree)).filter((name) => name.startsWith('locked'));
    const kept = names.some(
      (name) => readFileSync(join(directoryOf(tree), name), 'utf8') === texts.get(tree),
    );
    expect([where, tree, kept]).toEqual([where, tree, true]);
  }
};

/** A repair and an undo restore the same files, with nothing left beside them; then the journal is removed. */
const expectRestored = async (where: string): Promise<void> => {
  for (const tree of TREES)
    expect([
      where,
      await repairLeftovers(lockOf(tree), { townRoot: root, calls: alone, guardTimeoutMs: 0 }),
    ]).toMatchObject([where, { status: 'done' }]);
  await undo(alone);
  for (const tree of TREES) {
    expect([where, readFileSync(lockOf(tree), 'utf8')]).toEqual([where, texts.get(tree)]);
    expect([where, statSync(lockOf(tree)).mtimeMs]).toEqual([where, 1_790_000_000_000]);
    const names = readdirSync(directoryOf(tree)).filter((name) => name.startsWith('locked'));
    expect([where, names]).toEqual([where, ['locked']]);
  }
  rmSync(join(root, '.runtime'), { recursive: true, force: true });
};

const WORK = [
  { work: 'a release', begin: async () => undefined, act: release },
  { work: 'an undo', begin: async () => void (await release(alone)), act: undo },
] as const;

gitDescribe.each(WORK)('$work of two worktree locks (skipped without git)', ({ begin, act }) => {
  test('loses nothing if it dies after any system call', async () => {
    await begin();
    const calls = await listCalls((tap) => act(tap));
    await expectRestored('rehearsal');
    expect(calls).toContain(act === release ? 'rename' : 'link');
    for (const at of calls.keys()) {
      const where = `after ${calls[at]} (call ${at})`;
      await begin();
      await act(crashing(at)).catch(() => undefined);
      expectKept(where);
      await expectRestored(where);
    }
    expect(git('worktree', 'list', '--porcelain')).toBe(shown);
  }, 240_000);

  test.each([
    { disk: 'a disk', base: alone },
    { disk: 'a disk without hard links', base: withoutLinks('EPERM') },
  ])(
    'loses nothing on a fault at any system call on $disk',
    async ({ base }) => {
      await begin();
      const names = await listCalls((tap) => act(tap), base);
      await expectRestored('rehearsal');
      for (const [at, name] of names.entries())
        for (const fault of FAULTS) {
          if (fault === 'short' && name !== 'write') continue;
          const where = `${fault} at ${name} (call ${at})`;
          await begin();
          const told = await act(failing(at, fault, base)).catch((error: unknown) => error);
          if (Array.isArray(told))
            // A lock that was reported as released is gone.
            for (const tree of TREES)
              if (told.includes(`.claude/worktrees/${tree} fixed`))
                expect([where, existsSync(lockOf(tree))]).toEqual([where, false]);
          expectKept(where);
          await expectRestored(where);
        }
      expect(git('worktree', 'list', '--porcelain')).toBe(shown);
      expect(git('fsck')).toBe('');
    },
    240_000,
  );
});
