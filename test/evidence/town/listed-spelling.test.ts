import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { asListed, resolveWorker, type SpellingDisk } from '../../../src/evidence/town/worker-path.ts';
import { cleanUp, makeTown } from '../../support/index.ts';

afterEach(cleanUp);

/** The disk of this machine as exFAT shows it: names are found in any case, and listed as they were created (injected). */
const ignoringCase: SpellingDisk = {
  names: (directory) => readdirSync(directory),
  exists: (path) => {
    let place = '/';
    for (const name of path.split('/').filter(Boolean)) {
      const found = readdirSync(place).find((other) => other.toLowerCase() === name.toLowerCase());
      if (found === undefined) return false;
      place = join(place, found);
    }
    return true;
  },
};

describe('on a file system that ignores case', () => {
  test.each([
    ['GasTown/CREW/Ada', 'gastown/crew/ada'],
    ['gastown/crew/ada', 'gastown/crew/ada'],
    ['gastown/crew/ÉVA', 'gastown/crew/éva'],
    ['gastown/crew/Nobody', 'gastown/crew/Nobody'],
    ['GASTOWN/crew/42', 'gastown/crew/42'],
    ['.', '.'],
  ])('%s is %s', (given, listed) => {
    const town = makeTown({ workers: ['gastown/crew/ada', 'gastown/crew/éva', 'gastown/crew/42'] });
    expect(asListed(given, town.root, ignoringCase)).toBe(listed);
  });

  test('a worker named in another spelling is the one that is listed', () => {
    const town = makeTown();
    expect(resolveWorker('gastown/crew/ADA', town.root, '/', ignoringCase)).toMatchObject({
      worker: 'gastown/crew/ada',
    });
  });
});

describe('on a file system that respects case', () => {
  test('two names that differ in case are two workers', () => {
    const town = makeTown({ workers: ['gastown/crew/ada', 'gastown/crew/ADA'] });
    if (readdirSync(town.path('gastown/crew')).length < 2) return; // this one ignores case
    expect(resolveWorker('gastown/crew/ADA', town.root, '/')).toMatchObject({ worker: 'gastown/crew/ADA' });
    expect(resolveWorker('gastown/crew/ada', town.root, '/')).toMatchObject({ worker: 'gastown/crew/ada' });
    expect(resolveWorker('gastown/crew/Ada', town.root, '/')).toMatchObject({
      worker: 'gastown/crew/Ada',
      exists: false,
    });
  });

  test('it costs one more lookup', () => {
    const town = makeTown();
    const asked: string[] = [];
    const counting: SpellingDisk = {
      names: (directory) => {
        asked.push(directory);
        return readdirSync(directory);
      },
      exists: (path) => {
        asked.push(path);
        return existsSync(path);
      },
    };
    mkdirSync(town.path('gastown/crew/bo'));
    expect(asListed('gastown/crew/bo', town.root, counting)).toBe('gastown/crew/bo');
    expect(asked).toEqual([town.path('gastown/crew/BO')]);
  });
});
