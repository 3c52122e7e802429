/** Closes a descriptor whose failure would tell nothing new. */

/** Closes a descriptor and ignores a failure of close(2): the descriptor is gone in any case. Never throws. */
export const closeQuietly = (
  calls: { readonly close: (descriptor: number) => void },
  descriptor: number,
): void => {
  try {
    calls.close(descriptor);
  } catch {
    // Nothing was written through it, or another failure is reported already.
  }
};
