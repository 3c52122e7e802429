import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, makeTown, type TestTown } from '../../support/index.ts';
import { bareEnvironment, COMMAND, doctor } from '../run-cli.ts';

afterEach(cleanUp);

/** script(1) of util-linux: it runs a program on a terminal whose bytes can be read. */
const hasScript =
  spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true;

const ESCAPE = '\u001b';
const BEGIN = `${ESCAPE}]8;;`;
const END = `${ESCAPE}\\`;
const VTE = { TERM: 'xterm-256color', VTE_VERSION: '6800' };
const NAME = 'gastown/crew/a da$&%';

const unhealthyTown = (): TestTown => {
  const town = makeTown();
  town.lock(NAME, { session_id: '%5555' });
  return town;
};

const linked = (text: string, { root }: TestTown): string =>
  `${BEGIN}file://${encodeURIComponent(hostname())}${root}/gastown/crew/a%20da%24%26%25/.runtime/agent.lock${END}${text}${BEGIN}${END}`;

(hasScript ? describe : describe.skip)('links on a terminal (skipped without script)', () => {
  const bytesOf = (
    args: readonly string[],
    { root }: TestTown,
    env: Readonly<Record<string, string>>,
  ): string => {
    const command = ['stty cols 120;', ...COMMAND, ...args, '--town', root].join(' ');
    return spawnSync('script', ['-qec', command, '/dev/null'], {
      env: bareEnvironment(env),
      encoding: 'utf8',
    }).stdout;
  };

  test('the name of a lock links to its file in every list, and keeps its width', () => {
    const town = unhealthyTown();
    expect(bytesOf(['--no-color'], town, VTE)).toContain(`${linked(NAME, town)}: its process`);
    expect(bytesOf(['locks', '--no-color'], town, VTE)).toContain(
      `${linked('crew/a da$&%', town)} stale    its process`,
    );
    const plain = bytesOf(['locks', '--no-color'], town, { ...VTE, FORCE_HYPERLINK: '0' });
    expect(
      bytesOf(['locks', '--no-color'], town, VTE).replaceAll(
        linked('crew/a da$&%', town),
        () => 'crew/a da$&%',
      ),
    ).toBe(plain);
  });

  test.each([
    [{ TERM: 'xterm-256color' }, false],
    [{ TERM: 'xterm-256color', VTE_VERSION: '4902' }, false],
    [{ ...VTE, TMUX: '/tmp/x,1,0' }, false],
    [{ ...VTE, STY: '1.x' }, false],
    [{ ...VTE, TERM: 'dumb' }, false],
    [{ ...VTE, CI: '1' }, false],
    [{ TERM: 'screen-256color', TERM_PROGRAM: 'WezTerm' }, false],
    [{ ...VTE, FORCE_HYPERLINK: '0' }, false],
    [{ TERM: 'screen-256color', FORCE_HYPERLINK: '1' }, true],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'WezTerm' }, true],
    [{ TERM: 'xterm-kitty' }, true],
  ] as const)('with %j links are written: %j', (env, expected) => {
    expect(bytesOf(['locks'], unhealthyTown(), env).includes(BEGIN)).toBe(expected);
  });
});

test('writes no links to a pipe, whatever the environment', () => {
  const { root } = unhealthyTown();
  for (const args of [[], ['locks'], ['-v']])
    expect(doctor([...args, '--town', root], { env: { ...VTE, FORCE_HYPERLINK: '1' } }).stdout).not.toContain(
      ESCAPE,
    );
});
