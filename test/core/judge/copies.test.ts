/** Locks with the same bytes: thousands of them are judged in linear time. */
import { expect, test } from '@jest/globals';
import { examineSnapshot } from '../../../src/core/judge/examine.ts';
import { judgeAll } from '../../../src/core/judge/judge.ts';
import { occupantReader } from '../../../src/core/judge/occupants/occupants.ts';
import { indexSnapshot } from '../../../src/core/town/town-index.ts';
import type { Snapshot } from '../../../src/core/types/evidence.ts';
import { absent, aLock, aPane, aServer, aSnapshot, ROOT } from '../../support/snapshot.ts';

/** A town in which an agent was cloned `count` times with its lock; it works in the first of its directories. */
const clones = (count: number): Snapshot => {
  const locks = Array.from({ length: count }, (_, index) => aLock(`gastown/crew/ada${index}`));
  const pane = aPane({ sessionName: 'main', path: `${ROOT}/gastown/crew/ada0` });
  return aSnapshot({ locks, servers: [aServer([pane])], lookups: [absent(4242)] });
};

/** How often the paths of workers are read, and how often it is asked who works there. */
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

test('each of many copies costs as much as each of few', () => {
  const [few, many] = [workFor(50), workFor(500)];
  expect(many.questions / few.questions).toBeLessThan(11);
  expect(many.reads / few.reads).toBeLessThan(11);
});

test('a copy names some of the others, and not thousands', () => {
  const { verdicts } = examineSnapshot(clones(12));
  const texts = verdicts.at(-1)?.facts.map(({ text }) => text) ?? [];
  expect(texts).toContain(
    'same bytes as the lock of gastown/crew/ada0, gastown/crew/ada1, gastown/crew/ada2, gastown/crew/ada3, ' +
      'gastown/crew/ada4 and others, where its holder is',
  );
});
