/**
 * Completions, as the shells read them.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { COMMAND_TABLE, OPTIONS } from '../../src/cli/arguments/options.ts';
import { gitTest, makeRepository } from '../situations/repository.ts';
import { cleanUp, makeTown, type TestTown } from '../support/index.ts';
import { bareEnvironment, COMMAND, doctor } from './run-cli.ts';

afterEach(cleanUp);

const town = (): TestTown => {
  const made = makeTown({ workers: ['gastown/crew/ada', 'gastown/crew/bob', 'gastown/polecats/max'] });
  made.worker('bin');
  symlinkSync(COMMAND.at(-1) ?? '', made.path('bin/doctor'));
  return made;
};

/** The completions that bash offers for the last of these words. */
const completedByBash = (made: TestTown, ...words: string[]): readonly string[] => {
  const script = `
    PATH="$1:$PATH"; shift
    source <(doctor completion bash)
    COMP_WORDS=(doctor "$@"); COMP_CWORD=$#
    _doctor
    ((\${#COMPREPLY[@]})) && printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', made.path('bin'), ...words], {
    cwd: made.root,
    env: bareEnvironment(),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return stdout
    .split('\n')
    .filter((word) => word !== '')
    .sort();
};

describe('completion in bash', () => {
  test.each([
    [['pre'], ['preflight']],
    [['--dr'], ['--dry-run']],
    [['locks', '--st'], ['--state']],
    [['locks', '--state', 'st'], ['stale']],
    [['--only', 'stale'], ['stale-lock']],
    [['--format', 'm'], ['markdown']],
    [
      ['--fix', '--worker', 'gastown/crew/'],
      ['gastown/crew/ada', 'gastown/crew/bob'],
    ],
    [['preflight', 'gastown/p'], ['gastown/polecats/max']],
    [
      ['explain', 'orphaned'],
      ['orphaned', 'orphaned-lock'],
    ],
    [['completion', 'z'], ['zsh']],
    [['completion', 'w'], []],
    [['log', '--ev'], ['--event']],
    [['checks', '--w'], []],
  ])('%j completes to %j', (words, expected) => {
    expect(completedByBash(town(), ...words)).toEqual(expected);
  });

  test('undo completes to the releases that it can restore, and their runs', () => {
    const made = town();
    made.lock('gastown/crew/ada', '');
    doctor(['--fix'], { cwd: made.root });
    const [id = ''] = completedByBash(made, 'undo', '').slice(1);
    expect(id).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]{6}-1$/);
    expect(completedByBash(made, 'undo', '')).toEqual([id.slice(0, -2), id]);
    doctor(['undo'], { cwd: made.root });
    expect(completedByBash(made, 'undo', '')).toEqual([]);
  });

  gitTest('in a repository, completes to its working trees', () => {
    const made = makeRepository();
    for (const path of ['.claude/worktrees/login', '../feature-1']) made.worktree(path);
    const { stdout } = doctor(['completion', 'workers'], { cwd: made.root });
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(['.claude/worktrees/login', '../feature-1']));
  });

  test('completes to the workers of the town that --town names', () => {
    const other = makeTown({ workers: ['rig/crew/zoe'], rigs: { rig: 'r' } });
    expect(completedByBash(town(), '--town', other.root, '-w', 'rig/')).toEqual(['rig/crew/zoe']);
  });
});

describe.each([
  ['bash', ['-n']],
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
])('the completion script for %s', (shell, check) => {
  const installed = spawnSync(shell, ['--version']).status === 0;
  const whenInstalled = installed ? test : test.skip;

  whenInstalled(`is accepted by ${shell} (skipped if ${shell} is not installed)`, () => {
    const { stdout } = doctor(['completion', shell]);
    const file = makeTown().write(`doctor.${shell}`, stdout);
    const { status, stderr } = spawnSync(shell, [...check, file], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('names every command and option', () => {
    const { stdout } = doctor(['completion', shell]);
    for (const { name } of [...COMMAND_TABLE, ...OPTIONS]) expect(stdout).toContain(name);
  });
});
