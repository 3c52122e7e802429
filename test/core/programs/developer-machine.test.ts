/**
 * How the programs of a developer's machine are classified; the golden file beside each table has the class of each process
 * and the reason. `captured-machine.json` was captured from real programs by `scripts/capture-programs.mjs`, byte for byte.
 * `by-hand.json` is modelled on such machines. It has only what cannot be started for a capture: what needs a desktop, an
 * account or another system (VS Code, Cursor, Amazon Q, Docker, git's file watcher, Claude Code's daemons), and impostors.
 *
 *     UPDATE_GOLDEN=1 npm run jest -- test/core/programs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { classifier, programOf } from '../../../src/core/programs/classify.ts';
import type { ProcessInfo } from '../../../src/core/types/evidence.ts';
import { roleIn, wasLeftBehind } from '../../../src/evidence/processes/describe.ts';
import { givenArguments, processNames } from '../../../src/evidence/processes/process-names.ts';
import type { ProcessRow } from '../../../src/evidence/processes/row.ts';
import { shellCodeOf } from '../../../src/evidence/processes/shell-code.ts';

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

const FOLDER = new URL('../../../fixtures/programs/', import.meta.url);

const tableIn = (name: string): readonly Captured[] => {
  const table = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as
    | readonly Captured[]
    | { readonly processes: readonly Captured[] };
  return 'processes' in table ? table.processes : table;
};

const describeAll = (captured: readonly Captured[]): readonly ProcessInfo[] => {
  const rows = new Map(
    captured.map(({ argv: _, cwd: __, ...one }): [number, ProcessRow] => [
      one.pid,
      { ...one, dead: false, isKernelThread: false, startToken: String(one.pid), startedAtMs: null },
    ]),
  );
  const argvOf = new Map(captured.map(({ pid, argv }) => [pid, argv]));
  const namesOf = ({ pid, comm }: ProcessRow): readonly string[] => processNames(comm, argvOf.get(pid) ?? []);
  return captured.map((one): ProcessInfo => {
    const row = rows.get(one.pid);
    const names = processNames(one.comm, one.argv);
    const role =
      row && roleIn(row, names, givenArguments(one.comm, one.argv), { readsTerminal: () => one.hasTerminal });
    const code =
      row &&
      shellCodeOf(row, {
        rows,
        details: {
          argv: () => one.argv,
          readsTerminal: () => null,
          hasPrompt: () => false,
          isForkOf: () => false,
        },
      });
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
      ...(code === undefined ? {} : { code }),
      ...(row !== undefined && wasLeftBehind(row, rows, namesOf) ? { leftBehind: true as const } : {}),
      cwd: { seen: true, value: one.cwd },
    };
  });
};

test.each(['captured-machine', 'by-hand'])('every program of %s has the class of the golden file', (name) => {
  const described = describeAll(tableIn(name));
  const classify = classifier(new Map(described.map((one) => [one.pid, one])), { agents: [] });
  const lines = described.map((one) => {
    const found = classify(one);
    return `${one.pid} ${programOf(one)}: ${found.class}, ${found.why}`;
  });
  const text = `${lines.join('\n')}\n`;
  const golden = new URL(`${name}.classes.txt`, FOLDER);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(golden, text);
  expect(text).toBe(readFileSync(golden, 'utf8'));
});

test('the evidence about a process contains none of its arguments', () => {
  const captured = tableIn('captured-machine');
  const kept = JSON.stringify(describeAll(captured));
  const given = captured.flatMap(({ argv }) => argv.slice(1));
  for (const argument of ['--bundle', '--max-old-space-size', '--dev-bind', 'notes.md', '--outfile=out.js']) {
    expect(given.join(' ')).toContain(argument);
    expect(kept).not.toContain(argument);
  }
});
