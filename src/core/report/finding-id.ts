/** The id of a finding, which stays the same from one run to the next. Pure. */
import { flat } from '../record/flat.ts';
import type { Finding } from '../types/check.ts';

/**
 * `check:<about>`: what the finding itself names (`lock-debris:gastown/crew/ada/.runtime/agent.lock.tmp`), else its lock, else
 * its worker, and `check:.` for the town as a whole. A lock appears as its id, without the usual `agent:`:
 * `stale-lock:gastown/crew/ada`, and `stale-lock:gastown/crew/ada#legacy` for one at the old place beside it.
 */
export const findingId = (
  check: string,
  { about, worker, lock }: Pick<Finding, 'about' | 'worker' | 'lock'>,
): string => flat(`${check}:${about ?? lock?.replace(/^agent:/, '') ?? worker ?? '.'}`);
