/** A kind of lock from a plug-in is found, judged, released and restored like a built-in one; a broken one is refused. */
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import type { Snapshot } from '../src/core/types/evidence.ts';
import { examine } from '../src/diagnose.ts';
import { heal } from '../src/heal.ts';
import { preflightRemoval } from '../src/places/removal.ts';
import { who } from '../src/places/who.ts';
import { undoReleases } from '../src/repair/undo.ts';
import { cleanStaleLocks, examineTown, findAllLocks } from '../src/town-locks.ts';
import { doctor } from './cli/run-cli.ts';
import { git } from './situations/repository.ts';
import { bareEnvironment, hostTest } from './situations/stage.ts';
import { cleanUp, deadPid, makeTmuxTmpdir, makeTown, type TestTown } from './support/index.ts';

afterEach(cleanUp);

const PLUGIN = fileURLToPath(new URL('../fixtures/plugins/kind.js', import.meta.url));

const write = (town: TestTown, name: string, text: string, ageSeconds = 3600): string => {
  const path = town.write(`a/.acme/${name}`, text);
  const then = Date.now() / 1000 - ageSeconds;
  utimesSync(path, then, then);
  return path;
};

const withPlugin = (): { readonly plugins: readonly string[]; readonly env: Record<string, string> } => ({
  plugins: [PLUGIN],
  env: bareEnvironment(makeTmuxTmpdir()),
});

hostTest(
  "locks of a plug-in's kind are found, released on proof, and restored without the plug-in",
  async () => {
    const town = makeTown({ workers: ['a'] });
    const path = write(town, 'x.pid', `${deadPid()}\n`);
    const bytes = readFileSync(path, 'utf8');
    write(town, 'live.pid', `${process.pid}\n`, 0);
    write(town, 'boom.pid', 'boom');
    write(town, 'odd.pid', 'odd');
    // A claim by a PID that is not in the file is not proof.
    write(town, 'zero.pid', '0');
    const options = withPlugin();
    const { locks } = await examine(town.root, options);
    expect(locks.map(({ id, state }) => `${id} ${state}`)).toEqual([
      'acme/pid:a/.acme/boom.pid unknown',
      'acme/pid:a/.acme/live.pid held',
      'acme/pid:a/.acme/odd.pid unknown',
      'acme/pid:a/.acme/x.pid stale',
      'acme/pid:a/.acme/zero.pid unknown',
    ]);
    expect((await examine(town.root, { env: options.env })).locks).toEqual([]);
    expect((await heal(town.root, { ...options, kinds: ['acme/pid'] })).summary).toMatchObject({ fixed: 1 });
    const { outcomes, damage } = await undoReleases(null, { townRoot: town.root });
    expect([outcomes.map(({ status }) => status), damage]).toEqual([['restored'], null]);
    expect(readFileSync(path, 'utf8')).toBe(bytes);
  },
);

hostTest("the configuration loads a plug-in's kind and switches it off", async () => {
  const town = makeTown({ workers: ['a'] });
  write(town, 'x.pid', `${deadPid()}\n`);
  const { env } = withPlugin();
  town.write('plugin/kind.js', readFileSync(PLUGIN, 'utf8'));
  const configure = (kinds: object): string =>
    town.write('lock-doctor.json', JSON.stringify({ plugins: ['./plugin/kind.js'], kinds }));
  town.write('package.json', '{"type":"module"}');
  configure({});
  expect((await examine(town.root, { env })).locks).toHaveLength(1);
  configure({ 'acme/pid': false });
  expect((await examine(town.root, { env })).locks).toEqual([]);
  configure({ 'acme/pdi': false });
  await expect(examine(town.root, { env })).rejects.toThrow('there is no kind of lock "acme/pdi"');
});

