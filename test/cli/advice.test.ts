/** Advised commands do what the advice says, and `--force` is advised only to a person at a terminal. */
import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { builtInChecks } from '../../checks/index.ts';
import { STATES } from '../../src/core/types/judgement.ts';
import type { Report, ReportFinding } from '../../src/core/types/report.ts';
import {
  cleanUp,
  hasTmux,
  makeTmuxTmpdir,
  makeTown,
  startProcess,
  startTmux,
  type TestTown,
} from '../support/index.ts';
import { bareEnvironment, doctor, doctorInPane, documentOf } from './run-cli.ts';

afterEach(cleanUp);

const ADA = 'gastown/crew/ada';
const HOURS_8 = 8 * 3600;
const whenTmux = hasTmux ? test : test.skip;

describe('the advice to use --force', () => {
  test('appears in no page, report or refusal written to a pipe', () => {
    const town = makeTown({ workers: [ADA, 'gastown/crew/bob', 'gastown/crew/joe'] });
    town.lock(ADA, { hostname: '4e449adbac66' }, { ageSeconds: HOURS_8 });
    town.lock('gastown/crew/bob', { pid: process.pid, acquired_at: new Date().toISOString() });
    town.lock('gastown/crew/joe', 'no record');
    const at = ['--town', town.root];
    const questions = [
      ...[...STATES, ...builtInChecks.map(({ id }) => id), ADA, 'gastown/crew/bob'].flatMap((word) => [
        ['explain', word, ...at],
        ['explain', word, '--json', ...at],
      ]),
      ...[[], ['--json'], ['-v'], ['--fix'], ['--fix', '--json'], ['--format', 'markdown']].map((more) => [
        ...more,
        ...at,
      ]),
      ['preflight', ADA, 'gastown/crew/bob', 'gastown/crew/joe', ...at],
      ['preflight', '--json', ADA, ...at],
    ];
    for (const args of questions) {
      const { stdout, stderr } = doctor(args);
      expect([args, stdout + stderr]).toEqual([args, expect.not.stringContaining('--force')]);
    }
  }, 120_000);

  test('does not appear in an error message written to a pipe', () => {
    const town = makeTown();
    const { stderr, status } = doctor(['--fix', '--force', '--worker', ADA, '--town', town.root]);
    expect(status).toBe(2);
    expect(stderr).not.toMatch(/doctor --fix --force/);
  });

  whenTmux('is shown to a person at a terminal, but not to an agent', async () => {
    const town = makeTown({ workers: [ADA] });
    town.lock(ADA, { hostname: '4e449adbac66' }, { ageSeconds: HOURS_8 });
    const SIZE = { columns: 120, rows: 60 };
    const screen = async (env: Record<string, string>): Promise<string> =>
      (
        await (
          await doctorInPane(['explain', ADA, '--town', town.root], SIZE, { cwd: town.root, env })
        ).ends()
      ).screen;
    expect(await screen({})).toContain('doctor --fix --force --worker gastown/crew/ada');
    for (const name of ['CLAUDECODE', 'CODEX_THREAD_ID', 'CURSOR_AGENT', 'GT_ROLE'])
      expect([name, await screen({ [name]: '1' })]).toEqual([name, expect.not.stringContaining('--force')]);
  });
});

/** Commands that only show something and are not meant to change the verdict. */
const SHOWS =
  /^(ps|ls|diff|git status|git -C \S+ status|doctor (explain|locks)|tmux -S \S+ attach-session)\b/;

const reportOf = (town: TestTown, env: Record<string, string>): Report =>
  documentOf<Report>(doctor(['--json', '--fail-on', 'info'], { cwd: town.root, env }).stdout);

const execute = ([program = '', ...args]: readonly string[], town: TestTown, env: Record<string, string>) => {
  if (program === 'doctor') return doctor(args, { cwd: town.root, env }).status;
  return spawnSync(program, args, { cwd: town.root, env: bareEnvironment(env) }).status;
};

