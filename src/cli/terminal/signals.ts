/** How signals end a run: soon, and never in the middle of a step. */
import { EXIT } from '../../core/types/report.ts';

/** How a run learns that it shall end, and how it says that it must not be left in the middle. */
export interface Interruption {
  /** Aborted by the first SIGINT or SIGTERM; its reason is the exit code. */
  readonly signal: AbortSignal;
  /** Resolves with the exit code as soon as the run may be left. */
  readonly left: Promise<130 | 143>;
  /** From here on the run changes files: it ends by itself at the next safe point, and is not left before. */
  readonly finishFirst: () => void;
  /** From here on signals do what they do by default. */
  readonly stopListening: () => void;
}

/** Time for the rest of an interrupted run (a tmux that does not answer) to end by itself. */
const GRACE_MS = 300;

/**
 * Takes over SIGINT and SIGTERM. The first one asks the run to end; a second one, or a rest that does not end, gets what
 * the signal does by default, which is the same exit code for a shell.
 */
export const listenForSignals = (): Interruption => {
  // Made for those who ask for it, which short runs do not.
  let controller: AbortController | null = null;
  let heard: 130 | 143 | null = null;
  let patient = false;
  let leave: (code: 130 | 143) => void = () => {};
  const left = new Promise<130 | 143>((resolve) => {
    leave = resolve;
  });
  const listen = (name: 'SIGINT' | 'SIGTERM', code: 130 | 143): void => {
    const first = (): void => {
      process.once(name, () => endBy(name, code));
      heard = code;
      controller?.abort(code);
      if (patient) return;
      leave(code);
      setTimeout(() => endBy(name, code), GRACE_MS).unref();
    };
    process.once(name, first);
  };
  listen('SIGINT', EXIT.interrupted);
  listen('SIGTERM', EXIT.terminated);
  return {
    get signal() {
      controller ??= new AbortController();
      if (heard !== null) controller.abort(heard);
      return controller.signal;
    },
    left,
    finishFirst: () => {
      patient = true;
    },
    stopListening,
  };
};

const stopListening = (): void => {
  for (const name of ['SIGINT', 'SIGTERM']) process.removeAllListeners(name);
};

const endBy = (name: NodeJS.Signals, code: 130 | 143): void => {
  stopListening();
  // A signal ends us without it, and with it programs end that we started and that still run.
  process.emit('exit', code);
  process.kill(process.pid, name);
};
