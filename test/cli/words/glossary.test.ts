/** The glossary describes words as the judge uses them. */
import { expect, test } from '@jest/globals';
import { NOTE_TEXTS, REASON_TEXTS } from '../../../src/cli/words/glossary.ts';
import { pageOfWorker } from '../../../src/cli/words/worker-page.ts';
import { examineSnapshot } from '../../../src/core/judge/examine.ts';
import { createPen, PLAIN } from '../../../src/reporters/screen/style.ts';
import { aLock, aSnapshot, present, ROOT } from '../../support/snapshot.ts';

const [ADA, BOB] = ['gastown/crew/ada', 'gastown/crew/bob'];

test('process-elsewhere is a live process of this machine that works at the original of this copied lock', () => {
  const examination = examineSnapshot(
    aSnapshot({
      locks: [aLock(ADA, { sessionId: '' }), aLock(BOB, { sessionId: '' })],
      lookups: [present(4242, { names: ['my-agent'], cwd: { seen: true, value: `${ROOT}/${ADA}` } })],
    }),
  );
  expect(examination.verdicts.map(({ state, reasons }) => [state, reasons[0]])).toEqual([
    ['held', 'process-alive'],
    ['stale', 'process-elsewhere'],
  ]);
  expect(REASON_TEXTS['process-elsewhere']).toMatch(/another worker.*same bytes/);
  expect(REASON_TEXTS['process-elsewhere']).not.toMatch(/host|namespace/);
  const { text } = pageOfWorker(BOB, examination, null, createPen(PLAIN));
  expect(text).toContain(NOTE_TEXTS.copy);
  expect(text).not.toContain('The holder is gone.');
});
