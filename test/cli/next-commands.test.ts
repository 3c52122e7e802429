/** Printed commands select exactly the worker that they are about, whatever its name, in every common shell. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ReportFinding } from '../../src/core/types/report.ts';
import { quoteCommand } from '../../src/reporters/screen/shell-quote.ts';
import { cleanUp, makeTown, type TestTown } from '../support/index.ts';
import { doctorInProcess } from './in-process.ts';

/** Names that are options, words of ours, or special to shells and terminals. */
const NAMES = [
  ...['-rf', '--fix', '--', '-', '--worker', '--town=x', 'held', 'stale-lock', 'locks', 'help', '.x', '...'],
  ...[
    'a b',
    "it's",
    "'",
    'back\\slash',
    "\\'\\",
    '\\n',
    '*',
    '?',
    '[a]',
    '{a,b}',
    '~',
    '~root',
    '$HOME',
    '$(x)',
  ],
  ...[
    '`x`',
    '!bang',
    '!!',
    '#x',
    '%self',
    '=ls',
    'a=~',
    '^x^y',
    ';x',
    '&',
    '|x',
    '<x',
    '>x',
    '(x)',
    '"',
    'a,b',
  ],
  ...[
    'new\nline',
    'end\n',
    '\n',
    '\t',
    '\r',
    '\u001b[31mred',
    '\u202eleft',
    '\u2028',
    'zero\u200b',
    '100%\n',
    '%s\u0007',
  ],
  ...['町', '日本\n', 'é'],
];

/** Shells, with the flags that skip their startup files; each runs the script that follows -c. */
const SHELLS: readonly (readonly [shell: string, ...flags: string[]])[] = [
  ['sh'],
  ['dash'],
  ['bash', '--norc'],
  ['zsh', '-f'],
  ['fish', '--no-config'],
];

/** Runs lines in a shell in which `doctor` prints its arguments, and returns the arguments of each line. */
const argumentsIn = (
  [shell, ...flags]: readonly string[],
  lines: readonly string[],
  show: string,
): string[][] => {
  const script = lines.map((line) => line.replace(/^doctor /, `${show} `)).join('\n');
  const output = execFileSync(shell ?? '', [...flags, '-c', script], {
    env: { PATH: process.env.PATH, HOME: '/', LC_ALL: 'C.UTF-8' },
    encoding: 'utf8',
  });
  return output
    .split('\0END\0')
    .slice(0, -1)
    .map((one) => one.split('\0').slice(0, -1));
};

describe.each(SHELLS.map((shell) => [shell[0], shell] as const))('a printed command in %s', (name, shell) => {
  const isThere = spawnSync(name, ['-c', 'true']).status === 0;
  const inShell = isThere ? test : test.skip;

  inShell.each([false, true])(
    `${isThere ? '' : '(skipped: not installed) '}receives every argument unchanged (ASCII only: %j)`,
    (ascii) => {
      const town = makeTown({ workers: [] });
      const show = town.write(
        'show',
        `#!/bin/sh\nfor word; do printf '%s\\0' "$word"; done\nprintf '\\0END\\0'\n`,
      );
      execFileSync('chmod', ['+x', show]);
      const commands = NAMES.map((each) => ['doctor', each, `--worker=${each}`, `/town/${each}`]);
      const lines = commands.map((argv) => quoteCommand(argv, ascii));
      expect(lines.filter((line) => !/^[^\p{Cc}\p{Cf}\p{Zl}]*$/u.test(line))).toEqual([]);
      if (ascii) expect(lines.filter((line) => !/^[ -~]*$/.test(line))).toEqual([]);
      // A slash at the end of a path preserves a line break at the end of its name.
      const received = (text: string): string => (text.endsWith('\n') ? `${text}/` : text);
      expect(argumentsIn(shell, lines, show)).toEqual(commands.map((argv) => argv.slice(1).map(received)));
      town.remove();
    },
  );
});

describe('the next commands of a town full of such names', () => {
  let town: TestTown;
  let findings: readonly ReportFinding[];
  const run = async (argv: readonly string[], cwd: string) => {
    const { stdout, exitCode } = await doctorInProcess(argv, { cwd, env: { TMUX_TMPDIR: town.root } });
    return { exitCode, document: JSON.parse(stdout) as Record<string, unknown> };
  };
  const workers = [...NAMES.filter((name) => name !== '.x'), 'rig/crew/-rf', 'rig/crew/held'];

  beforeAll(async () => {
    town = makeTown({ workers: [] });
    for (const worker of workers) town.lock(worker, { session_id: '' });
    mkdirSync(town.path('rig/inside'), { recursive: true });
    findings = (await run(['--json', '--town', town.root], '/')).document.findings as ReportFinding[];
  });
  afterAll(cleanUp);

  test('name each worker', () => {
    expect(findings.map(({ worker }) => worker).sort()).toEqual([...workers].sort());
  });

  test('release only that worker, in whichever directory they are run', async () => {
    for (const { worker, next } of findings.filter(({ worker }) =>
      /^(-|held|new|end|rig)/.test(worker ?? ''),
    )) {
      const [command = []] = next;
      const received = command.slice(1).map((word) => (word.endsWith('\n') ? `${word}/` : word));
      const { document } = await run([...received, '--dry-run', '--json'], town.path('rig/inside'));
      const planned = (document.findings as ReportFinding[]).map((finding) => finding.worker);
      expect([worker, planned]).toEqual([worker, [worker]]);
    }
  });

  test('of preflight select that worker too', async () => {
    const cwd = town.path('rig/inside');
    for (const worker of workers) {
      const asked = await run(['preflight', town.path(worker), '--json'], cwd);
      const [result] = asked.document.results as { worker: string; next: string[][] }[];
      expect(result?.worker).toBe(worker);
      // If a process of another user could not be inspected, which may happen anywhere, the command is `explain`.
      const words = (result?.next[0] ?? []).slice(1).filter((word) => word !== '--fix');
      const { document } = await run([...words, '--json'], cwd);
      const { topic, results } = document as { topic?: { id: string }; results?: { worker: string }[] };
      expect([worker, topic?.id ?? results?.map((one) => one.worker)]).toEqual([
        worker,
        words[0] === 'explain' ? worker : [worker],
      ]);
    }
  });
});
