/** The keys of a view that only shows: `q` ends it. */
import { onParentGone } from './parent.ts';

/** Why a view that stays ends. */
export type End = 'quit' | 'interrupt' | 'lost';

export interface Keys {
  /** Aborted by the key that ends the view, or by the end of the terminal; its reason is an `End`. */
  readonly ended: AbortSignal;
  /** Gives the terminal its settings back. */
  readonly close: () => void;
}

/** Reads single keys, unechoed, until closed. The kernel makes no signal of Ctrl-C meanwhile, so it is one of the keys. */
export const listenForKeys = (stdin: NodeJS.ReadStream): Keys => {
  const controller = new AbortController();
  const forgetParent = onParentGone(() => end('lost'));
  const end = (reason: End): void => controller.abort(reason);
  const lose = (): void => end('lost');
  const onData = (keys: Buffer): void => {
    if (keys.includes('\u0003')) end('interrupt');
    else if (keys.includes('q')) end('quit');
  };
  for (const event of ['end', 'close', 'error']) stdin.on(event, lose);
  stdin.setRawMode(true);
  stdin.on('data', onData);
  return {
    ended: controller.signal,
    close: () => {
      forgetParent();
      stdin.removeListener('data', onData);
      stdin.pause();
      try {
        stdin.setRawMode(false);
      } catch {
        // A terminal that has hung up does not take its settings back.
      }
    },
  };
};
