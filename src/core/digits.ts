/**
 * What is made of digits. No patterns: they are asked thousands of times where many processes run, and in a short run each
 * pattern that is met a second time is compiled, which takes as long as reading a process.
 */

/** True where a digit stands there; false at and behind the end. */
export const isDigitAt = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
};

/** True for texts that begin with a digit. */
export const startsWithDigit = (text: string): boolean => isDigitAt(text, 0);

/** True for texts of nothing but digits, and of one at least. */
export const isDigits = (text: string): boolean => {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text !== '';
};
