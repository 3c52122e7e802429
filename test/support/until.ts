/** Resolves once `condition` returns something other than false or undefined; throws after `withinMs` (a deadline, not a sleep). */
export const until = async <T>(
  condition: () => T | Promise<T>,
  what = 'the condition',
  withinMs = 30_000,
): Promise<Exclude<T, false | undefined>> => {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
