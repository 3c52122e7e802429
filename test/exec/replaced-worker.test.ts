/** A worker that is replaced by a symlink while `exec` starts: neither the lock nor the command follows it. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { standsElsewhere } from '../../src/exec/gate.ts';
import { cleanUp, makeTown, onCleanUp, until } from '../support/index.ts';
import { buildCli } from './built-cli.ts';
import { ADA } from './lasting.ts';

const cli = buildCli();
const linuxTest = process.platform === 'linux' ? test : test.skip;

afterEach(cleanUp);
afterAll(cli.remove);

test('exec takes no lock and runs nothing behind a symlink in place of the worker', async () => {
  const town = makeTown({ marked: false });
  const victim = town.path('victim');
  mkdirSync(victim);
  const socket = town.path('socket');
  const server = createServer().listen(socket);
  onCleanUp(() => void server.close());
  // Runs between the look and the lock: the moment that an attacker would wait for.
  const tmux = town.write(
    'bin/tmux',
    `#!/bin/sh
[ -h '${town.path(ADA)}' ] || { mv '${town.path(ADA)}' '${town.path('real')}'; ln -s '${victim}' '${town.path(ADA)}'; }
echo 'no server running on ${socket}' >&2
exit 1
`,
  );
  chmodSync(tmux, 0o755);
  const run = await cli.run(
    ['exec', '--town', town.root, '--socket', socket, ADA, '--', 'touch', 'ran'],
    // As ourselves: the town and its servers are ours.
    { env: { PATH: `${join(tmux, '..')}:${process.env.PATH}` } },
  );
  expect(readdirSync(victim)).toEqual([]);
  expect(run).toMatchObject({ code: 22, stderr: expect.stringContaining('was replaced by something else') });
});

linuxTest('a process that reached its directory through a symlink is recognized', async () => {
  const town = makeTown({ marked: false });
  symlinkSync(town.path(ADA), town.path('link'));
  const child = spawn('sleep', ['600'], { cwd: town.path('link'), stdio: 'ignore' });
  onCleanUp(() => void child.kill('SIGKILL'));
  await until(() => child.pid !== undefined, 'a process');
  expect(standsElsewhere(child.pid ?? 0, town.path('link'))).toBe(true);
  expect(standsElsewhere(child.pid ?? 0, town.path(ADA))).toBe(false);
});
