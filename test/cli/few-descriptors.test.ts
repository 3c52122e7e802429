/**
 * With too few file descriptors for the programs that it runs, the doctor says that it cannot tell; it does not crash.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, makeTown } from '../support/index.ts';
import { bareEnvironment, COMMAND, documentOf } from './run-cli.ts';

afterEach(cleanUp);

const WORKER = 'gastown/crew/ada';

const COMMANDS: readonly (readonly string[])[] = [
  ['--json'],
  ['locks', '--json'],
  ['preflight', '--json', WORKER],
  ['--fix', '--yes', '--json'],
  ['exec', '--json', WORKER, '--', 'true'],
];

/** Node itself needs 18 and is killed by a signal below that; with about thirty everything works. */
describe.each([19, 20, 21, 22, 24, 28, 32])('the doctor with ulimit -n %i', (limit) => {
  test.each(COMMANDS.map((command) => [command.join(' '), command]))(
    'gives a result or says that it cannot tell: %s',
    (_line, command) => {
      const town = makeTown();
      town.lock(WORKER, { session_id: '' });
      const script = 'ulimit -n "$1"; shift; exec "$@"';
      const argv = ['-c', script, 'sh', String(limit), ...COMMAND, ...command];
      const { status, stdout, stderr } = spawnSync('sh', argv, {
        cwd: town.root,
        env: bareEnvironment(),
        encoding: 'utf8',
      });
      expect(stderr).not.toMatch(/^\s+at /m);
      // It could not tell, or the descriptors sufficed: 0 and 1 if it saw everything.
      expect([0, 1, 21, 22]).toContain(status);
      if (command[0] === 'exec' && status === 0) return;
      const { exitCode, complete } = documentOf<{ exitCode: number; complete?: boolean }>(stdout);
      expect(exitCode).toBe(status);
      if (status === 22 && complete !== undefined) expect(complete).toBe(false);
    },
  );
});
