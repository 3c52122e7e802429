/** How signals end a run: soon, and never in the middle of a step. */
import { EXIT } from '../../core/types/report.ts';
import { elapsedMs } from '../../io/clock.ts';

const STATUSES = { SIGHUP: EXIT.hungUp, SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;

type Heard = keyof typeof STATUSES;

/** The exit status of a run that a signal ended, as a shell would give it. */
export type SignalStatus = (typeof STATUSES)[Heard];

const HEARD = Object.keys(STATUSES) as readonly Heard[];

/** How a run learns that it shall end, and how it says that it must not be left in the middle. */
export interface Interruption {
  /** Aborted by the first SIGHUP, SIGINT or SIGTERM; its reason is the exit code. */
  readonly signal: AbortSignal;
  /** True after a first signal to a run that changes files. */
  readonly isIgnoringSignals: boolean;
  /** Resolves with the exit code as soon as the run may be left. */
  readonly left: Promise<SignalStatus>;
  /** From here on the run changes files: it ends by itself at the next safe point, and is not left before. */
  readonly finishFirst: () => void;
  /** From here on signals do what they do by default, except for those that are ignored after a first one. */
  readonly stopListening: () => void;
}

/** Time for the rest of an interrupted run (a tmux that does not answer) to end by itself. */
const GRACE_MS = 300;

/** A run that changes files ends well before that, so a signal after this time ends it. */
const INSIST_MS = 5_000;

/**
 * Takes over SIGHUP, SIGINT and SIGTERM. The first one asks the run to end; a second one, or a rest that does not end, gets what
 * the signal does by default, which is the same exit code for a shell. While the run changes files more signals are ignored for
 * five seconds, until it has said what it did: some send theirs in volleys. SIGHUP is never heard again: a terminal that goes away
 * may say so several times, by the kernel and by its shell.
 */
export const listenForSignals = (): Interruption => {
  // Made on demand: short runs never ask for it.
  let controller: AbortController | null = null;
  let heard: SignalStatus | null = null;
  let heardAt = 0;
  let patient = false;
  let leave: (code: SignalStatus) => void = () => {};
  const left = new Promise<SignalStatus>((resolve) => {
    leave = resolve;
  });
  const isIgnored = (name: Heard): boolean =>
    name === 'SIGHUP' || (patient && elapsedMs() - heardAt < INSIST_MS);
  const listen = (name: Heard): void => {
    const code = STATUSES[name];
    // Never taken off in between: for a moment the signal would do what it does by default.
    process.on(name, () => {
      if (heard !== null) {
        if (!isIgnored(name)) endBy(name, code);
        return;
      }
      heard = code;
      heardAt = elapsedMs();
      controller?.abort(code);
      if (patient) return;
      leave(code);
      setTimeout(() => endBy(name, code), GRACE_MS).unref();
    });
  };
  for (const name of HEARD) listen(name);
  return {
    get signal() {
      controller ??= new AbortController();
      if (heard !== null) controller.abort(heard);
      return controller.signal;
    },
    get isIgnoringSignals() {
      return patient && heard !== null;
    },
    left,
    finishFirst: () => {
      patient = true;
    },
    stopListening: () => {
      for (const name of HEARD) if (heard === null || !isIgnored(name)) process.removeAllListeners(name);
    },
  };
};

const endBy = (name: Heard, code: SignalStatus): void => {
  for (const each of HEARD) process.removeAllListeners(each);
  // A signal ends us without it, and with it programs end that we started and that still run.
  process.emit('exit', code);
  process.kill(process.pid, name);
};
