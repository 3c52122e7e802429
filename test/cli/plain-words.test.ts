/** `explain` knows every word that a report prints; a worker of that name comes first. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SEVERITIES } from '../../src/core/types/check.ts';
import { EVENTS } from '../../src/core/types/history.ts';
import { FACT_SOURCES, REASONS } from '../../src/core/types/judgement.ts';
import { DEED_WORDS } from '../../src/reporters/history/history-words.ts';
import { gitTest, makeRepository } from '../situations/repository.ts';
import { cleanUp, fakeAgent, makeTown } from '../support/index.ts';
import { doctor } from './run-cli.ts';

afterEach(cleanUp);

describe('explain', () => {
  test('knows every word that is printed', () => {
    const town = makeTown();
    const { stdout: overview } = doctor(['explain'], { cwd: town.root });
    const listed = overview.split(/[\s,]+/);
    const words = [
      ...SEVERITIES,
      ...EVENTS,
      ...FACT_SOURCES,
      'fixed',
      'restored',
      'skipped',
      'truncated',
      'sources',
      'absent',
      'would',
      'skip',
      'refused',
      'recorded',
    ];
    for (const word of [
      ...words,
      'planned',
      'changed',
      'crashed',
      'newer-lock',
      'marker',
      'cwd',
      'gap',
      'ok',
      'next',
      'force',
      'journal',
      'helper',
      'preflight',
    ])
      expect([word, listed.includes(word)]).toEqual([word, true]);
    for (const word of [
      'warning',
      'truncated',
      'sources',
      'empty',
      ...REASONS.filter((known) => known === 'symlink'),
    ])
      expect(doctor(['explain', word], { cwd: town.root })).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(word),
        stderr: '',
      });
  });

  test('knows words as they are printed in several parts', () => {
    const { root } = makeTown();
    const printed = [...Object.values(DEED_WORDS).map(([, word]) => word), 'no lock', 'by hand'];
    for (const word of [
      ...printed,
      'unknown program',
      'left behind',
      'nobody',
      'registry',
      'container',
      'check',
      'session',
    ]) {
      const { status, stdout } = doctor(['explain', word], { cwd: root });
      expect([word, status, stdout]).toEqual([word, 0, expect.stringMatching(/^# \S+\n\n\S/)]);
    }
    // An agent that reads it learns what happened, not a recipe.
    expect(doctor(['explain', 'lease-revoked'], { cwd: root }).stdout).toContain('by force');
  });

  gitTest('knows whoever is printed beside a lock or at work: by name, PID and program', async () => {
    const { root, env, worktree } = makeRepository();
    const path = worktree('trees/a', 'claude agent agent-ab12 (pid 4194305)');
    const { pid } = await fakeAgent('claude', { cwd: path });
    const explain = (word: string) => doctor(['explain', word], { cwd: root, env });
    for (const word of ['agent-ab12', 'claude agent agent-ab12', '4194305', `${pid}`, 'claude'])
      expect([word, explain(word)]).toMatchObject([
        word,
        { status: 0, stdout: expect.stringMatching(/^# trees\/a: held\n/) },
      ]);
    await fakeAgent('claude', { cwd: root });
    expect(explain('claude')).toMatchObject({ status: 2, stderr: expect.stringContaining('could be ') });
    for (const [word, what] of [
      ['%99', 'tmux %99'],
      ['4194306', 'process 4194306'],
    ] as const)
      expect(explain(word)).toMatchObject({
        status: 2,
        stderr: `doctor: no lock and no agent in ${root} names ${what}\nSee: doctor who\n`,
      });
  });

  test('explains the worker that has that name', () => {
    const town = makeTown({ marked: false, workers: ['backup', 'empty'] });
    town.lock('backup', '');
    town.lock('empty', '');
    for (const worker of ['backup', 'empty'])
      expect(doctor(['explain', worker], { cwd: town.root }).stdout).toContain(
        town.path(worker, '.runtime/agent.lock'),
      );
  });
});

describe('a lock-doctor.json that is not used', () => {
  test('is reported on standard error to runs in its directory, and to no others', () => {
    const town = makeTown();
    const unused = town.write('gastown/crew/ada/lock-doctor.json', '{ "skip": ["stale-lock"] }');
    const note = `doctor: not used: ${unused}; settings are read from the town's root, ${town.root}\n`;
    const beside = { cwd: town.path('gastown/crew/ada') };
    for (const args of [[], ['preflight', '.'], ['locks']])
      expect([args, doctor(args, beside)]).toMatchObject([args, { status: 0, stderr: note }]);
    expect(doctor([], { cwd: town.root }).stderr).toBe('');
    town.write('lock-doctor.json', '{}');
    expect(doctor([], { cwd: town.root }).stderr).toBe('');
    expect(doctor([], { ...beside, cwd: town.path('gastown') }).stderr).toBe('');
  });
});

describe('of git’s working trees and locks', () => {
  gitTest('explain suggests a tree without a lock by the end of its name', () => {
    const { root, env, worktree } = makeRepository();
    for (const name of ['f1', 'f2', 'f3', 'f12']) worktree(`.claude/worktrees/${name}`);
    expect(doctor(['explain', 'f2', '--town', root], { env })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Did you mean .claude/worktrees/f2?'),
    });
  });

  gitTest('what is no file in the place of a lock is named, and is not said to become a lock', () => {
    const { root, env } = makeRepository();
    mkdirSync(join(root, '.git/HEAD.lock'));
    symlinkSync('x', join(root, '.git/config.lock'));
    const { stdout } = doctor(['--town', root], { env });
    for (const name of ['HEAD.lock', 'config.lock'])
      expect(stdout).toContain(`: git-lock (${name}): not a valid lock: it is a `);
    const explained = doctor(['explain', 'HEAD.lock', '--town', root], { env }).stdout;
    expect(explained).toContain('it cannot become a lock');
    expect(explained).not.toContain('it is a lock again');
  });
});
