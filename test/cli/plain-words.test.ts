/** `explain` knows every word that a report prints; a worker of that name comes first. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { SEVERITIES } from '../../src/core/types/check.ts';
import { EVENTS } from '../../src/core/types/history.ts';
import { FACT_SOURCES, REASONS } from '../../src/core/types/judgement.ts';
import { cleanUp, makeTown } from '../support/index.ts';
import { doctor } from './run-cli.ts';

afterEach(cleanUp);

describe('explain', () => {
  test('knows every word that is printed', () => {
    const town = makeTown();
    const { stdout: overview } = doctor(['explain'], { cwd: town.root });
    const listed = overview.split(/[\s,]+/);
    const words = [
      ...SEVERITIES,
      ...EVENTS,
      ...FACT_SOURCES,
      'fixed',
      'restored',
      'skipped',
      'truncated',
      'sources',
    ];
    for (const word of [
      ...words,
      'planned',
      'changed',
      'crashed',
      'newer-lock',
      'marker',
      'cwd',
      'gap',
      'ok',
      'next',
    ])
      expect([word, listed.includes(word)]).toEqual([word, true]);
    for (const word of [
      'warning',
      'truncated',
      'sources',
      'empty',
      ...REASONS.filter((known) => known === 'symlink'),
    ])
      expect(doctor(['explain', word], { cwd: town.root })).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(word),
        stderr: '',
      });
  });

  test('explains the worker that has that name', () => {
    const town = makeTown({ marked: false, workers: ['backup', 'empty'] });
    town.lock('backup', '');
    town.lock('empty', '');
    for (const worker of ['backup', 'empty'])
      expect(doctor(['explain', worker], { cwd: town.root }).stdout).toContain(
        town.path(worker, '.runtime/agent.lock'),
      );
  });
});

describe('a lock-doctor.json that is not used', () => {
  test('is reported on standard error to runs in its directory, and to no others', () => {
    const town = makeTown();
    const unused = town.write('gastown/crew/ada/lock-doctor.json', '{ "skip": ["stale-lock"] }');
    const note = `doctor: not used: ${unused}; settings are read from the town's root, ${town.root}\n`;
    const beside = { cwd: town.path('gastown/crew/ada') };
    for (const args of [[], ['preflight', '.'], ['locks']])
      expect([args, doctor(args, beside)]).toMatchObject([args, { status: 0, stderr: note }]);
    expect(doctor([], { cwd: town.root }).stderr).toBe('');
    town.write('lock-doctor.json', '{}');
    expect(doctor([], { cwd: town.root }).stderr).toBe('');
    expect(doctor([], { ...beside, cwd: town.path('gastown') }).stderr).toBe('');
  });
});
