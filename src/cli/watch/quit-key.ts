/** The keys of a view that only shows: `q` ends it, Ctrl-Z suspends it. */
import { EXIT, type Report } from '../../core/types/report.ts';
import { quietly } from '../../io/try-or.ts';
import { suspendAll } from '../terminal/suspension.ts';

/** Why a view that stays ends; `lost`: its terminal has hung up, or nobody waits for it there any more. */
export type End = 'quit' | 'interrupt' | 'lost';

/** The exit code of such a view: that of its last look, unless it was cut short. A hang-up may show before its signal comes. */
export const codeOfEnd = (end: End | null, last: Report | null): Report['exitCode'] => {
  if (end === 'interrupt') return EXIT.interrupted;
  return end === 'lost' ? EXIT.hungUp : (last?.exitCode ?? EXIT.unsure);
};

export interface Keys {
  /** Aborted by the key that ends the view, or by the end of the terminal; its reason is an `End`. */
  readonly ended: AbortSignal;
  /** Takes the keys over again after `close`. */
  readonly open: () => void;
  /** Gives the terminal its settings back. */
  readonly close: () => void;
}

/** Reads single keys, unechoed, until closed. The kernel makes no signals of Ctrl-C and Ctrl-Z meanwhile, so they are keys. */
export const listenForKeys = (stdin: NodeJS.ReadStream): Keys => {
  const controller = new AbortController();
  const end = (reason: End): void => controller.abort(reason);
  const lose = (): void => end('lost');
  const onData = (keys: Buffer): void => {
    if (keys.includes('\u0003')) end('interrupt');
    else if (keys.includes('q')) end('quit');
    else if (keys.includes('\u001a')) suspendAll();
  };
  for (const event of ['end', 'close', 'error']) stdin.on(event, lose);
  const open = (): void => {
    stdin.setRawMode(true);
    stdin.on('data', onData);
    stdin.resume();
  };
  open();
  return {
    ended: controller.signal,
    open,
    close: () => {
      stdin.removeListener('data', onData);
      stdin.pause();
      // A terminal that has hung up does not take its settings back.
      quietly(() => stdin.setRawMode(false));
    },
  };
};
