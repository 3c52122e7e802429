import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { systemCalls } from '../../src/io/disk/system-calls.ts';
import { readHistory } from '../../src/repair/history/history.ts';
import { doctor } from '../cli/run-cli.ts';
import { cleanUp, makeTown } from '../support/index.ts';

afterEach(cleanUp);

const JOURNAL = '.runtime/lock-doctor/journal.jsonl';

/** As a run leaves the journal that is killed right after it moved a lock; returns the line of that release. */
const forgetTheEnd = (town: ReturnType<typeof makeTown>): string => {
  const [begun = ''] = readFileSync(town.path(JOURNAL), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  town.write(JOURNAL, `${begun}\n`);
  return begun;
};

describe('the history of a town', () => {
  test('is empty if nothing was ever released', () => {
    expect(readHistory(systemCalls, makeTown().root)).toEqual({ events: [], missing: null });
  });

  test('lists releases, forced ones and restored locks in order', () => {
    const town = makeTown({ workers: ['gastown/crew/ada', 'gastown/crew/bob'] });
    town.lock('gastown/crew/ada', { session_id: '%55' });
    town.lock('gastown/crew/bob', { hostname: 'elsewhere' });
    doctor(['--fix'], { cwd: town.root });
    doctor(['undo'], { cwd: town.root });
    doctor(['--fix', '--force', '--yes', '--worker', 'gastown/crew/bob'], { cwd: town.root });
    const { events, missing } = readHistory(systemCalls, town.root);
    expect(missing).toBeNull();
    expect(events.map(({ deed, worker, lock }) => [deed, worker, lock?.state, lock?.forced])).toEqual([
      ['released', 'gastown/crew/ada', 'stale', false],
      ['restored', 'gastown/crew/ada', 'stale', false],
      ['released', 'gastown/crew/bob', 'foreign', true],
    ]);
    expect(events[0]?.lock?.holder).toMatchObject({ sessionId: '%55' });
    expect(events.map(({ by }) => by?.command)).toEqual([
      ['doctor', '--fix'],
      ['doctor', 'undo'],
      ['doctor', '--fix', '--force', '--yes', '--worker', 'gastown/crew/bob'],
    ]);
  });

  test('lists what exec took over', () => {
    const town = makeTown();
    town.lock('gastown/crew/ada', { session_id: '%55' });
    expect(doctor(['exec', 'gastown/crew/ada', '--', 'true'], { cwd: town.root }).status).toBe(0);
    expect(readHistory(systemCalls, town.root).events).toMatchObject([
      { deed: 'taken-over', worker: 'gastown/crew/ada', lock: { state: 'stale' } },
    ]);
  });

  test('reports a release without an end as begun, counts damaged lines, and says if the journal is unreadable', () => {
    const town = makeTown();
    town.lock('gastown/crew/ada');
    doctor(['--fix'], { cwd: town.root });
    forgetTheEnd(town);
    expect(readHistory(systemCalls, town.root).events.map(({ deed }) => deed)).toEqual(['begun']);
    appendFileSync(town.path(JOURNAL), '{"v":1,"event":"release","id":"../x"}\n');
    expect(readHistory(systemCalls, town.root).missing).toBe('1 line is damaged');
    rmSync(town.path(JOURNAL));
    town.worker(JOURNAL);
    expect(readHistory(systemCalls, town.root)).toEqual({
      events: [],
      missing: expect.stringContaining('is not a regular file'),
    });
  });

  test('tells how to undo what a killed run released, also after the next run', () => {
    const town = makeTown({ workers: ['gastown/crew/ada', 'gastown/crew/bob'] });
    town.lock('gastown/crew/ada');
    doctor(['--fix'], { cwd: town.root });
    const { id } = JSON.parse(forgetTheEnd(town)) as { id: string };
    town.lock('gastown/crew/bob');
    doctor(['--fix'], { cwd: town.root });
    const list = (): string => doctor(['undo', '--list'], { cwd: town.root }).stdout;
    expect(list()).toMatch(new RegExp(`release begun gastown/crew/ada: .*; undo: doctor undo ${id}\n`));
    expect(JSON.parse(doctor(['log', '--json'], { cwd: town.root }).stdout)).toMatchObject({
      events: [{ restorable: true }, { restorable: true, deed: 'begun' }],
    });
    // That undo was killed as well.
    appendFileSync(
      town.path(JOURNAL),
      `${JSON.stringify({ v: 1, event: 'undo', id, at: new Date().toISOString(), reason: null })}\n`,
    );
    expect(list()).toContain(`doctor undo ${id}\n`);
    expect(doctor(['undo', id], { cwd: town.root }).stdout).toContain('restored gastown/crew/ada');
    expect(list()).not.toContain('gastown/crew/ada');
    expect(existsSync(town.path('gastown/crew/ada/.runtime/agent.lock'))).toBe(true);
  });

  test('is part of the HTML report, unless the evidence was saved', () => {
    const town = makeTown();
    town.lock('gastown/crew/ada');
    doctor(['--save-snapshot', town.path('saved.json')], { cwd: town.root });
    const fixed = doctor(['--fix', '--format', 'html'], { cwd: town.root });
    expect([fixed.status, fixed.stderr]).toEqual([0, '']);
    expect(fixed.stdout).toMatch(
      /<time datetime[^>]*>[^<]*<\/time><\/span><span><span class="mark fixed">released/,
    );
    const saved = doctor(['--from-snapshot', town.path('saved.json'), '--format=html'], { cwd: town.root });
    expect(saved.status).toBe(1);
    expect(saved.stdout).not.toContain('mark fixed');
  });
});
