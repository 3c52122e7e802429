/** Closing a descriptor where a failure tells nothing new. */

/** Gives a descriptor up whose close(2) can tell nothing new: it is gone whatever that answers. Never throws. */
export const closeQuietly = (
  calls: { readonly close: (descriptor: number) => void },
  descriptor: number,
): void => {
  try {
    calls.close(descriptor);
  } catch {
    // Nothing was written through it, or another failure is being told already.
  }
};
