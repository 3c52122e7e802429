/** Shows a plan and asks once whether to carry it out. */
import { createInterface } from 'node:readline/promises';
import { summary } from '../../check.ts';
import type { Plan, PlanStep } from '../../core/plan.ts';
import { count } from '../../core/report/amounts.ts';
import type { Verdict } from '../../core/types/judgement.ts';
import { displayWidth, padToWidth, wrapText } from '../../reporters/screen/display-width.ts';
import { createPen, type Presentation } from '../../reporters/screen/style.ts';
import { nameOf } from '../../reporters/screen/words.ts';
import type { Terminal } from './terminal.ts';

/** What a plan would do and leave, one line per lock; `lines` for a pipe, headed and aligned for a screen. */
export const describePlan = (
  plan: Plan,
  presentation: Presentation,
  root: string | undefined,
): readonly string[] => {
  const pen = createPen(presentation);
  const entry = ({ lock }: Verdict, text: string): Entry => ({
    worker: pen.safe(nameOf(lock.worker, root)),
    text,
  });
  const releases = plan.steps.map(({ verdict }) => entry(verdict, pen.safe(stateAndSummary(verdict))));
  const left = plan.left.map(({ verdict, why }) => entry(verdict, pen.safe(why)));
  if (presentation.layout === 'lines')
    return [
      ...releases.map(({ worker, text }) => `would release ${worker}: ${text}`),
      ...plan.leftovers.map(
        (worker) =>
          `would clean up ${pen.safe(nameOf(worker, root))}: unfinished files of a run that was killed; a lock that it had moved aside is restored and judged`,
      ),
      ...left.map(({ worker, text }) => `would skip ${worker}: ${text}`),
    ];
  return [
    ...section(
      `Will release ${count(plan.steps.length, 'lock')}${plan.steps.some(({ force }) => force) ? ' by force' : ''} (doctor undo restores ${plan.steps.length === 1 ? 'it' : 'them'}):`,
      releases,
      presentation,
    ),
    ...section(
      'Will clean up after a run that was killed (a lock that it had moved aside is restored and judged):',
      plan.leftovers.map((worker) => ({ worker: pen.safe(nameOf(worker, root)), text: '' })),
      presentation,
    ),
    ...section('Will skip:', left, presentation),
  ];
};

/** After this many invalid answers, the answer is no. */
const QUESTIONS = 3;

const YES_OR_NO = '[y]es, [N]o: ';
const ANSWERS = ['y', 'yes', 'n', 'no', ''];

const helpFor = (steps: number): readonly string[] => [
  `  y  ${['clean up', 'release it'][steps] ?? 'release all of them'}`,
  '  N  change nothing (also: Enter)',
  ...(steps > 1 ? ['  p  decide for each of them'] : []),
];

/** Who is asked: `ask` answers what was typed, null at the end of input; `say` shows lines above the next question. */
export interface Asking {
  readonly ask: (question: string, keys: string) => Promise<string | null>;
  readonly say: (lines: readonly string[]) => void;
}

/**
 * Asks whether a plan shall be carried out, and answers with the locks that may be released; null for a no. A typo is
 * asked again; Enter and the end of input mean no. Rejects when the run is interrupted at the question.
 */
export const askConsent = (
  plan: Plan,
  terminal: Terminal,
  presentation: Presentation,
  root: string | undefined,
): Promise<readonly PlanStep[] | null> =>
  withQuestions(terminal, presentation, (asking) => agreeOn(plan, presentation, asking, root));

