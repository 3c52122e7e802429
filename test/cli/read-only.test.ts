/** A town on a disk that can only be read. */
import { spawnSync } from 'node:child_process';
import { afterEach, expect, test } from '@jest/globals';
import { cleanUp, makeTown } from '../support/index.ts';
import { bareEnvironment, COMMAND } from './run-cli.ts';

afterEach(cleanUp);

const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;

(canMount ? test : test.skip)(
  `--fix says why nothing is released, and does not advise itself again${canMount ? '' : ' (skipped without permission to mount)'}`,
  () => {
    const town = makeTown();
    const path = town.lock('gastown/crew/ada', { session_id: '' });
    const script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"';
    const command = [...COMMAND, '--fix', '--yes', '--town', town.root];
    const { stdout, status } = spawnSync('unshare', ['-m', 'sh', '-c', script, town.root, ...command], {
      cwd: '/',
      env: bareEnvironment(),
      encoding: 'utf8',
    });
    expect(stdout).toContain('(EROFS)');
    expect(stdout).toContain('mount it so that it can be written');
    expect(stdout).toContain(`next df ${path}`);
    expect(stdout).not.toContain('next doctor --fix');
    expect(status).toBe(1);
  },
);