/** Runs the commands that a finding advises: then the finding is gone, or all of them only showed something. */
const follow = (finding: ReportFinding, town: TestTown, env: Record<string, string>): string => {
  const commands = finding.next.map((command) => command.join(' '));
  const showing = commands.filter((command) => SHOWS.test(command));
  for (const command of finding.next) {
    // attach-session does not return; the command after it proves that its target exists.
    if (command.includes('attach-session')) continue;
    expect([command, execute(command, town, env)]).toEqual([command, expect.any(Number)]);
  }
  if (showing.length === commands.length) return 'showed';
  const after = reportOf(town, env).findings;
  expect(after.map(({ check, worker }) => [check, worker])).not.toContainEqual([
    finding.check,
    finding.worker,
  ]);
  return 'changed';
};

describe('each command that a finding advises changes the verdict or only shows something', () => {
  whenTmux(
    'in a town with every kind of finding',
    async () => {
      const tmuxTmpdir = makeTmuxTmpdir();
      const env = { TMUX_TMPDIR: tmuxTmpdir, HOME: tmuxTmpdir };
      const names = ['ada', 'bob', 'eve', 'joe', 'kim', 'zoe'].map((name) => `gastown/crew/${name}`);
      const [stale = '', orphaned = '', foreign = '', invalid = '', idle = '', tracked = ''] = names;
      const town = makeTown({ workers: names });
      const server = await startTmux({ tmuxTmpdir });
      const pane = server.newSession('gt-crew-kim', {
        cwd: town.path(idle),
        command: ['sh', '-c', 'read never; exit'],
      });
      const { pid } = await startProcess('sleep', ['600'], { cwd: town.path(orphaned) });
      const now = new Date().toISOString();
      town.lock(stale, { session_id: '' }, { ageSeconds: HOURS_8 });
      town.lock(orphaned, { pid, acquired_at: now, session_id: 'gt-crew-bob' }, { ageSeconds: HOURS_8 });
      town.lock(foreign, { pid, hostname: '4e449adbac66' }, { ageSeconds: HOURS_8 });
      town.lock(invalid, 'no record', { ageSeconds: HOURS_8 });
      town.lock(idle, { session_id: pane.paneId, acquired_at: now }, { ageSeconds: HOURS_8 });
      town.lock(tracked, { session_id: '', hostname: hostname() }, { ageSeconds: HOURS_8 });
      const git = (...args: string[]) =>
        spawnSync('git', args, { cwd: town.path(tracked), env: bareEnvironment(env) });
      git('init', '-q');
      git('add', '-f', '.runtime/agent.lock');
      town.write('gastown/.gastown/config.json', '{}');

      const { stdout } = doctor(['explain', idle], { cwd: town.root, env });
      expect(stdout).toContain('# gastown/crew/kim: held\n\nThe agent has exited');
      const { findings } = reportOf(town, env);
      const done = new Map(
        findings.map((finding) => [`${finding.check}:${finding.worker}`, follow(finding, town, env)]),
      );
      expect(Object.fromEntries(done)).toMatchObject({
        [`stale-lock:${stale}`]: 'changed',
        [`orphaned-lock:${orphaned}`]: 'showed',
        [`undecided-lock:${foreign}`]: 'showed',
        [`invalid-lock:${invalid}`]: 'changed',
        [`idle-session:${idle}`]: 'changed',
        [`tracked-lock:${tracked}`]: 'changed',
      });
      // The advised --former-host shows the verdict that the configuration would give.
      const asked = doctor(['--json', '--former-host', '4e449adbac66'], { cwd: town.root, env });
      expect(documentOf<Report>(asked.stdout).locks.find(({ worker }) => worker === foreign)?.state).toBe(
        'stale',
      );
    },
    120_000,
  );
});

test('what could not be checked is looked at again where this command line looked', () => {
  const town = makeTown();
  const nextOf = (...args: string[]): string | undefined =>
    doctor([...args, '--town', town.root])
      .stdout.split('\n')
      .filter((line) => line.startsWith('next '))
      .at(-1);
  expect(nextOf('--lease', 'etcd://127.0.0.1:1/gt')).toBe(
    `next doctor -v --lease etcd://127.0.0.1:1/gt --town ${town.root}`,
  );
  expect(nextOf('--on', 'env false')).toBe(`next doctor -v --on 'env false' --town ${town.root}`);
});
