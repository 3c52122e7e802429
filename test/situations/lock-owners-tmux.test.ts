/** Agents often run as another user than the owner of the town: the tmux servers of lock owners count too. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { canBecomeOthers, cleanUp, hasTmux, OTHER_UID, onCleanUp, sleeperNamed } from '../support/index.ts';
import { ADA, setStage } from './stage.ts';

afterEach(cleanUp);

const rootTest = canBecomeOthers && hasTmux ? test : test.skip;

describe("root's doctor in root's town, where agents of another user work (skipped without root or tmux)", () => {
  rootTest("asks the tmux servers of a lock file's owner → held", async () => {
    const { town, tmuxTmpdir, judge, ask } = setStage();
    for (const directory of [tmuxTmpdir, town.root]) chmodSync(directory, 0o755);
    const sockets = join(tmuxTmpdir, `tmux-${OTHER_UID}`);
    mkdirSync(sockets, { mode: 0o700 });
    chownSync(sockets, OTHER_UID, OTHER_UID);
    const tmux = (...args: string[]): string =>
      execFileSync('tmux', ['-f', '/dev/null', '-S', join(sockets, 'default'), ...args], {
        uid: OTHER_UID,
        gid: OTHER_UID,
        cwd: '/',
        env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
        encoding: 'utf8',
      }).trim();
    const start = ['new-session', '-d', '-s', 'work', '-c', town.path(ADA), '-P', '-F', '#{pid} #{pane_id}'];
    const [pid = '', pane = ''] = tmux(...start, sleeperNamed('unheard-of'), '600').split(' ');
    onCleanUp(() => void process.kill(Number(pid), 'SIGKILL'));
    const lock = town.lock(ADA, { session_id: pane, acquired_at: new Date().toISOString() });
    chownSync(lock, OTHER_UID, OTHER_UID);
    expect(await judge()).toMatchObject({ state: 'held', holder: { session: 'live' } });
    expect((await ask()).exitCode).toBe(20);
  });
});
