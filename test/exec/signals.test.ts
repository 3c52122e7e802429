/**
 * Signals to `exec`, and what becomes of its command.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, makeTown, until } from '../support/index.ts';
import { buildCli } from './built-cli.ts';
import { ADA, startLasting } from './lasting.ts';

const cli = buildCli();
const PASSED = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

afterAll(cli.remove);

describe('a signal to the doctor without a terminal', () => {
  afterEach(cleanUp);

  // Detached, so that the terminal of the person who runs the tests is not that of the doctor.
  const options = { detached: true };

  test.each(PASSED)(
    '%s reaches the command once, and the exit code is what the command makes of it',
    async (signal) => {
      const town = makeTown();
      const first = `trap 'echo got' ${signal.slice(3)}`;
      const running = await startLasting(cli, town, 'while :; do sleep 0.05; done', { ...options, first });
      running.child.kill(signal);
      await until(() => running.said().includes('got'), `${signal} in the command`);
      expect(readdirSync(town.path(ADA, '.runtime'))).toContain('agent.lock');
      process.kill(running.commandPid, 'SIGKILL');
      const { code, stdout } = await running.ended;
      expect(code).toBe(137);
      expect(stdout.match(/got/g)).toHaveLength(1);
    },
  );

  test.each(PASSED)('%s that ends the command gives 128+n, and the lock is released', async (signal) => {
    const town = makeTown();
    const running = await startLasting(cli, town, 'exec sleep 600', options);
    running.child.kill(signal);
    expect((await running.ended).code).toBe(128 + constants.signals[signal]);
    expect(readdirSync(town.path(ADA, '.runtime')).sort()).toEqual(['.gitignore', 'agent.lock.flock']);
  });

  test('ends the doctor while it only waits for a worker', async () => {
    const town = makeTown();
    await startLasting(cli, town, 'exec sleep 600', options);
    const waiting = cli.start(['exec', '--town', town.root, '--wait', '600', ADA, '--', 'true'], options);
    // A later run has waited for its time, so the first one is waiting by now.
    const briefly = ['exec', '--town', town.root, '--wait', '0.5', ADA, '--', 'true'];
    expect((await cli.run(briefly, options)).code).toBe(20);
    expect(waiting.isOver()).toBe(false);
    waiting.child.kill('SIGTERM');
    expect((await waiting.ended).signal ?? 'SIGTERM').toBe('SIGTERM');
    expect(readdirSync(town.path(ADA, '.runtime'))).toContain('agent.lock');
  });
});
