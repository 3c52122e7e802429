/** A start in a part of a working tree, or of an agent's place: agents of one place collide, wherever in it they stand. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect } from '@jest/globals';
import { preflight } from '../../src/preflight.ts';
import { COMMAND, doctor } from '../cli/run-cli.ts';
import { git, gitTest, makeRepository } from '../situations/repository.ts';
import { ADA, linuxTest, setStage } from '../situations/stage.ts';
import { cleanUp, fakeAgent, makeTown, until } from '../support/index.ts';

afterEach(cleanUp);

type Environment = Readonly<Record<string, string>>;

const made = (path: string): string => {
  mkdirSync(path, { recursive: true });
  return path;
};

/** How each way to ask before a start ends: the command's own code is 7. */
const answers = (env: Environment, cwd: string, worker = '.') => {
  const run = (...args: readonly string[]) => doctor(args, { cwd, env });
  const explained = run('explain', worker).stdout.match(/Preflight says (\w+)/)?.[1];
  return [
    run('preflight', worker).status,
    run('preflight', '--for', 'prompt', worker).status,
    run('exec', worker, '--', 'sh', '-c', 'exit 7').status,
    explained,
  ];
};

const FREE = [0, 0, 7, 'free'];
const HELD = [20, 20, 20, 'held'];

const agentIn = async (cwd: string, env: Environment): Promise<void> => {
  await fakeAgent('claude', { cwd });
  await until(async () => (await preflight(cwd, '.', { env, cwd })).exitCode === 20, 'the agent');
};

const lockAt = (place: string, fields: Readonly<Record<string, unknown>> = {}): void =>
  void makeTown({ root: dirname(place), marked: false, workers: [], rigs: {} }).lock(
    place.slice(dirname(place).length + 1),
    fields,
    { ageSeconds: 3600 },
  );

describe('an agent anywhere in a working tree', () => {
  const trees = { 'the main one': '.', 'one in it': '.claude/worktrees/a', 'one beside it': '../feature' };
  for (const [name, at] of Object.entries(trees))
    gitTest(`holds every part of ${name}, for whoever stands there and for whoever names it`, async () => {
      const { root, env, worktree } = makeRepository();
      const tree = at === '.' ? root : worktree(at);
      const part = made(join(tree, 'src/lib'));
      expect(answers(env, part)).toEqual(FREE);
      await agentIn(tree, env);
      expect(answers(env, part)).toEqual(HELD);
      expect(answers(env, tree, part)).toEqual(HELD);
      expect(answers(env, root, join(at, 'src/lib'))).toEqual(HELD);
      const { stdout } = doctor(['preflight', '.'], { cwd: part, env });
      expect(stdout).toContain(`held src/lib: part of ${tree}: no lock, but claude`);
      expect(doctor(['who'], { cwd: part, env }).stdout).toMatch(/^agent .*claude/);
    });

  gitTest('holds no repository in it, and no worktree that is yet to be made', async () => {
    const { root, env, worktree } = makeRepository();
    git(root, 'init', '-q', 'nested');
    const part = made(join(root, 'nested/src'));
    const other = made(join(worktree('.claude/worktrees/a'), 'src'));
    await agentIn(root, env);
    for (const cwd of [part, other]) expect(answers(env, cwd)).toEqual(FREE);
    const ask = (worker: string) => doctor(['preflight', '--new', worker], { cwd: root, env }).status;
    expect(ask('.claude/worktrees/b')).toBe(0);
  });

  gitTest('holds a submodule and an ignored directory', async () => {
    const { root, env } = makeRepository();
    const source = join(root, '../source');
    git(root, 'clone', '-q', root, source);
    git(root, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', source, 'inner');
    const ignored = made(join(root, 'build'));
    await agentIn(root, env);
    for (const cwd of [join(root, 'inner'), ignored]) expect(answers(env, cwd)).toEqual(HELD);
  });

  gitTest('is at a place of its own under a lock of its own, and so is one beside it', async () => {
    const { root, env } = makeRepository();
    const [one, two] = [made(join(root, 'agents/one')), made(join(root, 'agents/two'))];
    await agentIn(one, env);
    for (const cwd of [two, root]) expect(answers(env, cwd)).toEqual(HELD);
    lockAt(one);
    for (const cwd of [two, root]) expect(answers(env, cwd)).toEqual(FREE);
    expect(answers(env, made(join(one, 'src')))).toEqual(HELD);
  });
});

describe('the lock of a working tree', () => {
  gitTest('holds its parts while it may be held, and not once it is dead', async () => {
    const { root, env, worktree } = makeRepository();
    const tree = worktree('../feature');
    const part = made(join(tree, 'src'));
    lockAt(tree);
    expect(answers(env, part)).toEqual(FREE);
    lockAt(tree, { hostname: 'another-host' });
    expect(answers(env, part)).toEqual([22, 22, 22, 'unsure']);
    const { pid } = await fakeAgent('claude', { cwd: '/' });
    lockAt(tree, { pid, acquired_at: new Date().toISOString() });
    expect(answers(env, part)).toEqual(HELD);
    expect(answers(env, root, '../feature/src')).toEqual(HELD);
  });

  gitTest('does not keep the agent that holds it from starting others in parts of it', async () => {
    const { root, env } = makeRepository();
    made(join(root, 'agents/one'));
    const start = (worker: string, ...command: readonly string[]) => ['exec', worker, '--', ...command];
    const inner = [...COMMAND, ...start('agents/one', 'sh', '-c', 'exit 7')];
    expect(doctor(start('.', ...inner), { cwd: root, env }).status).toBe(7);
  });
});

describe('elsewhere', () => {
  linuxTest('an agent holds its place in a Gas Town, wherever in it another would start', async () => {
    const { town, env } = setStage();
    const part = made(join(town.path(ADA), 'src'));
    expect(answers(env, part)).toEqual(FREE);
    await agentIn(town.path(ADA), env);
    expect(answers(env, part)).toEqual(HELD);
    expect(answers(env, town.root, `${ADA}/src`)).toEqual(HELD);
  });

  linuxTest('without git, an agent holds only the directory where it stands', async () => {
    const { town, env } = setStage({ marked: false, workers: [], rigs: {} });
    const part = made(town.path('work/src'));
    await agentIn(town.path('work'), env);
    expect(answers(env, part)).toEqual(FREE);
  });
});
