/** A doctor inside a sandbox, with a lock holder outside: a process that is missing there is not gone. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
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

  const inside = (...args: readonly string[]) =>
    spawnSync('unshare', ['-pf', '--mount-proc', ...cli.command, ...args], {
      encoding: 'utf8',
      timeout: 100_000,
      env: { PATH: process.env.PATH },
    });

  linuxTest(
    'an agent outside, which cannot be seen, keeps its place → unsure, and exec starts nothing',
    async () => {
      const { town } = setStage();
      await fakeAgent('claude', { cwd: town.path(ADA) });
      const place = ['--town', town.root, ADA];
      expect(inside('preflight', ...place)).toMatchObject({
        status: 22,
        stdout: expect.stringContaining('processes outside of this sandbox cannot be seen'),
      });
      expect(inside('exec', ...place, '--', 'echo', 'beside')).toMatchObject({ status: 22, stdout: '' });
    },
  );

  linuxTest('locks that name nobody are not released: an agent outside may have written them', () => {
    const { town } = setStage();
    const paths = [
      town.lock(ADA, { pid: 0, session_id: '' }),
      town.lock(BOB, { hostname: 'gone', session_id: '' }),
      town.lock('gastown/crew/zoe', 'garbage'),
    ];
    const options = ['--fix', '--yes', '--json', '--former-host', 'gone', '--town', town.root];
    const report = JSON.parse(inside(...options).stdout);
    expect(report).toMatchObject({ exitCode: 1, summary: { fixed: 0, fixable: 0, unknown: 2, invalid: 1 } });
    expect(paths.every((path) => existsSync(path))).toBe(true);
  });
});
