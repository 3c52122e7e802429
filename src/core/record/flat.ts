/** Text that is kept for each of many locks. */

/**
 * The same text in one piece. V8 keeps a concatenated string as its parts, at 32 bytes for each join, until it is read. Reading it
 * at once is also faster than carrying the parts through a garbage collection.
 */
export const flat = (text: string): string => {
  void text.charCodeAt(0);
  return text;
};
