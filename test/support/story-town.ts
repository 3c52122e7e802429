import { execFileSync, spawnSync } from 'node:child_process';
import { symlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fakeAgent, sleeperNamed } from './processes.ts';
import { startOf } from './tested-program.ts';
import { startTmux, type TestTmux } from './tmux.ts';
import { makeTown, type TestTown } from './town.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

export interface StoryTown {
  readonly town: TestTown;
  readonly tmux: TestTmux;
}

/**
 * The town in README and docs: ada works behind a live lock, bob's agent died, max's lock was torn, zoe's agent outlived its
 * terminal, eve's lock is from another machine, and new is free. Needs tmux.
 */
export const makeStoryTown = async (): Promise<StoryTown> => {
  const workers = ['ada', 'bob', 'eve', 'new', 'zoe'].map((name) => `gastown/crew/${name}`);
  const town = makeTown({ workers: [...workers, 'gastown/polecats/max/gastown'] });
  town.write('.gitignore', '.runtime/\n');
  const tmux = await startTmux();
  // Most locks are written by a helper that has exited by now, even in a healthy town.
  const helper = spawnSync('true').pid;
  const pane = tmux.newSession('gt-crew-ada', {
    cwd: town.path('gastown/crew/ada'),
    env: { GT_ROLE: 'gastown/crew/ada' },
    command: [sleeperNamed('claude'), '600'],
  });
  town.lock('gastown/crew/ada', { pid: helper, session_id: pane.paneId }, { ageSeconds: 0 });
  town.lock('gastown/crew/bob', { pid: helper, session_id: '%4196' }, { ageSeconds: 8 * 3600 });
  town.lock(
    'gastown/crew/eve',
    { pid: 3681378, session_id: '%12', hostname: '4e449adbac66' },
    { ageSeconds: 3 * 86_400 },
  );
  const orphan = await fakeAgent('claude', { cwd: town.path('gastown/crew/zoe') });
  town.lock('gastown/crew/zoe', { pid: orphan.pid, session_id: 'gt-crew-zoe' }, { ageSeconds: 120 });
  town.lock('gastown/polecats/max/gastown', '{"pid": 28', { ageSeconds: 3600 });
  addProgram(town);
  return { town, tmux };
};

/** Puts the program into the PATH of the town. */
const addProgram = (town: TestTown): void => {
  town.worker('.bin');
  symlinkSync(startOf(join(REPOSITORY, 'dist/bin/doctor.js')).at(-1) ?? '', town.path('.bin/doctor'));
};

/**
 * The repository in README, without a Gas Town: one of three worktrees is locked by a dead agent, two agents work in another,
 * and one is free. Needs tmux.
 */
export const makeStoryWorktrees = async (): Promise<StoryTown> => {
  const town = makeTown({ marked: false });
  const git = (...args: readonly string[]): void => {
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      cwd: town.root,
      stdio: 'ignore',
    });
  };
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'Begin');
  const trees = '.claude/worktrees';
  for (const name of ['docs', 'login', 'search']) git('worktree', 'add', '-q', `${trees}/${name}`);
  const reason = `claude agent agent-7f3c (pid ${spawnSync('true').pid})`;
  git('worktree', 'lock', '--reason', reason, `${trees}/login`);
  const then = Date.now() / 1000 - 8 * 3600;
  utimesSync(town.path('.git/worktrees/login/locked'), then, then);
  const tmux = await startTmux();
  for (const session of ['search', 'search-too'])
    tmux.newSession(session, { cwd: town.path(`${trees}/search`), command: [sleeperNamed('claude'), '600'] });
  addProgram(town);
  return { town, tmux };
};
