import { describe, expect, test } from '@jest/globals';
import {
  fitsSomePrefix,
  isWithin,
  ownerOf,
  relativeTo,
  rolesOf,
  rolesOfEnvironment,
  rolesOfIdentity,
  sessionNamesOf,
} from '../../../src/core/town/roles.ts';
import type { GasTownEnvironment } from '../../../src/core/types/evidence.ts';

describe('the owner of a directory', () => {
  test.each([
    ['mayor', 'mayor', true],
    ['mayor/rig', 'mayor', true],
    ['mayor/rig/src', 'mayor', false],
    ['deacon', 'deacon', true],
    ['deacon/dogs', 'deacon', false],
    ['deacon/dogs/alpha', 'deacon/dogs/alpha', true],
    ['deacon/dogs/alpha/gastown', 'deacon/dogs/alpha', true],
    ['deacon/dogs/alpha/gastown/src', 'deacon/dogs/alpha', false],
    ['gastown/crew/ada', 'gastown/crew/ada', true],
    ['gastown/crew/ada/src', 'gastown/crew/ada', false],
    ['gastown/crew/beads-joe', 'gastown/crew/beads-joe', true],
    ['gastown/polecats/nux', 'gastown/polecats/nux', true],
    ['gastown/polecats/nux/gastown', 'gastown/polecats/nux', true],
    ['gastown/polecats/nux/other', 'gastown/polecats/nux', false],
    ['gastown/witness', 'gastown/witness', true],
    ['gastown/witness/rig', 'gastown/witness', true],
    ['gastown/refinery/rig', 'gastown/refinery', true],
    ['gastown/refinery/rig/src', 'gastown/refinery', false],
    ['gastown/mayor/rig', 'gastown/mayor', true],
    ['gastown/mayor', 'gastown/mayor', false],
  ])('%s belongs to %s', (worker, role, canonical) => {
    expect(ownerOf(worker)).toMatchObject({ role, dir: role, canonical });
  });

  test.each([
    '.',
    'gastown',
    'gastown/crew',
    'gastown/polecats',
    'gastown/settings',
    'docs/crew/ada',
    'logs/polecats/nux',
    'node_modules/crew/ada',
    '.repo.git/crew/ada',
    'jobs/build',
  ])('%s belongs to no agent', (worker) => {
    expect(ownerOf(worker)).toBeNull();
  });
});

describe('the roles that may work in a directory', () => {
  const rigs = [
    { name: 'gastown', prefix: 'gt' },
    { name: 'beads', prefix: 'bd' },
  ];
  const rolesAt = (worker: string): readonly string[] => {
    const owner = ownerOf(worker);
    return owner === null ? [] : rolesOf(owner, rigs);
  };

  test.each([
    ['gastown/polecats/nux', ['gastown/polecats/nux']],
    ['gastown/crew/ada', ['gastown/crew/ada']],
    ['gastown/crew/beads-joe', ['gastown/crew/beads-joe', 'beads/crew/joe']],
    ['gastown/crew/beads-', ['gastown/crew/beads-']],
    ['gastown/crew/other-joe', ['gastown/crew/other-joe']],
    ['gastown/polecats/beads-joe', ['gastown/polecats/beads-joe']],
    ['gastown/mayor/rig', ['gastown/mayor', 'mayor']],
    ['gastown/witness', ['gastown/witness']],
  ])('for %s', (worker, roles) => {
    expect(rolesAt(worker)).toEqual(roles);
  });
});

