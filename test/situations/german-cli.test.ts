/** The program in German surroundings says and does what it does in English ones. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect } from '@jest/globals';
import { doctor } from '../cli/run-cli.ts';
import { cleanUp } from '../support/index.ts';
import { LANGUAGES, WITHOUT_GERMAN } from './german.ts';
import { aged, git, gitTest, makeRepository } from './repository.ts';

afterEach(cleanUp);

const [english, german = english] = LANGUAGES;

/** Numbers of processes, ages and ids of repairs differ from run to run. */
const settled = (text: string): string => text.replaceAll(/[\da-f-]*\d[\da-fTZ:.-]*/g, 'N');

gitTest(`every command says the same in both languages${WITHOUT_GERMAN}`, () => {
  const { root, env, worktree } = makeRepository();
  worktree('../dead', 'claude agent agent-ab12 (pid 2147483000)');
  worktree('../mine', 'meine Notiz');
  const lock = join(root, '.git/index.lock');
  writeFileSync(lock, '');
  aged(lock);
  const told = (language: typeof english, ...args: readonly string[]): string => {
    const options = { env: { ...env, ...language?.[1] }, cwd: root };
    const { stdout, stderr, status } = doctor(args, options);
    return settled(`${stdout}${stderr}exit ${status}`);
  };
  const same = (...args: readonly string[]): string => {
    const said = told(german, ...args);
    expect(said).toBe(told(english, ...args));
    return said;
  };
  const before = [git(root, 'worktree', 'list', '--porcelain'), git(root, 'fsck', '--full')];
  expect(same()).toContain('N locks can be released');
  for (const words of ['locks', 'explain ../dead', 'explain ../mine', 'who', 'log', '--fix --dry-run'])
    same(...words.split(' '));
  same('preflight', '--for', 'removal', '../dead', '../mine');
  const repaired = (language: typeof english): readonly string[] => [
    told(language, '--fix', '--yes'),
    told(language, 'undo'),
  ];
  const [fixed = '', undone] = repaired(german);
  expect([fixed, undone]).toEqual(repaired(english));
  expect(fixed).toContain('Released N locks');
  expect([git(root, 'worktree', 'list', '--porcelain'), git(root, 'fsck', '--full')]).toEqual(before);
});
