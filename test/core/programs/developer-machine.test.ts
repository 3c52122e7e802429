/**
 * What the programs of a developer's machine count as: `fixtures/programs/developer-machine.json` is a process table put
 * together after what such machines show, and the golden file beside it says of each process what it is and why.
 *
 *     UPDATE_GOLDEN=1 npm run jest -- test/core/programs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { roleByArguments } from '../../../src/core/programs/by-arguments.ts';
import { classifier, programOf } from '../../../src/core/programs/classify.ts';
import type { ProcessInfo } from '../../../src/core/types/evidence.ts';
import { wasLeftBehind } from '../../../src/evidence/processes/left-behind.ts';
import { givenArguments, processNames } from '../../../src/evidence/processes/process-names.ts';
import type { ProcessRow } from '../../../src/evidence/processes/row.ts';

interface Captured {
  readonly pid: number;
  readonly ppid: number;
  readonly leader: number;
  readonly hasTerminal: boolean;
  readonly inForeground: boolean;
  readonly comm: string;
  readonly argv: readonly string[];
  readonly cwd: string;
}

const MACHINE = new URL('../../../fixtures/programs/developer-machine.json', import.meta.url);
const GOLDEN = new URL('../../../fixtures/programs/developer-machine.classes.txt', import.meta.url);

const captured = JSON.parse(readFileSync(MACHINE, 'utf8')) as readonly Captured[];

const rows = new Map(
  captured.map(({ argv: _, cwd: __, ...one }): [number, ProcessRow] => [
    one.pid,
    { ...one, dead: false, isKernelThread: false, startToken: String(one.pid), startedAtMs: null },
  ]),
);
const argvOf = new Map(captured.map(({ pid, argv }) => [pid, argv]));
const namesOf = ({ pid, comm }: ProcessRow): readonly string[] => processNames(comm, argvOf.get(pid) ?? []);

const described = captured.map((one): ProcessInfo => {
  const row = rows.get(one.pid);
  const names = processNames(one.comm, one.argv);
  const role = roleByArguments(names, givenArguments(one.comm, one.argv));
  return {
    ...{
      pid: one.pid,
      ppid: one.ppid,
      uid: 1000,
      names,
      startToken: null,
      startedAtMs: null,
      environment: null,
    },
    ...(one.inForeground ? { inForeground: true } : {}),
    ...(role === undefined ? {} : { role }),
    ...(row !== undefined && wasLeftBehind(row, rows, namesOf) ? { leftBehind: true as const } : {}),
    cwd: { seen: true, value: one.cwd },
  };
});

test('every program of the machine counts as the golden file says', () => {
  const classify = classifier(new Map(described.map((one) => [one.pid, one])), { agents: [] });
  const lines = described.map((one) => {
    const found = classify(one);
    return `${one.pid} ${programOf(one)}: ${found.class}, ${found.why}`;
  });
  const text = `${lines.join('\n')}\n`;
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(GOLDEN, text);
  expect(text).toBe(readFileSync(GOLDEN, 'utf8'));
});

test('what is kept of a process holds none of its arguments', () => {
  const kept = JSON.stringify(described);
  for (const argument of [
    '--full-auto',
    '--port',
    'src/main.ts',
    '/tmp/s2',
    '--useInferredProjectPerProjectRoot',
  ])
    expect(kept).not.toContain(argument);
});
