import { expect, test } from '@jest/globals';
import { judgeSnapshot } from '../../src/core/judge/examine.ts';
import { whoIsThere } from '../../src/core/who-is-there.ts';
import { aLock, aProcess, aSnapshot } from '../support/snapshot.ts';

const ADA = 'gastown/crew/ada';

test('whoever took the lock may be there unseen, also if nobody else of that user matters', () => {
  const uid = 4711;
  const processes = [aProcess(800, { uid, cwd: { seen: false, why: 'EACCES' } })];
  const snapshot = aSnapshot({ locks: [aLock(ADA, {}, { uid })], processes });
  expect(judgeSnapshot(snapshot)).toMatchObject([{ state: 'unknown' }]);
  const why = 'agents may be running unseen: claude (process 800) of user 4711 hides its working directory';
  expect(whoIsThere(snapshot, ADA, false)).toMatchObject([{ people: [], unseen: [why] }]);
  // Without that lock he is nobody's concern here.
  const [place] = whoIsThere({ ...snapshot, locks: [] }, ADA, false);
  expect(place?.unseen).toEqual([]);
});
