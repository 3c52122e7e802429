/** What a check reports: findings, and what may be done about them, as data. */
import type { Examination, Fact } from './judgement.ts';

export const SEVERITIES = ['info', 'warning', 'error'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Id of the check of leases: known everywhere, and run only where a lease is configured. */
export const LEASE_CHECK = 'lease';

/** A proposal, as data. Only `repair/` acts on it, and only where the stamp and the verdict are still the same. */
export type Fix =
  | { readonly action: 'release'; readonly lock: string }
  /** Commands that work when pasted, as argument vectors; empty where the text says it all. */
  | { readonly action: 'advice'; readonly text: string; readonly commands: readonly (readonly string[])[] };

export interface Finding {
  readonly severity: Severity;
  /** Worker it is about; null for the town as a whole. */
  readonly worker: string | null;
  /** All of them where it is about several; `worker` is one of them. */
  readonly workers?: readonly string[];
  /** Id of the lock it is about, or null. */
  readonly lock: string | null;
  /**
   * What it is about where lock and worker do not tell it from the check's other findings: a path relative to the town, or
   * a word that is the same in every run. It makes the finding's id.
   */
  readonly about?: string;
  /** One sentence for an operator at 3 a.m. */
  readonly message: string;
  readonly evidence: readonly Fact[];
  readonly fix: Fix | null;
  /** False where this one is a problem although its check reports doubt. */
  readonly doubt?: false;
}

/** A diagnostic: pure, synchronous, over one examination. */
export interface Check {
  /** kebab-case; third-party checks are `package/name`. */
  readonly id: string;
  readonly title: string;
  /** One sentence for `doctor checks`. */
  readonly summary: string;
  /**
   * Findings of this check are doubt, not a problem: severity warning makes the run incomplete (22) but not failed (1).
   */
  readonly reportsDoubt?: boolean;
  readonly run: (examination: Examination) => readonly Finding[];
}
