import { expect, test } from '@jest/globals';
import { judgeSnapshot } from '../../src/core/judge/examine.ts';
import { whoIsThere } from '../../src/core/who-is-there.ts';
import { aLock, aProcess, aSnapshot, ROOT } from '../support/snapshot.ts';

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

test("only an agent's lock that was moved aside may be that of somebody who was not seen", () => {
  const aside = (lock: string) => {
    const path = `${ROOT}/${ADA}/${lock}`;
    const leftovers = [{ worker: ADA, path, kind: 'old', mtimeMs: 0 } as const];
    return whoIsThere({ ...aSnapshot({ locks: [] }), leftovers }, ADA, false)[0]?.unseen.length;
  };
  expect(aside('.runtime/agent.lock.0123456789abcdef.old')).toBe(1);
  // The lock of a branch that is called `agent`.
  expect(aside('.git/refs/heads/agent.lock.0123456789abcdef.old.lock')).toBe(0);
});
