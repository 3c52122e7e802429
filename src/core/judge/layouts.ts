/** A worker may have a lock at the place of today and one at the place of before December 2025. Pure. */
import type { Verdict } from '../types/judgement.ts';

/** Locks at the place of today first, otherwise in their order. */
export const newestLayoutFirst = (verdicts: readonly Verdict[]): readonly Verdict[] => [
  ...verdicts.filter(({ lock }) => lock.layout === 'runtime'),
  ...verdicts.filter(({ lock }) => lock.layout !== 'runtime'),
];
