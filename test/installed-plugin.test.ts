/**
 * A user's check finds `lock-doctor/check` wherever the program is installed, with nothing installed beside the check.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { bareEnvironment, PROGRAM } from './cli/run-cli.ts';
import { cleanUp, makeTown, type TestTown } from './support/index.ts';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));

const CHECK = `import { defineCheck, describeAge } from 'lock-doctor/check';
import { Failure } from 'lock-doctor';
export default defineCheck({
  id: 'acme/where',
  title: 'Where',
  summary: \`found \${describeAge(90)} \${typeof Failure}\`,
  run: () => [],
});
`;

let folder = '';

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'installed-')));
  const words = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const packed = execFileSync('npm', words, { cwd: REPOSITORY, encoding: 'utf8', stdio: 'pipe' });
  const [{ filename }] = Object.values(JSON.parse(packed) as Record<string, { filename: string }>) as [
    { filename: string },
  ];
  execFileSync('tar', ['-xzf', join(folder, filename), '-C', folder]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(cleanUp);

/** Installs the package there as npm does, and returns the path of the program. */
const placedAt = (directory: string, bin: string): string => {
  const place = join(folder, directory, 'lock-doctor');
  mkdirSync(dirname(place), { recursive: true });
  execFileSync('cp', ['-a', join(folder, 'package'), place]);
  const link = join(folder, bin);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join(place, 'dist/bin/doctor.js'), link);
  return link;
};

const checksOf = (program: string, town: TestTown, ...flags: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...flags, program, 'checks', '--plugin', './checks/where.js'],
    { cwd: town.root, env: bareEnvironment(), encoding: 'utf8' },
  );
  return { status, last: stdout.trimEnd().split('\n').at(-1), stderr };
};

const townWithCheck = (): TestTown => {
  const town = makeTown();
  town.write('checks/where.js', CHECK);
  town.write('checks/package.json', '{"type":"module"}');
  return town;
};

const FOUND = { status: 0, last: expect.stringMatching(/^acme\/where +found 90 s function$/), stderr: '' };

describe('a plug-in that imports lock-doctor', () => {
  test.each([
    ['a global prefix', 'global/lib/node_modules', 'global/bin/doctor'],
    [
      'the folder of npx',
      'npx/0123456789abcdef/node_modules',
      'npx/0123456789abcdef/node_modules/.bin/doctor',
    ],
    ['a path with a space and a percent sign', 'odd %20 place/node_modules', 'odd %20 place/bin/doctor'],
  ])('finds the program in %s', (_where, directory, bin) => {
    const town = townWithCheck();
    expect(checksOf(placedAt(directory, bin), town)).toEqual(FOUND);
  });

  test('finds the program in a clone', () => {
    expect(checksOf(PROGRAM, townWithCheck())).toEqual(FOUND);
  });

  test('prefers a package that is installed beside it', () => {
    const town = townWithCheck();
    const own = town.path('node_modules/lock-doctor');
    mkdirSync(own, { recursive: true });
    writeFileSync(
      join(own, 'package.json'),
      '{"name":"lock-doctor","type":"module","exports":{".":"./own.js","./check":"./own.js"}}',
    );
    writeFileSync(
      join(own, 'own.js'),
      'export const defineCheck = (check) => check; export const describeAge = () => "its own"; export const Failure = 1;',
    );
    expect(checksOf(PROGRAM, town).last).toMatch(/found its own number$/);
  });

  test('is refused if it imports anything else, with the name', () => {
    const town = townWithCheck();
    town.write('checks/where.js', "import 'lock-doctor/nothing';\n");
    const { status, stderr } = checksOf(PROGRAM, town);
    expect([status, stderr]).toEqual([2, expect.stringContaining("Cannot find package 'lock-doctor'")]);
  });
});
