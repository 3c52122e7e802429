import { describe, expect, test } from '@jest/globals';
import type { Arguments } from '../../../src/cli/arguments/arguments.ts';
import { optionsOf } from '../../../src/cli/arguments/options.ts';
import { parseWithYargs } from '../../../src/cli/arguments/parse-with-yargs.ts';
import { readArguments } from '../../../src/cli/arguments/read-arguments.ts';
import { routeOf } from '../../../src/cli/route.ts';

const throughYargs = async (argv: readonly string[]): Promise<Arguments> => {
  const { command, argv: line } = routeOf(argv);
  const parsed = await parseWithYargs(command === 'doctor' ? line : [command, ...line], {
    cwd: '/',
    width: 80,
  });
  if (parsed.kind !== 'arguments') throw new Error(`help instead of arguments: ${parsed.text}`);
  return parsed.arguments;
};

const throughOwnReader = (argv: readonly string[]): Arguments => {
  const { command, argv: line } = routeOf(argv);
  return readArguments(command, line);
};

describe('the two parsers', () => {
  test.each([
    [[]],
    [['/srv/gt']],
    [['--json']],
    [['-qv', '--town', '/srv/gt']],
    [['--town=/srv/gt', '--fix', '--worker', 'a/crew/b', '-w', 'a/crew/c']],
    [['-S', 'one', '--socket', '/tmp/two', '--timeout', '500']],
    [['--only', 'stale-lock,collision', '--only', 'invalid-lock']],
    [['--town', 'a', '--town', 'b']],
    [['--', '/srv/gt']],
    [['locks', '--state', 'stale,orphaned', '--watch']],
    [['--json', 'locks', '/srv/gt']],
    [['--town', 'locks', 'checks']],
    [['explain', 'gastown/crew/ada']],
    [['explain']],
    [['undo', '0042']],
    [['completion', 'bash']],
    [['preflight', 'a', 'b', '--fix', '--json']],
    [['preflight', '12', '1e3']],
    [['--dry-run', '--no-color', '--ascii', '--fix']],
    [['--fix=false', '--json=true']],
  ])('agree on %j', async (argv) => {
    expect(await throughYargs(argv)).toEqual(throughOwnReader(argv));
  });

  test.each([
    [['--fixx'], 'unknown option --fixx', 'Did you mean --fix?'],
    [['preflight', 'a', '--jsn'], 'unknown option --jsn', 'Did you mean --json?'],
    [['-Z'], 'unknown option -Z', 'See: doctor --help'],
    [['--town'], '--town requires a value', null],
    [['--town='], '--town requires a value', null],
    [['--town', '--json'], '--town requires a value', null],
    [['a', 'b'], 'unexpected argument "b"', 'Usage: doctor [town] [options]'],
    [['checks', 'x'], 'unexpected argument "x"', 'Usage: doctor checks [options]'],
    [['preflight'], 'preflight needs a worker', 'Usage: doctor preflight WORKER... [options]'],
    [['--timeout', '2s'], '--timeout must be a whole number of milliseconds, at least 1', null],
    [['--timeout', '0'], '--timeout must be a whole number of milliseconds, at least 1', null],
    [['--timeout', '99999999999'], '--timeout must be a whole number of milliseconds, at least 1', null],
    [['--fail-on', 'warnin'], '--fail-on warnin: expected info, warning or error', 'Did you mean warning?'],
    [['--deep', '--quick'], '--deep and --quick cannot be combined', null],
    [['--json', '--format', 'text'], '--json and --format cannot be combined', null],
    [
      ['locks', '--state', 'stael'],
      '--state stael: expected held, stale, orphaned, invalid, foreign or unknown',
      'Did you mean stale?',
    ],
    [['completion', 'ksh'], 'doctor completion ksh: expected bash, zsh or fish', null],
    [['locks', '--fix'], 'unknown option --fix', 'See: doctor locks --help'],
    [['--__proto__', 'x'], 'unknown option --__proto__', 'See: doctor --help'],
    [['--constructor'], 'unknown option --constructor', 'See: doctor --help'],
  ])('refuse %j with the same message', async (argv, message, hint) => {
    const expected = { code: 'E_USAGE', message, hint };
    await expect(throughYargs(argv)).rejects.toMatchObject(expected);
    expect(() => throughOwnReader(argv)).toThrow(expect.objectContaining(expected));
  });
});

describe('exec', () => {
  test('leaves everything after -- alone', () => {
    const given = throughOwnReader([
      'exec',
      'a/crew/b',
      '--wait',
      '3',
      '--',
      'sh',
      '-c',
      'echo "$1"',
      '--json',
      '--',
    ]);
    expect(given.positionals).toEqual(['a/crew/b']);
    expect(given.rest).toEqual(['sh', '-c', 'echo "$1"', '--json', '--']);
    expect(given.options.json).toBe(false);
  });

  test('says that -- is missing', () => {
    expect(() => throughOwnReader(['exec', 'a/crew/b', 'claude'])).toThrow('missing -- before the command');
    expect(() => throughOwnReader(['exec', 'a/crew/b'])).toThrow('exec needs a command after --');
  });
});

test('a command has its own options and no other', () => {
  const { options } = readArguments('locks', []);
  const keys = optionsOf('locks').map(({ key, name }) => key ?? name);
  expect(Object.keys(options)).toEqual(keys);
  // @ts-expect-error: the compiler knows it as well
  expect(options.dryRun).toBeUndefined();
});
