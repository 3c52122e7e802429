/** Locks with the same bytes: thousands of them are judged in linear time. */
import { expect, test } from '@jest/globals';
import { examineSnapshot } from '../../../src/core/judge/examine.ts';
import { judgeAll } from '../../../src/core/judge/judge.ts';
import { occupantReader } from '../../../src/core/judge/occupants/occupants.ts';
import { indexSnapshot } from '../../../src/core/town/town-index.ts';
import type { Snapshot } from '../../../src/core/types/evidence.ts';
import { absent, aLock, aPane, aServer, aSnapshot, ROOT } from '../../support/snapshot.ts';

/** A town in which an agent's directory was copied `count` times with its lock; the agent works in the first one. */
const clones = (count: number): Snapshot => {
  const locks = Array.from({ length: count }, (_, index) => aLock(`gastown/crew/ada${index}`));
  const pane = aPane({ sessionName: 'main', path: `${ROOT}/gastown/crew/ada0` });
  return aSnapshot({ locks, servers: [aServer([pane])], lookups: [absent(4242)] });
};

/** How often paths of workers are read, and how often the occupants of a worker are asked for. */
const workFor = (count: number): { readonly reads: number; readonly questions: number } => {
  const index = indexSnapshot(clones(count));
  let reads = 0;
  let questions = 0;
  const views = new Map<string, ReturnType<typeof index.viewOf>>();
  const viewOf = (worker: string) => {
    const known = views.get(worker);
    if (known !== undefined) return known;
    const view = Object.defineProperty({ ...index.viewOf(worker) }, 'worker', {
      get: () => {
        reads += 1;
        return worker;
      },
    });
    views.set(worker, view);
    return view;
  };
  const read = occupantReader({ ...index, viewOf });
  const verdicts = judgeAll({ ...index, viewOf }, (...question) => {
    questions += 1;
    return read(...question);
  });
  expect(verdicts.filter(({ notes }) => notes.includes('copy'))).toHaveLength(count - 1);
  return { reads, questions };
};

test('the cost of a copy does not grow with their number', () => {
  const [few, many] = [workFor(50), workFor(500)];
  expect(many.questions / few.questions).toBeLessThan(11);
  expect(many.reads / few.reads).toBeLessThan(11);
});

test('a copy lists only a few of the others', () => {
  const { verdicts } = examineSnapshot(clones(12));
  const texts = verdicts.at(-1)?.facts.map(({ text }) => text) ?? [];
  expect(texts).toContain(
    'same bytes as the lock of gastown/crew/ada0, gastown/crew/ada1, gastown/crew/ada2, gastown/crew/ada3, ' +
      'gastown/crew/ada4 and others, where its holder is',
  );
});
