/** Shows a plan and asks once whether to carry it out. */
import { createInterface } from 'node:readline/promises';
import { summary } from '../../check.ts';
import type { Plan, PlanStep } from '../../core/plan.ts';
import type { Verdict } from '../../core/types/judgement.ts';
import { displayWidth, padToWidth, wrapText } from '../../reporters/screen/display-width.ts';
import { createPen, type Presentation } from '../../reporters/screen/style.ts';
import { count } from '../../reporters/screen/words.ts';
import type { Terminal } from './terminal.ts';

/** What a plan would do and leave, one line per lock; `lines` for a pipe, headed and aligned for a screen. */
export const describePlan = (plan: Plan, presentation: Presentation): readonly string[] => {
  const pen = createPen(presentation);
  const releases = plan.steps.map(({ verdict }) => entry(verdict, pen.safe(describe(verdict)), pen.safe));
  const left = plan.left.map(({ verdict, why }) => entry(verdict, pen.safe(why), pen.safe));
  if (presentation.layout === 'lines')
    return [
      ...releases.map(({ worker, text }) => `would release ${worker}: ${text}`),
      ...plan.leftovers.map(
        (worker) => `would tidy up ${pen.safe(worker)}: unfinished files of a run that was killed`,
      ),
      ...left.map(({ worker, text }) => `would leave ${worker}: ${text}`),
    ];
  return [
    ...section('To be released, each kept as a copy that doctor undo puts back:', releases, presentation),
    ...section(
      'To be tidied up after a run that was killed:',
      plan.leftovers.map((worker) => ({ worker: pen.safe(worker), text: '' })),
      presentation,
    ),
    ...section('To be left:', left, presentation),
  ];
};

/**
 * Asks once whether a plan shall be carried out, and answers with the locks that may be released. No answer, the end of
 * input and anything but a clear yes mean no. Rejects when the run is interrupted at the question.
 */
export const askConsent = async (
  plan: Plan,
  terminal: Terminal,
  presentation: Presentation,
): Promise<readonly PlanStep[] | null> => {
  const { stdin, stderr, interrupted } = terminal;
  const pen = createPen(presentation);
  // Not as a terminal: the system keeps its line editing, and Ctrl-C stays a signal.
  const lines = createInterface({ input: stdin, output: stderr.stream, terminal: false });
  const ended = new Promise<null>((resolve) => lines.once('close', () => resolve(null)));
  const ask = async (question: string): Promise<string> => {
    const answer = await Promise.race([
      lines.question(question, interrupted === null ? {} : { signal: interrupted }),
      ended,
    ]);
    // What follows must not stand behind a question that was left open.
    if (answer === null) stderr.write('\n');
    return (answer ?? '').trim().toLowerCase();
  };
  try {
    stderr.write(
      describePlan(plan, presentation)
        .map((line) => `${line}\n`)
        .join(''),
    );
    const what =
      plan.steps.length === 0
        ? 'Tidy up?'
        : `Release ${plan.steps.length === 1 ? 'this lock' : `these ${count(plan.steps.length, 'lock')}`}?`;
    const pick = plan.steps.length > 1 ? ' [p] pick one by one' : '';
    const answer = await ask(`${what} [y] yes [N] no${pick}: `);
    if (isYes(answer)) return plan.steps;
    if (pick === '' || !['p', 'pick'].includes(answer)) return null;
    const picked: PlanStep[] = [];
    for (const step of plan.steps) {
      const { worker } = step.verdict.lock;
      if (isYes(await ask(`Release ${pen.safe(worker)} (${pen.safe(describe(step.verdict))})? [y/N] `)))
        picked.push(step);
    }
    return picked;
  } finally {
    lines.close();
  }
};

const isYes = (answer: string): boolean => answer === 'y' || answer === 'yes';

const describe = (verdict: Verdict): string => `${verdict.state}, ${summary(verdict)}`;

interface Entry {
  readonly worker: string;
  readonly text: string;
}

const entry = ({ lock }: Verdict, text: string, safe: (text: string) => string): Entry => ({
  worker: safe(lock.worker),
  text,
});

const section = (title: string, entries: readonly Entry[], { width }: Presentation): readonly string[] => {
  if (entries.length === 0) return [];
  const column = Math.min(Math.max(...entries.map(({ worker }) => displayWidth(worker))), 36) + 2;
  const isNarrow = width > 0 && width - column < 40;
  return [
    ...wrapText(title, width),
    ...entries.flatMap(({ worker, text }) => {
      if (isNarrow)
        return [
          `  ${worker}`,
          ...(text === '' ? [] : wrapText(text, width - 4).map((line) => `    ${line}`)),
        ];
      const [first = '', ...more] = wrapText(text, width - column - 2);
      return [
        `  ${padToWidth(worker, column)}${first}`.trimEnd(),
        ...more.map((line) => ' '.repeat(column + 2) + line),
      ];
    }),
  ];
};
