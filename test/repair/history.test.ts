import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { systemCalls } from '../../src/io/disk/system-calls.ts';
import { readHistory } from '../../src/repair/history/history.ts';
import { doctor } from '../cli/run-cli.ts';
import { cleanUp, makeTown } from '../support/index.ts';

afterEach(cleanUp);

const JOURNAL = '.runtime/lock-doctor/journal.jsonl';

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
    const [first = ''] = readFileSync(town.path(JOURNAL), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    town.write(JOURNAL, `${first}\n`);
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
