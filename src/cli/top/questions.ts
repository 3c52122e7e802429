/** The questions that deeds ask in the view: one at a time, and none once the run is to end. */
import type { Asking } from '../terminal/consent.ts';
import type { Question } from './state.ts';

export interface Questions {
  /** For one deed: what it says stands above its next question. */
  readonly asking: () => Asking;
  /** Answers the open question; null is a no. */
  readonly reply: (text: string | null) => void;
}

/** @param show draws the open question; null: no question is open */
export const createQuestions = (
  signal: AbortSignal,
  show: (question: Question | null) => void,
): Questions => {
  let answer: ((text: string | null) => void) | null = null;
  const reply = (text: string | null): void => {
    const waiting = answer;
    answer = null;
    show(null);
    waiting?.(text);
  };
  signal.addEventListener('abort', () => reply(null));
  const asking = (): Asking => {
    const said: string[] = [];
    return {
      say: (lines) => {
        said.push(...lines);
      },
      ask: (text, keys) => {
        if (signal.aborted) return Promise.resolve(null);
        return new Promise((resolve) => {
          answer = resolve;
          show({ lines: [...said], text, keys });
        });
      },
    };
  };
  return { asking, reply };
};
