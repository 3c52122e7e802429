/** What can become of a release, each with a sentence fragment that says why. */
import type { ReleaseOutcome } from '../core/report/report.ts';

/** It was not what was diagnosed any more: untouched. */
export const changed = (reason: string): ReleaseOutcome => ({ status: 'changed', reason, backup: null });

/** It was left on purpose. */
export const skipped = (reason: string): ReleaseOutcome => ({ status: 'skipped', reason, backup: null });

/** The disk refused. */
export const failed = (reason: string): ReleaseOutcome => ({ status: 'failed', reason, backup: null });

/** Somebody ended the run. */
export const interrupted = (): ReleaseOutcome => skipped('the run was interrupted before it came to this');
