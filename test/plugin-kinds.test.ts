/** A kind of lock from a plug-in is found, judged, released and restored like a built-in one; a broken one is refused. */
import { readFileSync, utimesSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { examine } from '../src/diagnose.ts';
import { heal } from '../src/heal.ts';
import { undoReleases } from '../src/repair/undo.ts';
import { doctor } from './cli/run-cli.ts';
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
