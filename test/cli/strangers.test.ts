/** What another user of the machine can make a doctor do: nothing. Each of these attacks worked once. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  canBecomeOthers,
  cleanUp,
  hasTmux,
  makeTown,
  OTHER_UID,
  onCleanUp,
  startTmux,
  type TestTmux,
  type TestTown,
} from '../support/index.ts';
import { bareEnvironment, doctor, PROGRAM } from './run-cli.ts';

afterEach(cleanUp);

const ADA = 'gastown/crew/ada';

/** An account that every system has; tmux lets others in by name only. */
const DAEMON = 1;

/** Skipped, and said so, where these tests may not start processes as others. */
const asRootWithTmux = canBecomeOthers && hasTmux ? test : test.skip;

/** Every way to ask about Ada, and to act on her lock. */
const WAYS: readonly (readonly string[])[] = [
  [],
  ['locks'],
  ['explain', ADA],
  ['preflight', ADA],
  ['exec', ADA, '--', 'true'],
  ['--fix', '--dry-run'],
  ['--fix', '--yes'],
  ['undo'],
];

/** A directory of one user that nobody else can look into. */
const privateDirectory = (uid: number): string => {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'private-')));
  onCleanUp(() => rmSync(path, { recursive: true, force: true }));
  chownSync(path, uid, -1);
  return path;
};

/** A server of that user whose answer to every question is to have the client write a file. */
const hostileServer = async (uid: number, target: string): Promise<TestTmux> => {
  const server = await startTmux({ uid });
  server.newSession('main', { cwd: '/' });
  server.tmux('set-buffer', '-b', 'b0', 'from the attacker');
  const write = `save-buffer -b b0 ${join(target, 'written')}`;
  for (const [at, name] of ['list-sessions', 'list-panes', 'show-environment', 'display-message'].entries())
    server.tmux('set-option', '-s', `command-alias[${50 + at}]`, `${name}=${write} ; ${name}`);
  return server;
};

const ask = (town: TestTown, tmuxTmpdir: string, more: readonly string[] = []) =>
  WAYS.map((way) => {
    const place =
      way[0] === 'exec'
        ? ['exec', '--town', town.root, ...more, ...way.slice(1)]
        : [...way, '--town', town.root, ...more];
    return doctor(place, { env: { TMUX_TMPDIR: tmuxTmpdir } });
  });

describe("another user's tmux server (skipped without root and tmux)", () => {
  asRootWithTmux('cannot make root write, where its owner owns a lock of the town', async () => {
    const target = privateDirectory(0);
    const { tmuxTmpdir } = await hostileServer(OTHER_UID, target);
    const town = makeTown({ workers: [ADA] });
    chmodSync(town.root, 0o755);
    const lock = town.lock(ADA, { session_id: '%0' });
    chownSync(lock, OTHER_UID, OTHER_UID);
    ask(town, tmuxTmpdir);
    expect(readdirSync(target)).toEqual([]);
  });

  asRootWithTmux('cannot make root write, where its owner owns the town', async () => {
    const target = privateDirectory(0);
    const { tmuxTmpdir } = await hostileServer(OTHER_UID, target);
    const town = makeTown({ workers: [ADA] });
    town.lock(ADA, { session_id: '%0' });
    execFileSync('chown', ['-R', `${OTHER_UID}`, town.root]);
    ask(town, tmuxTmpdir);
    expect(readdirSync(target)).toEqual([]);
  });

  asRootWithTmux('is not asked by root, though it is named, where its owner owns nothing there', async () => {
    const target = privateDirectory(0);
    const server = await hostileServer(OTHER_UID, target);
    const town = makeTown({ workers: [ADA] });
    town.lock(ADA, { session_id: '%0' });
    const answers = ask(town, server.tmuxTmpdir, ['--socket', server.socket]);
    expect(readdirSync(target)).toEqual([]);
    expect(answers[0]?.stdout).toContain(`belongs to user ${OTHER_UID}`);
    // preflight and exec.
    expect(answers.slice(3, 5).map(({ status }) => status)).toEqual([22, 22]);
  });

  asRootWithTmux('is not asked by an ordinary user, though it lets everybody in', async () => {
    const target = privateDirectory(DAEMON);
    const server = await hostileServer(OTHER_UID, target);
    chmodSync(join(server.tmuxTmpdir, `tmux-${OTHER_UID}`), 0o755);
    chmodSync(server.socket, 0o777);
    spawnSync('tmux', ['-S', server.socket, 'server-access', '-a', 'daemon'], { uid: OTHER_UID });
    const town = makeTown({ workers: [ADA] });
    chmodSync(town.root, 0o755);
    const lock = town.lock(ADA, { session_id: '%0' });
    chownSync(lock, OTHER_UID, -1);
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [PROGRAM, ...args], {
        ...{ uid: DAEMON, gid: DAEMON, cwd: '/', encoding: 'utf8' },
        env: bareEnvironment({ TMUX_TMPDIR: server.tmuxTmpdir }),
      });
    for (const way of WAYS.slice(0, 4)) run(...way, '--town', town.root);
    const { stdout, status } = run('preflight', ADA, '--town', town.root, '--json');
    expect(readdirSync(target)).toEqual([]);
    expect(stdout).toContain(`belongs to user ${OTHER_UID}: not asked`);
    expect(status).toBe(22);
  });

  asRootWithTmux(
    'cannot take the place of another socket in a directory that others can write to',
    async () => {
      const target = privateDirectory(0);
      const server = await hostileServer(0, target);
      chmodSync(join(server.tmuxTmpdir, 'tmux-0'), 0o777);
      const town = makeTown({ workers: [ADA] });
      town.lock(ADA, { session_id: '%0' });
      const { stdout, status } = doctor(['preflight', ADA, '--town', town.root, '--json'], {
        env: { TMUX_TMPDIR: server.tmuxTmpdir },
      });
      expect(readdirSync(target)).toEqual([]);
      expect(stdout).toContain('everybody can write to');
      expect(status).toBe(22);
    },
  );
});
