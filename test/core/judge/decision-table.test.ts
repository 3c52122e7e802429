/** The decision table of ARCHITECTURE.md matches the code. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { decide, type Weighing } from '../../../src/core/judge/decide.ts';
import {
  type ProcessState,
  type SessionState,
  STATES,
  type State,
} from '../../../src/core/types/judgement.ts';

const PAGE = new URL('../../../ARCHITECTURE.md', import.meta.url);
const PROCESSES: readonly ProcessState[] = ['alive', 'gone', 'recycled', 'unknown'];
const SESSIONS: readonly SessionState[] = ['live', 'gone', 'unnamed', 'unknown'];

const cellsOf = (line: string): readonly string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('`', ''));

/** Reads the table by its header; a row named `gone / recycled` counts for both. */
const readTable = (page: string): ReadonlyMap<string, string> => {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.startsWith('| process \\ session |'));
  if (start < 0) throw new Error('ARCHITECTURE.md has no table "process \\ session"');
  const [, ...sessions] = cellsOf(lines[start] ?? '');
  const end = lines.findIndex((line, at) => at > start && !line.startsWith('|'));
  const rows = lines.slice(start + 2, end < 0 ? undefined : end).map(cellsOf);
  return new Map(
    rows.flatMap(([names = '', ...states]) =>
      names
        .split(' / ')
        .flatMap((process) =>
          sessions.map((session, at) => [`${process} ${session}`, states[at] ?? ''] as const),
        ),
    ),
  );
};

const table = readTable(readFileSync(PAGE, 'utf8'));
const calm = { foreign: false, own: false, occupied: false, occupantsKnown: true, young: false };
const weigh = (process: ProcessState, session: SessionState, more: Partial<Weighing> = {}): State =>
  decide({ ...calm, process, session, ...more });

describe('the decision table of ARCHITECTURE.md', () => {
  test('has a cell for every pair of evidence and no other', () => {
    const pairs = PROCESSES.flatMap((process) => SESSIONS.map((session) => `${process} ${session}`));
    expect([...table.keys()].sort()).toEqual(pairs.sort());
    for (const state of table.values()) expect(STATES).toContain(state);
  });

  const cells = PROCESSES.flatMap((process) => SESSIONS.map((session) => [process, session] as const));

  test.each(cells)('says what the code decides for process %s and session %s', (process, session) => {
    expect(weigh(process, session)).toBe(table.get(`${process} ${session}`));
  });
});

describe('decisions beyond the table', () => {
  const all = PROCESSES.flatMap((process) => SESSIONS.map((session) => ({ process, session })));
  const flags = [false, true];
  const weighings: readonly Weighing[] = all.flatMap((pair) =>
    flags.flatMap((foreign) =>
      flags.flatMap((own) =>
        flags.flatMap((occupied) =>
          flags.flatMap((occupantsKnown) =>
            flags.map((young) => ({ ...pair, foreign, own, occupied, occupantsKnown, young })),
          ),
        ),
      ),
    ),
  );

  test('an occupant makes every lock held', () => {
    for (const one of weighings) if (one.occupied) expect(decide(one)).toBe('held');
  });

  test('a lock is stale only if its process is dead and it is known to be unoccupied', () => {
    for (const one of weighings)
      if (decide(one) === 'stale') {
        expect(['gone', 'recycled']).toContain(one.process);
        expect(one).toMatchObject({ foreign: false, occupied: false, occupantsKnown: true });
        if (one.session === 'live') expect(one.own).toBe(true);
        expect(one.session).not.toBe('unknown');
      }
  });

  test('a local lock of a live process is held or orphaned', () => {
    for (const one of weighings)
      if (one.process === 'alive' && !one.foreign) expect(['held', 'orphaned']).toContain(decide(one));
  });

  test('a young lock of a live process is held', () => {
    for (const one of weighings)
      if (one.process === 'alive' && one.young && !one.foreign) expect(decide(one)).toBe('held');
  });

  test('a foreign lock is held if life is seen here, and foreign otherwise', () => {
    for (const one of weighings)
      if (one.foreign) expect(decide(one)).toBe(one.occupied || one.session === 'live' ? 'held' : 'foreign');
  });
});
