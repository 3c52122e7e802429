/** Calls whose failure has one plain meaning, or none, for the caller. */

/** What a call returns; where it throws, whatever it throws, the value that stands for that. */
export const tryOr = <Value, Fallback>(act: () => Value, fallback: Fallback): Value | Fallback => {
  try {
    return act();
  } catch {
    return fallback;
  }
};

/** Makes a call whose failure changes nothing for the caller, who says why. */
export const quietly = (act: () => void): void => {
  try {
    act();
  } catch {
    // The caller has said why.
  }
};

/** Closes a descriptor: it is gone in any case, and nothing was written through it, or another failure is reported already. */
export const closeQuietly = (
  calls: { readonly close: (descriptor: number) => void },
  descriptor: number,
): void => quietly(() => calls.close(descriptor));
