/** How a finding is known from one run to the next. Pure. */

/**
 * `check:<lock>` where the finding is about a lock, else `check:<worker>`, or `check:.` where it is about none. A lock is known by
 * its id, of which the usual `agent:` is left out: `stale-lock:gastown/crew/ada`, and `stale-lock:gastown/crew/ada#legacy`
 * for one that lies at the old place beside it.
 */
export const findingId = (
  check: string,
  { worker, lock }: { readonly worker: string | null; readonly lock: string | null },
): string => `${check}:${lock?.replace(/^agent:/, '') ?? worker ?? '.'}`;