/** Runs something that asks the person at the terminal. Rejects when the run is interrupted at a question. */
export const withQuestions = async <Result>(
  terminal: Terminal,
  presentation: Presentation,
  run: (asking: Asking) => Promise<Result>,
): Promise<Result> => {
  const { stdin, stderr, interrupted } = terminal;
  // Not as a terminal: the system keeps its line editing, and Ctrl-C stays a signal.
  const lines = createInterface({ input: stdin, output: stderr.stream, terminal: false });
  const ended = new Promise<null>((resolve) => lines.once('close', () => resolve(null)));
  const ask: Asking['ask'] = async (question, keys) => {
    const answer = await Promise.race([
      lines.question(
        asQuestion(question, keys, presentation),
        interrupted === null ? {} : { signal: interrupted },
      ),
      ended,
    ]);
    // What follows must not stand behind a question that was left open.
    if (answer === null) stderr.write('\n');
    return answer === null ? null : answer.trim().toLowerCase();
  };
  try {
    return await run({
      ask,
      say: (said) => stderr.write(said.map((line) => `${line}\n`).join('')),
    });
  } finally {
    lines.close();
  }
};

/** The questions about a plan, for any way of asking them. */
export const agreeOn = async (
  plan: Plan,
  presentation: Presentation,
  { ask, say }: Asking,
  root: string | undefined,
): Promise<readonly PlanStep[] | null> => {
  const pen = createPen(presentation);
  say(describePlan(plan, presentation, root));
  const what =
    plan.steps.length === 0
      ? 'Clean up?'
      : `Release ${plan.steps.length === 1 ? 'this lock' : `these ${count(plan.steps.length, 'lock')}`}?`;
  const keys = `[y]es, [N]o,${plan.steps.length > 1 ? ' [p]ick,' : ''} [?]help: `;
  const picked = await pickAmong(plan.steps, {
    ask: () => ask(what, keys),
    help: () => say(helpFor(plan.steps.length)),
    askOne: ({ verdict }) => {
      const name = pen.safe(nameOf(verdict.lock.worker, root));
      return ask(`Release ${name} (${pen.safe(stateAndSummary(verdict))})?`, YES_OR_NO);
    },
  });
  // A plan that only cleans up has no steps.
  return picked?.length === 0 && plan.steps.length > 0 ? null : picked;
};

/** All of the items, those that are picked one by one, or null for a no. A pick is offered where there are several. */
export const pickAmong = async <Item>(
  items: readonly Item[],
  {
    ask,
    help,
    askOne,
  }: {
    readonly ask: () => Promise<string | null>;
    readonly help: () => void;
    readonly askOne: (item: Item) => Promise<string | null>;
  },
): Promise<readonly Item[] | null> => {
  const answer = await askUntilClear(ask, [...ANSWERS, ...(items.length > 1 ? ['p', 'pick'] : [])], help);
  if (isYes(answer)) return items;
  if (answer !== 'p' && answer !== 'pick') return null;
  const picked: Item[] = [];
  for (const item of items) {
    const one = await askUntilClear(
      () => askOne(item),
      ANSWERS,
      () => {},
    );
    // At the end of input nothing more is to be asked.
    if (one === null) return null;
    if (isYes(one)) picked.push(item);
  }
  return picked;
};

const isYes = (answer: string | null): boolean => answer === 'y' || answer === 'yes';

/** Asks until an answer is valid, a few times at most. Null means no: no valid answer, or the end of input. */
const askUntilClear = async (
  ask: () => Promise<string | null>,
  answers: readonly string[],
  help: () => void,
): Promise<string | null> => {
  for (let asked = 0; asked < QUESTIONS; asked += 1) {
    const answer = await ask();
    if (answer === null || answers.includes(answer)) return answer;
    help();
  }
  return null;
};

/** A question wrapped for the terminal; what may be typed stands behind it, or on a line of its own. */
const asQuestion = (question: string, keys: string, { width }: Presentation): string => {
  const lines = wrapText(question, width);
  const last = lines.at(-1) ?? '';
  const fits = width === 0 || displayWidth(last) + 1 + keys.length < width;
  return `${lines.join('\n')}${fits ? ' ' : '\n'}${keys}`;
};

const stateAndSummary = (verdict: Verdict): string => `${verdict.state}, ${summary(verdict)}`;

interface Entry {
  readonly worker: string;
  readonly text: string;
}

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
