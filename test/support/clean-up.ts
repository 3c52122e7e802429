/** Undoes what the test toolkit created, newest first. In a test file: `afterEach(cleanUp)`. */
const steps: (() => void | Promise<void>)[] = [];

/**
 * Registers a step that undoes something; run by `cleanUp`. Bun also runs it, as far as possible, when the test process exits
 * early; jest does not pass exits on to tests.
 */
export const onCleanUp = (step: () => void | Promise<void>): void => {
  steps.push(step);
};

/** Runs every registered step once, newest first. All run even if one fails; then the first failure is thrown. */
export const cleanUp = async (): Promise<void> => {
  const failures: unknown[] = [];
  for (let step = steps.pop(); step; step = steps.pop()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
};

process.once('exit', () => {
  for (let step = steps.pop(); step; step = steps.pop()) {
    try {
      void step();
    } catch {
      // The process is exiting: the remaining steps matter more than this one.
    }
  }
});
