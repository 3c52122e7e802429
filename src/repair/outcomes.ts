/** The possible outcomes of a release, each with its reason as a sentence fragment. */
import { NOT_BEGUN } from '../core/report/interruption.ts';
import type { ReleaseOutcome } from '../core/report/report.ts';

/** It was no longer what had been diagnosed, and was not touched. */
export const changed = (reason: string): ReleaseOutcome => ({ status: 'changed', reason, backup: null });

/** Another lock stands at its place by now. */
export const replaced = (): ReleaseOutcome => changed('it is another one now');

/** It was left on purpose. */
export const skipped = (reason: string): ReleaseOutcome => ({ status: 'skipped', reason, backup: null });

/** The disk refused. */
export const failed = (reason: string): ReleaseOutcome => ({ status: 'failed', reason, backup: null });

/** The run was interrupted. */
export const interrupted = (): ReleaseOutcome => skipped(NOT_BEGUN);
