import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { bundleCli, type RunOptions } from '../exec/built-cli.ts';
import { canBecomeOthers, cleanUp, makeTown, type TestTown } from '../support/index.ts';
import { EXECUTABLE } from '../support/tested-program.ts';

const ADA = 'gastown/crew/ada';
const cli = bundleCli();

/** A user who runs nothing else here, in particular no tmux. */
const NOBODY_ELSE = 64_917;
/** The executable has no modules to count. */
const ofNode = EXECUTABLE === null ? test : test.skip;
const asRoot = canBecomeOthers ? ofNode : test.skip;

/** Everything below the town except access times: names, types, modes, owners, sizes, inodes, link counts, mtime and ctime. */
const listing = (town: TestTown): string =>
  execFileSync('find', [town.root, '-exec', 'stat', '-c', '%n %F %a %u %s %i %h %Y.%y %Z.%z', '{}', '+'], {
    encoding: 'utf8',
  });

/** The source files of the program that one run loaded, recorded by a hook in Node's loader. */
const loadedBy = async (
  town: TestTown,
  args: readonly string[],
  options: RunOptions = {},
): Promise<readonly string[]> => {
  const log = town.write('loaded.log', '');
  const hook = town.write(
    'hook.mjs',
    `import { appendFileSync } from 'node:fs';
     export const load = (url, context, next) => { appendFileSync(${JSON.stringify(log)}, url + '\\n'); return next(url, context); };`,
  );
  const start = town.write(
    'start.mjs',
    `import { register } from 'node:module'; register(${JSON.stringify(`file://${hook}`)});`,
  );
  for (const file of [log, hook, start]) chmodSync(file, 0o666);
  writeFileSync(log, '');
  await cli.run(args, { ...options, env: { ...options.env, NODE_OPTIONS: `--import file://${start}` } });
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((url) => url.startsWith('file:') && !url.endsWith('start.mjs'))
    .flatMap((url) => cli.sourcesOf(url));
};

const librariesIn = (sources: readonly string[]): readonly string[] =>
  [...new Set(sources.flatMap((source) => /node_modules\/([^/]+)/.exec(source)?.[1] ?? []))].sort();

afterAll(cli.remove);

describe('preflight', () => {
  afterEach(cleanUp);

  test('writes nothing, whatever it finds', async () => {
    const town = makeTown({ workers: [ADA, 'gastown/crew/bob', 'gastown/crew/cleo'] });
    town.lock(ADA, { session_id: '' });
    town.lock('gastown/crew/bob', 'nonsense');
    town.write('gastown/crew/bob/.runtime/agent.lock.0123456789abcdef.old', '{}');
    await cli.run(['preflight', '--town', town.root, ADA]); // gives the town to the test user
    const before = listing(town);
    const workers = [ADA, 'gastown/crew/bob', 'gastown/crew/cleo', 'gastown/crew/new'];
    await cli.run(['preflight', '--town', town.root, ...workers]);
    await cli.run(['preflight', '--town', town.root, '--json', ...workers]);
    await cli.run(['preflight', '--town', town.root, '../outside']);
    expect(listing(town)).toBe(before);
  });

  asRoot('loads no library if no tmux is running, and neither does exec', async () => {
    const town = makeTown({ workers: [ADA] });
    town.lock(ADA, { session_id: '' });
    chownSync(town.root, NOBODY_ELSE, NOBODY_ELSE);
    chmodSync(town.root, 0o755);
    execFileSync('chown', ['-R', `${NOBODY_ELSE}:${NOBODY_ELSE}`, town.root]);
    const options = { uid: NOBODY_ELSE, gid: NOBODY_ELSE, cwd: '/' };
    const asking = await loadedBy(town, ['preflight', '--town', town.root, ADA], options);
    expect(asking).toContain('src/core/preflight/clear-to-start.ts');
    expect(librariesIn(asking)).toEqual([]);
    expect(asking.filter((source) => source.startsWith('src/repair/'))).toEqual([]);
    const running = await loadedBy(town, ['exec', '--town', town.root, ADA, '--', 'true'], options);
    expect(running).toContain('src/exec/gate.ts');
    expect(librariesIn(running)).toEqual([]);
  });

  ofNode('never loads yargs or listr2, not even for a usage error', async () => {
    const town = makeTown();
    for (const args of [
      ['preflight', '--town', town.root, ADA, '--json'],
      ['preflight', '--nonsense'],
    ]) {
      const libraries = librariesIn(await loadedBy(town, args));
      for (const library of ['yargs', 'listr2']) expect(libraries).not.toContain(library);
    }
    const full = librariesIn(await loadedBy(town, ['checks']));
    expect(full).toContain('yargs'); // proves that the measurement works
  });

  ofNode("loads few files, and only the agent's kind of lock", async () => {
    const town = makeTown();
    const sources = await loadedBy(town, ['preflight', '--town', town.root, ADA]);
    expect(sources.filter((source) => source.startsWith('src/')).length).toBeLessThan(210);
    expect(sources.filter((source) => source.startsWith('kinds/'))).toEqual(['kinds/agent.ts']);
  });

  ofNode('loads what judges git locks only where one stands on the worker itself', async () => {
    const town = makeTown({ workers: ['main', 'main/.trees/a', 'main/.trees/b'] });
    const git = (...words: readonly string[]): void =>
      void execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...words], {
        cwd: town.path('main'),
      });
    git('init', '-q');
    git('commit', '-q', '--allow-empty', '-m', 'Begin');
    for (const name of ['a', 'b']) git('worktree', 'add', '-q', '--detach', `.trees/${name}`);
    git('worktree', 'lock', '.trees/b');
    const loaded = async (worker: string): Promise<readonly string[]> =>
      (await loadedBy(town, ['preflight', '--town', town.root, worker])).filter((source) =>
        /^kinds\/|with-locks/.test(source),
      );
    for (const worker of ['main', 'main/.trees/a']) expect(await loaded(worker)).toEqual(['kinds/agent.ts']);
    expect(await loaded('main/.trees/b')).toContain('kinds/git-worktree.ts');
  });
});