describe('session names', () => {
  test.each([
    ['mayor', null, ['hq-mayor', 'gt-mayor']],
    ['deacon', null, ['hq-deacon', 'gt-deacon']],
    ['deacon/dogs/boot', null, ['hq-boot', 'hq-dog-boot', 'gt-boot']],
    ['deacon/dogs/alpha', null, ['hq-dog-alpha']],
    ['gastown/crew/ada', 'gt', ['gt-crew-ada', 'gt-gastown-crew-ada']],
    ['beads/crew/ada', 'bd', ['bd-crew-ada', 'gt-beads-crew-ada']],
    ['beads/polecats/nux', 'bd', ['bd-nux', 'gt-beads-nux']],
    ['beads/witness', 'bd', ['bd-witness', 'gt-beads-witness']],
    ['beads/refinery', null, ['gt-refinery', 'gt-beads-refinery']],
    ['beads/mayor', 'bd', []],
  ])('of %s with prefix %p', (role, prefix, names) => {
    expect(sessionNamesOf(role, prefix)).toEqual(names);
  });

  test.each([
    ['re-crew-ada', 'reactor/crew/ada', true],
    ['-crew-ada', 'reactor/crew/ada', false],
    ['a-b-crew-ada', 'reactor/crew/ada', false],
    ['re-crew-adam', 'reactor/crew/ada', false],
    ['re-nux', 'reactor/polecats/nux', true],
    ['re-crew-nux', 'reactor/polecats/nux', false],
    ['re-witness', 'reactor/witness', true],
    ['RE-witness', 'reactor/witness', false],
    ['hq-mayor', 'mayor', false],
  ])('%s fits %s under some prefix: %p', (name, role, fits) => {
    expect(fitsSomePrefix(name, role)).toBe(fits);
  });
});

describe('identities', () => {
  test.each([
    ['gastown/joe', ['gastown/crew/joe', 'gastown/polecats/joe']],
    ['gastown/joe/', ['gastown/crew/joe', 'gastown/polecats/joe']],
    ['gastown/crew/joe', ['gastown/crew/joe']],
    ['gastown/polecats/joe', ['gastown/polecats/joe']],
    ['gastown/polecat/joe', ['gastown/polecats/joe']],
    ['gastown/witness', ['gastown/witness']],
    ['gastown/refinery', ['gastown/refinery']],
    ['mayor', ['mayor']],
    ['mayor/', ['mayor']],
    ['deacon/', ['deacon']],
    ['deacon/boot', ['deacon/dogs/boot']],
    ['deacon/dogs/alpha', ['deacon/dogs/alpha']],
    ['/', []],
    ['', []],
    ['joe', []],
    ['gastown/somewhere/joe', []],
    ['a/b/c/d', []],
  ])('%p means %p', (identity, roles) => {
    expect(rolesOfIdentity(identity)).toEqual(roles);
  });

  test.each<[GasTownEnvironment, readonly string[]]>([
    [{}, []],
    [{ GT_ROLE: 'gastown/polecats/nux' }, ['gastown/polecats/nux']],
    [{ GT_ROLE: 'mayor' }, ['mayor']],
    [{ GT_ROLE: 'boot' }, ['deacon/dogs/boot']],
    [{ GT_ROLE: 'crew', GT_RIG: 'gastown', GT_CREW: 'ada' }, ['gastown/crew/ada']],
    [{ GT_ROLE: 'polecat', GT_RIG: 'gastown', GT_POLECAT: 'nux' }, ['gastown/polecats/nux']],
    [{ GT_ROLE: 'polecat', GT_RIG: 'gastown', GT_CREW: 'ada', GT_POLECAT: 'nux' }, ['gastown/polecats/nux']],
    [{ GT_ROLE: 'witness', GT_RIG: 'gastown' }, ['gastown/witness']],
    [{ GT_RIG: 'gastown', GT_CREW: 'ada' }, ['gastown/crew/ada']],
    [{ GT_RIG: 'gastown', GT_POLECAT: 'nux' }, ['gastown/polecats/nux']],
    [{ GT_ROLE: 'crew', GT_CREW: 'ada' }, []],
    [{ GT_RIG: 'gastown' }, []],
    [{ GT_ROOT: '/town' }, []],
  ])('the environment %p names %p', (environment, roles) => {
    expect(rolesOfEnvironment(environment)).toEqual(roles);
  });
});

describe('paths', () => {
  test.each([
    ['a/b', 'a', true],
    ['a', 'a', true],
    ['ab', 'a', false],
    ['a', 'a/b', false],
    ['anything', '.', true],
    ['.', '.', true],
    ['.', 'a', false],
  ])('%s is within %s: %p', (path, dir, within) => {
    expect(isWithin(path, dir)).toBe(within);
  });

  test.each([
    ['/town', '/town', '.'],
    ['/town', '/town/a/b', 'a/b'],
    ['/town', '/township/a', null],
    ['/town', '/', null],
    ['/', '/a', 'a'],
    ['/', '/', '.'],
  ])('from %s, %s is %p', (root, path, relative) => {
    expect(relativeTo(root, path)).toBe(relative);
  });
});
