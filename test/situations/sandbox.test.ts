/** A doctor inside a sandbox, with a lock holder outside: a process that is missing there is not gone. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect } from '@jest/globals';
import { buildCli } from '../exec/built-cli.ts';
import { cleanUp, fakeAgent, hasTmux, makeTmuxTmpdir } from '../support/index.ts';
import { ADA, BOB, linuxTest, lockOf, NO_PANE, setStage } from './stage.ts';

afterEach(cleanUp);

const canUnshare =
  hasTmux && spawnSync('unshare', ['-pf', '--mount-proc', 'true'], { stdio: 'ignore' }).status === 0;

(canUnshare ? describe : describe.skip)('in a sandbox (skipped without unshare, root and tmux)', () => {
  const cli = buildCli();
  afterAll(() => cli.remove());

  linuxTest('a tmux server of the town inside proves no death outside → unknown', async () => {
    const { town } = setStage();
    const { pid } = await fakeAgent('claude', { cwd: '/' });
    town.lock(ADA, { pid, session_id: NO_PANE });
    const tmux = `tmux -f /dev/null -S '${join(makeTmuxTmpdir(), 'inside')}'`;
    const script = `
      ${tmux} new-session -d -s mine -c '${town.path(BOB)}' 'exec sleep 60'
      "$@"
      code=$?
      ${tmux} kill-server
      exit $code`;
    const doctor = [...cli.command, '--fix', '--yes', '--json', '--town', town.root];
    // Its process 1 ends with the script, and everything inside ends with that.
    const { stdout } = spawnSync('unshare', ['-pf', '--mount-proc', 'sh', '-c', script, 'sh', ...doctor], {
      encoding: 'utf8',
      timeout: 100_000,
      env: { PATH: process.env.PATH },
    });
    const report = JSON.parse(stdout);
    expect(lockOf(report, ADA)).toMatchObject({ state: 'unknown', holder: { process: 'unknown' } });
    expect(report.summary).toMatchObject({ fixed: 0, fixable: 0 });
  });
});
