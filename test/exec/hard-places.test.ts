import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, makeTown, type TestTown } from '../support/index.ts';
import { buildCli } from './built-cli.ts';
import { ADA } from './lasting.ts';

const cli = buildCli();
const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0;
const needsMounts = canMount ? describe : describe.skip;

/** Runs the doctor in its own mount namespace, after a script has prepared it. */
const execAfter = (town: TestTown, prepare: string, command: readonly string[]) => {
  const line = [...cli.command, 'exec', '--town', town.root, ADA, '--', ...command];
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    [
      '-m',
      'sh',
      '-c',
      `set -e; chown -R "$USER" "$TOWN"; chmod 755 "$TOWN"; ${prepare}\nexec setpriv --reuid="$USER" --clear-groups "$@"`,
      'sh',
      ...line,
    ],
    {
      encoding: 'utf8',
      timeout: 100_000,
      env: {
        PATH: process.env.PATH,
        TMUX_TMPDIR: '/nonexistent',
        WORKER: town.path(ADA),
        TOWN: town.root,
        USER: String(cli.user.uid ?? 0),
      },
    },
  );
  return { code: status, stdout, stderr };
};

/** Hides every program that can flock behind a file that cannot be executed. */
const WITHOUT_TOOLS = `
for directory in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin; do
  for name in flock busybox perl; do
    if [ -e "$directory/$name" ]; then mount --bind /dev/null "$directory/$name"; fi
  done
done`;

/** A disk without space for a new file. */
const FULL_DISK = `
mkdir "$WORKER/.runtime"
mount -t tmpfs -o size=4k,nr_inodes=2,mode=777 none "$WORKER/.runtime"
: > "$WORKER/.runtime/agent.lock.flock"`;

afterAll(cli.remove);

needsMounts('exec in adverse conditions (skipped without permission to mount)', () => {
  afterEach(cleanUp);

  test('runs nothing without a program that can flock, and says what to install', () => {
    const town = makeTown({ marked: false });
    const { code, stdout, stderr } = execAfter(town, WITHOUT_TOOLS, ['touch', town.path('it-ran')]);
    expect({ code, stdout }).toEqual({ code: 22, stdout: '' });
    expect(stderr).toMatch(/cannot be guarded: .*Install flock/);
    expect(existsSync(town.path('it-ran'))).toBe(false);
    expect(existsSync(town.path(ADA, '.runtime/agent.lock'))).toBe(false);
    expect(execAfter(town, ':', ['true'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('runs nothing on a full disk, and says why', () => {
    const town = makeTown({ marked: false });
    const { code, stdout, stderr } = execAfter(town, FULL_DISK, ['touch', town.path('it-ran')]);
    expect({ code, stdout }).toEqual({ code: 22, stdout: '' });
    expect(stderr).toMatch(/no space left|ENOSPC/i);
    expect(existsSync(town.path('it-ran'))).toBe(false);
  });

  test('runs nothing on a read-only disk, and says why', () => {
    const town = makeTown({ marked: false });
    const prepare = 'mount --bind "$WORKER" "$WORKER"; mount -o remount,ro,bind "$WORKER"';
    const { code, stderr } = execAfter(town, prepare, ['touch', town.path('it-ran')]);
    expect(code).toBe(22);
    expect(stderr).toMatch(/read-only|EROFS/i);
    expect(existsSync(town.path('it-ran'))).toBe(false);
  });
});
