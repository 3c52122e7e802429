import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import check from '../../checks/legacy-layout.ts';
import type { LegacyItem } from '../../src/core/types/evidence.ts';
import { aLock, aSnapshot, ROOT } from '../support/snapshot.ts';
import { runOn } from './run-on.ts';

const item = (fields: Partial<LegacyItem> = {}): LegacyItem => ({
  from: '.gastown/costs.json',
  to: '.runtime/costs.json',
  targetExists: false,
  isDirectory: false,
  ...fields,
});

describe('legacy-layout reports', () => {
  test('a file left in the old layout, with the commands that move it', () => {
    expect(runOn(check, { over: { legacy: [item()] } })).toMatchObject([
      {
        severity: 'info',
        worker: null,
        lock: null,
        message: '.gastown/costs.json belongs at .runtime/costs.json',
        fix: {
          action: 'advice',
          commands: [
            ['mkdir', '-p', `${ROOT}/.runtime`],
            ['mv', '-n', `${ROOT}/.gastown/costs.json`, `${ROOT}/.runtime/costs.json`],
          ],
        },
      },
    ]);
  });

  test('a file that exists in both layouts, with a diff command and no move', () => {
    const legacy = [item({ targetExists: true })];
    expect(runOn(check, { over: { legacy } })).toMatchObject([
      {
        message: expect.stringContaining('(old) and .runtime/costs.json exist'),
        fix: { commands: [['diff', '-r', `${ROOT}/.gastown/costs.json`, `${ROOT}/.runtime/costs.json`]] },
      },
    ]);
  });

  test('each item separately', () => {
    const legacy = [item(), item({ from: 'gastown/.gastown/a', to: 'gastown/.runtime/a' })];
    expect(runOn(check, { over: { legacy } })).toHaveLength(2);
  });
});

describe('legacy-layout is silent about', () => {
  test('a town in the current layout', () => {
    expect(runOn(check, { locks: [aLock('gastown/crew/ada')] })).toEqual([]);
  });

  test('a lock in the old layout, which is judged like any other', () => {
    const lock = aLock('gastown/crew/ada', {}, { layout: 'legacy' });
    expect(runOn(check, { locks: [lock] })).toEqual([]);
  });

  test('an empty town', () => {
    expect(runOn(check, {})).toEqual([]);
  });
});

describe('the advised commands, run as printed,', () => {
  const places: string[] = [];
  afterEach(() => {
    for (const place of places.splice(0)) rmSync(place, { recursive: true, force: true });
  });

  const makeTown = (files: Readonly<Record<string, string>>): string => {
    const root = mkdtempSync(join(tmpdir(), "it's a town "));
    places.push(root);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return root;
  };
  const paste = (root: string): void => {
    const base = aSnapshot();
    const snapshot = { ...base, town: { ...base.town, root }, legacy: [item()] };
    for (const finding of check.run({ snapshot, verdicts: [], collisions: [], lockless: [] })) {
      if (finding.fix?.action !== 'advice') throw new Error('no advice');
      for (const [program = '', ...words] of finding.fix.commands) execFileSync(program, words);
    }
  };

  test('move a file into a directory that does not exist yet', () => {
    const root = makeTown({ '.gastown/costs.json': 'old' });
    paste(root);
    expect(readFileSync(join(root, '.runtime/costs.json'), 'utf8')).toBe('old');
  });

  test('do not overwrite a target that has appeared since', () => {
    const root = makeTown({ '.gastown/costs.json': 'old', '.runtime/costs.json': 'new' });
    try {
      paste(root);
    } catch {
      // Newer versions of mv exit with an error when they do not move the file.
    }
    expect(readFileSync(join(root, '.runtime/costs.json'), 'utf8')).toBe('new');
    expect(readFileSync(join(root, '.gastown/costs.json'), 'utf8')).toBe('old');
  });
});
