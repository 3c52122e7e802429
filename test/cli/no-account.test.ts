/** A user without an account and without `$HOME`, as in containers and services: every command works. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import { canBecomeOthers, cleanUp, makeTown } from '../support/index.ts';
import { bareEnvironment, COMMAND } from './run-cli.ts';

afterEach(cleanUp);

const ADA = 'gastown/crew/ada';
const NOBODY_KNOWN = 54_321;

const asRoot = canBecomeOthers ? test : test.skip;

const townOfNobodyKnown = () => {
  const town = makeTown();
  town.lock(ADA);
  const TMUX_TMPDIR = town.worker('tmux');
  execFileSync('chown', ['-R', `${NOBODY_KNOWN}:${NOBODY_KNOWN}`, town.root]);
  const [file, ...words] = COMMAND;
  const run = (args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(file, [...words, ...args], {
      uid: NOBODY_KNOWN,
      gid: NOBODY_KNOWN,
      cwd: town.root,
      env: bareEnvironment({ HOME: undefined, SHELL: '/bin/bash', TMUX_TMPDIR }),
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, stdout, stderr };
  };
  return { town, run };
};

asRoot(
  'without an account and without $HOME, a lock is released, restored and taken over (skipped without root)',
  () => {
    const { town, run } = townOfNobodyKnown();
    expect(run(['--fix', '--yes'])).toMatchObject({ status: 0, stderr: '' });
    const log = run(['log']);
    expect(log).toMatchObject({ status: 0, stderr: '' });
    expect(log.stdout).toMatch(/ released gastown\/crew\/ada: .*; by user 54321 on /);
    expect(run(['undo'])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^restored gastown\/crew\/ada /),
    });
    expect(run(['exec', ADA, '--', 'true'])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(run(['log']).stdout).toMatch(/ taken over gastown\/crew\/ada: /);
    expect(readdirSync(town.path('.runtime/lock-doctor'))).toContain('journal.jsonl');
  },
);

asRoot('`doctor init` shows its parts, and says which need a home directory (skipped without root)', () => {
  const { run } = townOfNobodyKnown();
  const shown = run(['init']);
  expect(shown).toMatchObject({ status: 0, stderr: '' });
  expect(shown.stdout).toMatch(/^completion: .*\n {2}You have no home directory: set HOME to one\.$/m);
  expect(run(['init', '--write', 'config,completion']).stdout).toMatch(/lock-doctor\.json written$/m);
});
