/** The deed that is under way in the view: one at the most. */

export interface RunningDeed {
  /** Starts a deed, which must not reject; does nothing while another one runs. */
  readonly start: (run: () => Promise<string>) => void;
  readonly isRunning: () => boolean;
  /** Resolves when the next deed has ended. */
  readonly changed: () => Promise<void>;
  /** Resolves when no deed is under way. */
  readonly idle: () => Promise<void>;
}

/** @param onEnd called with what the deed says at its end */
export const createRunningDeed = (onEnd: (message: string) => void): RunningDeed => {
  let running: Promise<void> | null = null;
  let onChanged = (): void => {};
  return {
    start: (run) => {
      running ??= run().then((message) => {
        running = null;
        onChanged();
        onEnd(message);
      });
    },
    isRunning: () => running !== null,
    changed: () =>
      new Promise((resolve) => {
        onChanged = resolve;
      }),
    idle: async () => {
      while (running !== null) await running;
    },
  };
};
