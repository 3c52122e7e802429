/**
 * Resolves once `condition` returns something other than false, undefined or an empty string (the text of a file that is there
 * but not yet written); throws after `withinMs` (a deadline, not a sleep). A condition that starts programs is asked less often,
 * so that asking does not slow down what is waited for.
 */
export const until = async <T>(
  condition: () => T | Promise<T>,
  what = 'the condition',
  withinMs = 60_000,
): Promise<Exclude<T, false | undefined>> => {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const asked = Date.now();
    const value = await condition();
    if (value !== false && value !== undefined && value !== '') return value as Exclude<T, false | undefined>;
    const now = Date.now();
    if (now > deadline) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    const pauseMs = Math.min(5 + 2 * (now - asked), 100);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
};
