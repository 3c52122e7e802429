/** The view as it goes on: what was seen last, what a key made of it, and the deed that is under way. */
import { messageOf } from '../../core/failure.ts';
import type { Examination } from '../../core/types/judgement.ts';
import type { Report } from '../../core/types/report.ts';
import type { DiagnoseOptions, Diagnosis } from '../../diagnose.ts';
import { preflightIn } from '../../places/preflight-in.ts';
import { cutToWidth } from '../../reporters/screen/display-width.ts';
import { createPen, type Presentation } from '../../reporters/screen/style.ts';
import { renderPage } from '../pages.ts';
import type { End } from '../watch/quit-key.ts';
import { pageOfWorker } from '../words/worker-page.ts';
import { type DeedContext, fix, undo } from './deeds.ts';
import { drawTop } from './draw.ts';
import { HELP_PAGE } from './help-page.ts';
import type { Key } from './keys.ts';
import { createQuestions } from './questions.ts';
import { type Memory, rememberRows, type TopRow } from './rows.ts';
import { createRunningDeed, type RunningDeed } from './running-deed.ts';
import { FIRST_STATE, press, stillSelected, type TopState, type Wish } from './state.ts';

export interface TopOptions {
  readonly root: string;
  /** What is said before anything else is; null for nothing. */
  readonly notice: string | null;
  readonly options: DiagnoseOptions;
  readonly presentation: Presentation;
  /** Once aborted no deed begins, and a question that is open is a no. */
  readonly signal: AbortSignal;
  readonly end: (reason: End) => void;
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** Lines that stand for the whole screen. */
  readonly onDraw: (lines: readonly string[]) => void;
}

export interface Top extends Pick<RunningDeed, 'changed' | 'idle'> {
  readonly press: (key: Key) => void;
  /** Takes in what a look has found. */
  readonly show: (diagnosis: Diagnosis) => void;
  readonly draw: () => void;
  /** A deed is under way, and waits for no answer. */
  readonly isActing: () => boolean;
  readonly lastReport: () => Report | null;
}

/** Opens the view. Every deed asks before it changes anything. */
export const openTop = (given: TopOptions): Top => {
  const { root, options, signal, end } = given;
  let state: TopState = { ...FIRST_STATE, message: given.notice };
  let report: Report | null = null;
  let examination: Examination | null = null;
  let memory: Memory | null = null;
  let rows: readonly TopRow[] = [];
  let page = 1;

  const presentation = (): Presentation => ({ ...given.presentation, width: given.size().columns });
  const draw = (): void => {
    const clock = new Date().toTimeString().slice(0, 8);
    const gone = memory?.gone ?? [];
    const drawn = drawTop({ state, report, rows, gone, root, clock }, presentation(), given.size().rows - 1);
    page = drawn.page;
    given.onDraw(drawn.lines);
  };
  const change = (part: Partial<TopState>): void => {
    state = { ...state, ...part };
    draw();
  };
  const questions = createQuestions(signal, (question) =>
    change(question === null ? { question } : { question, message: null }),
  );
  const deed = createRunningDeed((message) => change({ isBusy: false, question: null, message }));
  const begin = (what: string, run: (context: DeedContext) => Promise<string>): void => {
    if (deed.isRunning() || signal.aborted) return;
    change({ isBusy: true, message: what });
    const context = { root, options, asking: questions.asking(), presentation: presentation(), signal };
    deed.start(() =>
      run(context).catch((error: unknown) => createPen(given.presentation).safe(messageOf(error))),
    );
  };
  const read = (markdown: string): void => {
    const now = presentation();
    // The screen clips what is too long; half a command would run when it is pasted.
    const lines = renderPage(markdown, createPen(now), now).flatMap((line) => cutToWidth(line, now.width));
    change({ sheet: { lines, scroll: 0 }, message: null });
  };
  const explain = (row: TopRow): void => {
    const seen = examination;
    if (seen === null) return;
    const pen = createPen(presentation());
    preflightIn(seen.snapshot, row.place, options).then(
      (answer) => read(pageOfWorker(row.place, seen, answer, pen).text),
      (error: unknown) => change({ message: pen.safe(messageOf(error)) }),
    );
  };
  const release = (row: TopRow | null): void => {
    const seen = examination;
    if (seen !== null) begin('Looking again ...', (context) => fix(row, seen, context));
  };
  const fulfil = (wish: Wish): void => {
    if (wish.kind === 'quit' || wish.kind === 'interrupt') end(wish.kind);
    else if (wish.kind === 'help') read(HELP_PAGE);
    else if (wish.kind === 'answer') questions.reply(wish.text);
    else if (wish.kind === 'explain') explain(wish.row);
    else if (wish.kind === 'fix') release(wish.row);
    else begin('Reading the journal ...', undo);
  };
  return {
    press: (key) => {
      const pressed = press(state, key, rows, page);
      state = pressed.state;
      if (pressed.wish !== null) fulfil(pressed.wish);
      draw();
    },
    show: (diagnosis) => {
      ({ report, examination } = diagnosis);
      const remembered = rememberRows(diagnosis.report, memory, Date.now());
      state = { ...state, selected: stillSelected(state, rows, remembered.rows) };
      ({ rows, memory } = remembered);
      draw();
    },
    draw,
    changed: deed.changed,
    isActing: () => deed.isRunning() && state.question === null,
    idle: deed.idle,
    lastReport: () => report,
  };
};
