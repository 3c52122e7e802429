/** A repository created by git as a root, and functions that examine its locks. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from '@jest/globals';
import type { Report, ReportLock } from '../../src/core/types/report.ts';
import { makeTmuxTmpdir, makeTown } from '../support/index.ts';
import { bareEnvironment, hostTest } from './stage.ts';
import { examine } from './undisturbed.ts';

export const GIT_ENV = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
};

export const git = (cwd: string, ...args: readonly string[]): string =>
  execFileSync('git', args, { cwd, env: GIT_ENV, encoding: 'utf8', stdio: 'pipe' });

const hasGit = spawnSync('git', ['--version']).status === 0;
export const gitTest = hasGit ? hostTest : test.skip;

export interface Repository {
  readonly root: string;
  readonly env: Record<string, string>;
  /** Creates a worktree that was locked with this reason some time ago; returns its absolute path. */
  readonly worktree: (name: string, reason?: string) => string;
  readonly look: () => Promise<Report>;
  /** The lock of a worktree. */
  readonly lockOf: (worker: string) => Promise<ReportLock>;
}

const MINUTES_AGO = 10 * 60;

export const aged = (path: string, seconds = MINUTES_AGO): void => {
  const then = Date.now() / 1000 - seconds;
  utimesSync(path, then, then);
};

export const makeRepository = (): Repository => {
  const town = makeTown({ marked: false, workers: [], rigs: {} });
  const root = town.path('main');
  mkdirSync(root);
  git(root, 'init', '-q', '-b', 'main');
  writeFileSync(join(root, 'file'), 'text\n');
  git(root, 'add', '.');
  git(root, 'commit', '-q', '-m', 'first');
  const env = bareEnvironment(makeTmuxTmpdir());
  const look = (): Promise<Report> => examine(root, { env });
  return {
    root,
    env,
    worktree: (path, reason) => {
      git(root, 'worktree', 'add', '-q', '--detach', path);
      if (reason !== undefined) git(root, 'worktree', 'lock', '--reason', reason, path);
      const name = path.split('/').at(-1) ?? '';
      if (reason !== undefined) aged(join(root, '.git/worktrees', name, 'locked'));
      return join(root, path);
    },
    look,
    lockOf: async (worker) => {
      const { locks } = await look();
      const lock = locks.find((each) => each.worker === worker && each.kind === 'git-worktree');
      if (lock === undefined) throw new Error(`no lock of ${worker} among ${locks.map(({ id }) => id)}`);
      return lock;
    },
  };
};