hostTest("every look at a town finds locks of its plug-ins' kinds", async () => {
  const town = makeTown({ workers: ['a'] });
  git(town.root, 'init', '-q');
  git(town.root, 'commit', '-q', '--allow-empty', '-m', 'first');
  const tree = `${town.root}-tree`;
  git(town.root, 'worktree', 'add', '-q', tree);
  town.write('plugin/kind.mjs', readFileSync(PLUGIN, 'utf8'));
  town.write('lock-doctor.json', JSON.stringify({ plugins: ['./plugin/kind.mjs'] }));
  write(town, 'x.pid', `${process.pid}\n`, 0);
  const stale = write(town, 'stale.pid', `${deadPid()}\n`);
  mkdirSync(join(tree, '.acme'));
  writeFileSync(join(tree, '.acme/y.pid'), `${process.pid}\n`);
  const { env } = withPlugin();
  const ids = ['acme/pid:a/.acme/stale.pid', 'acme/pid:a/.acme/x.pid'];
  const { locks } = (await examineTown(town.root, { env })).snapshot;
  expect(locks.map(({ id }) => id)).toEqual(ids);
  expect((await findAllLocks(town.root, { env })).map(({ id }) => id)).toEqual(ids);
  const printed = doctor(['--save-snapshot', '-', '--town', town.root], { env });
  expect((JSON.parse(printed.stdout) as Snapshot).locks.map(({ id }) => id)).toEqual(ids);
  const messages = async (directory: string): Promise<readonly string[]> =>
    (await preflightRemoval(town.root, [directory], { env })).results.map(({ message }) => message);
  expect(await messages('a')).toEqual([expect.stringContaining('a/.acme/x.pid is held')]);
  // A worktree beside the town is a town of its own, and is asked about in this one.
  expect(await messages(tree)).toEqual([expect.stringContaining('.acme/y.pid is held')]);
  const cleaned = await cleanStaleLocks(town.root, { env });
  expect(cleaned.map(({ lock, outcome }) => [lock.id, outcome.status])).toEqual([
    ['acme/pid:a/.acme/stale.pid', 'fixed'],
  ]);
  expect(existsSync(stale)).toBe(false);
});

hostTest('a question about a directory runs no plug-in of that directory', async () => {
  const town = makeTown({ workers: ['a'] });
  const other = makeTown({ workers: ['b'] });
  other.write('plugin.mjs', 'throw new Error("code of a worker ran");');
  other.write(
    'lock-doctor.json',
    JSON.stringify({ plugins: ['./plugin.mjs'], kinds: { 'acme/pid': false } }),
  );
  const { env } = withPlugin();
  const asked = join(other.root, 'b');
  expect((await who(town.root, [asked], { env })).places.map(({ path }) => path)).toEqual([asked]);
  const { results } = await preflightRemoval(town.root, [asked], { env });
  expect(results.map(({ worker }) => worker)).toEqual([asked]);
  await expect(who(other.root, [], { env })).rejects.toThrow('code of a worker ran');
});

test('a mistyped command that would print evidence is told as one', () => {
  const { stderr, status } = doctor(['lokcs', '--save-snapshot', '-']);
  expect([status, stderr]).toEqual([2, expect.stringContaining('Did you mean: doctor locks?')]);
});

test("explain prints the page of a plug-in's kind", () => {
  const town = makeTown();
  const text = readFileSync(PLUGIN, 'utf8');
  const page = JSON.stringify('# acme\n\nWhat Acme\u001b[31m leaves.\n\n## Where it is\n\nIn `.acme/`.');
  const own = town.write('kind.mjs', text.replace('title: ', `page: ${page}, title: `));
  const explain = (plugin: string, ...more: string[]) =>
    doctor(['explain', 'acme/pid', '--plugin', plugin, '--town', town.root, ...more]);
  expect(explain(PLUGIN).stdout).toBe('# Acme pid files\n\nWho runs, as Acme writes it down.\n');
  const { stdout, status } = explain(own);
  expect([status, stdout]).toEqual([
    0,
    expect.stringMatching(/^# acme\n\nWhat Acme.*leaves\.\n\n## Where it is\n/),
  ]);
  expect(stdout).not.toContain('\u001b');
  expect(JSON.parse(explain(PLUGIN, '--json').stdout).topic).toMatchObject({ kind: 'kind', id: 'acme/pid' });
  expect(doctor(['explain', 'acme/pid', '--town', town.root]).status).toBe(2);
});

test.each([
  ['page', '["text"]', 'has a page that is not text'],
  ['id', '"pid"', 'requires an id of the form "package/name"'],
  ['claims', '"worker"', 'must have "claims": null'],
  ['where', '{ homes: { ".runtime": "runtime" }, name: "agent.lock" }', 'requires "where"'],
  ['where', '{ beside: { ".acme": ["../x"] } }', 'requires "where"'],
  ['where', '{ beside: { "a/../c": ["x"] } }', 'kind acme/pid: a/../c is not the name of a directory'],
  ['witnesses', '["everybody"]', 'requires "witnesses"'],
  ['freshMs', '-1', 'requires "freshMs"'],
  ['letGo', '"delete"', 'requires "letGo"'],
  ['read', '"text"', 'requires a function "read"'],
])('a kind with %s: %s is an error of the configuration', async (field, value, message) => {
  const town = makeTown();
  const text = readFileSync(PLUGIN, 'utf8');
  const plugin = town.write(
    'kind.mjs',
    `${text.replace('export default {', 'const kind = {')}\nexport default { ...kind, ${field}: ${value} };\n`,
  );
  await expect(examine(town.root, { plugins: [plugin] })).rejects.toThrow(message);
});
