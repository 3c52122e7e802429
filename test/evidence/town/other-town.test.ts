import { afterEach, describe, expect, test } from '@jest/globals';
import { otherTownFinder } from '../../../src/evidence/town/place.ts';
import { cleanUp, makeTown } from '../../support/index.ts';

describe('the town of a path', () => {
  afterEach(cleanUp);

  test('is another town only outside ours, and then its outermost directory', () => {
    const ours = makeTown();
    const theirs = makeTown();
    theirs.write('gastown/crew/joe/mayor/town.json', '{}');
    const otherTownOf = otherTownFinder(ours.root);
    expect(otherTownOf(theirs.path('gastown/crew/joe/deep'))).toBe(theirs.root);
    expect(otherTownOf(theirs.root)).toBe(theirs.root);
    expect(otherTownOf(ours.path('gastown/crew/ada'))).toBeNull();
    expect(otherTownOf(`${ours.root}-not`)).toBeNull();
    expect(otherTownOf('/')).toBeNull();
    expect(otherTownOf('relative')).toBeNull();
  });
});
