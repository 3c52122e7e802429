/** An agent that repairs its own town (a patrol) must not take its own lock for a stale one. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect } from '@jest/globals';
import { buildSync } from 'esbuild';
import type { Report } from '../../src/core/types/report.ts';
import { cleanUp, onCleanUp } from '../support/index.ts';
import { ADA, BOB, hostTest, setStage } from './stage.ts';

afterEach(cleanUp);

/** A shell with an agent's name, and a script for it that calls the library's `heal`. */
const makeAgent = (name = 'claude'): { readonly shell: string; readonly script: string } => {
  const home = mkdtempSync(join(tmpdir(), 'agent-'));
  onCleanUp(() => rmSync(home, { recursive: true, force: true }));
  const [shell, script] = [join(home, name), join(home, 'heal.mjs')];
  copyFileSync(realpathSync('/bin/sh'), shell);
  chmodSync(shell, 0o755);
  buildSync({
    stdin: {
      contents:
        "import { heal } from './src/heal.ts';\n" +
        'const [, , town, options] = process.argv;\n' +
        'process.stdout.write(JSON.stringify(await heal(town, JSON.parse(options))));',
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    define: { LOCK_DOCTOR_VERSION: '"test"' },
    outfile: script,
    logLevel: 'silent',
    banner: {
      js: "import { createRequire as $cr } from 'node:module'; const require = $cr(import.meta.url);",
    },
  });
  return { shell, script };
};

hostTest(
  "an agent's repair releases the stale locks of others and keeps its own, with the reason, unless forced",
  () => {
    const { town, env } = setStage();
    const [own, others] = [town.lock(ADA), town.lock(BOB, { session_id: 'gone' })];
    const { shell, script } = makeAgent();
    const repair = (options: object): Report => {
      const args = [process.execPath, script, town.root, JSON.stringify({ env, cwd: '/', ...options })];
      const { stdout } = spawnSync(shell, ['-c', '"$@"; exit $?', 'claude', ...args], {
        cwd: town.path(ADA),
        env,
        encoding: 'utf8',
      });
      return JSON.parse(stdout);
    };
    const report = repair({});
    expect([existsSync(own), existsSync(others)]).toEqual([true, false]);
    expect(report.findings.find(({ worker }) => worker === ADA)?.fix).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('works there itself'),
    });
    repair({ force: true, workers: [ADA] });
    expect(existsSync(own)).toBe(false);
  },
);

hostTest.each(['claude', 'new-agent'])('a dry run by %s predicts what its repair does', (name) => {
  const { town, env } = setStage();
  const own = town.lock(ADA);
  town.lock(BOB, { session_id: 'gone' });
  const { shell, script } = makeAgent(name);
  const repair = (options: object): Report => {
    const args = [process.execPath, script, town.root, JSON.stringify({ env, cwd: '/', ...options })];
    const { stdout } = spawnSync(shell, ['-c', '"$@"; exit $?', name, ...args], {
      cwd: town.path(ADA),
      env,
      encoding: 'utf8',
    });
    return JSON.parse(stdout);
  };
  const fixOf = (report: Report, worker: string) =>
    report.findings.find((finding) => finding.worker === worker && finding.fix?.action === 'release')?.fix;
  const left = {
    status: 'skipped',
    reason: expect.stringMatching(/works there itself; run it from another/),
  };
  const planned = repair({ dryRun: true });
  expect(planned.summary).toMatchObject({ fixable: 1 });
  expect([fixOf(planned, ADA), fixOf(planned, BOB)]).toMatchObject([left, { status: 'planned' }]);
  const done = repair({});
  expect([fixOf(done, ADA), fixOf(done, BOB)]).toMatchObject([left, { status: 'fixed' }]);
  expect(existsSync(own)).toBe(true);
});

hostTest("an unknown program that repairs from a worker's directory is named, with advice", () => {
  const { town, env } = setStage();
  const own = town.lock(ADA);
  const { shell, script } = makeAgent('new-agent');
  const args = [process.execPath, script, town.root, JSON.stringify({ env, cwd: '/' })];
  const { stdout } = spawnSync(shell, ['-c', '"$@"; exit $?', 'new-agent', ...args], {
    cwd: town.path(ADA),
    env,
    encoding: 'utf8',
  });
  const report: Report = JSON.parse(stdout);
  expect(existsSync(own)).toBe(true);
  const finding = report.findings.find(({ worker }) => worker === ADA);
  expect(finding?.next).toEqual([['doctor', '--fix', '--worker', ADA, '--town', town.root]]);
  expect(finding?.fix).toMatchObject({
    status: 'skipped',
    reason: expect.stringMatching(
      /^new-agent \(process \d+\), which runs this command, works there itself; run it from another directory$/,
    ),
  });
});
