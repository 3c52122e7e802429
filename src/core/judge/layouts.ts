/** A worker may have one lock at today's place and another at the place used before December 2025. Pure. */
import type { Verdict } from '../types/judgement.ts';

/** Locks at today's place first, otherwise in their given order. */
export const newestLayoutFirst = (verdicts: readonly Verdict[]): readonly Verdict[] => [
  ...verdicts.filter(({ lock }) => lock.layout === 'runtime'),
  ...verdicts.filter(({ lock }) => lock.layout !== 'runtime'),
];
