import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { loadPlugins } from '../src/plugins/plugins.ts';
import { cleanUp, makeTown } from './support/index.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/plugins', import.meta.url));
const load = async (...specs: string[]) =>
  (await loadPlugins(specs.map((spec) => ({ spec, from: FIXTURES })))).checks;

afterEach(cleanUp);

describe('loadPlugins', () => {
  test('loads one check or an array of checks, in the order of the arguments', async () => {
    const checks = await load('./two-checks.js', './long-held.js');
    expect(checks.map(({ id }) => id)).toEqual(['acme/first', '@acme/checks/second', 'acme/long-held']);
  });

  test('uses the title of a check that has no summary', async () => {
    const [first] = await load('./two-checks.js');
    expect(first?.summary).toBe('First');
  });

  test.each([
    ['relative with a leading dot', './long-held.js'],
    ['the name of an existing file', 'long-held.js'],
    ['an absolute path', join(FIXTURES, 'long-held.js')],
  ])('finds a file: %s', async (_how, spec) => {
    expect((await load(spec)).map(({ id }) => id)).toEqual(['acme/long-held']);
  });

  test('loads CommonJS', async () => {
    expect((await load('./common.cjs')).map(({ id }) => id)).toEqual(['acme/common']);
  });

  test('loads a directory by its package.json', async () => {
    expect((await load('./package')).map(({ id }) => id)).toEqual(['acme-checks/packaged']);
  });

  test("finds a package in a parent's node_modules, even if it exports only ES modules", async () => {
    const town = makeTown();
    mkdirSync(town.path('node_modules'));
    symlinkSync(join(FIXTURES, 'package'), town.path('node_modules/acme-checks'));
    const { checks } = await loadPlugins([{ spec: 'acme-checks', from: town.path('gastown') }]);
    expect(checks.map(({ id }) => id)).toEqual(['acme-checks/packaged']);
  });

  test.each([
    ['./missing.js', `plug-in ./missing.js: no readable file or package at ${join(FIXTURES, 'missing.js')}`],
    ['no-such-package', `plug-in no-such-package: no such file or package under ${FIXTURES}`],
    ['./throws-on-load.js', 'plug-in ./throws-on-load.js: it cannot be loaded: not today'],
    ['./no-default.js', 'plug-in ./no-default.js: it has no default export'],
    ['./number.js', 'plug-in ./number.js: its default export is not a check, nor a kind of lock'],
    ['./no-run.js', 'plug-in ./no-run.js: check "acme/x" requires a function "run"'],
    [
      './bad-id.js',
      'plug-in ./bad-id.js: its default export requires an id of the form "package/name", and has "plain"',
    ],
  ])('refuses %s in one sentence', async (spec, message) => {
    await expect(load(spec)).rejects.toMatchObject({ code: 'E_CONFIG', message });
  });

  test('refuses an id that is already used', async () => {
    await expect(load('./two-checks.js', './same-id.js')).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: 'plug-in ./same-id.js: the check id "acme/first" is taken already',
    });
  });

  test('refuses a file that is not JavaScript and does not crash', async () => {
    await expect(load('./syntax-error.js')).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: expect.stringContaining('plug-in ./syntax-error.js: it cannot be loaded: '),
    });
  });

  test('loads nothing without arguments', async () => {
    expect(await loadPlugins([])).toEqual({ checks: [], kinds: [] });
  });
});
