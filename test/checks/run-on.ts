/** Runs one check over made-up evidence, the way a run does. */
import { examineSnapshot } from '../../src/core/judge/examine.ts';
import type { Check, Finding } from '../../src/core/types/check.ts';
import type { GitFacts } from '../../src/core/types/evidence.ts';
import { aSnapshot, ROOT, type SnapshotParts } from '../support/snapshot.ts';

export const runOn = (check: Check, parts: SnapshotParts): readonly Finding[] =>
  check.run(examineSnapshot(aSnapshot(parts)));

/** What git says of a lock in a repository, nothing wrong by default. */
export const gitSays = (facts: Partial<GitFacts> = {}): GitFacts => ({
  tracked: { seen: true, value: false },
  ignored: { seen: true, value: true },
  repository: `${ROOT}/gastown/crew/ada`,
  ...facts,
});

export const TRACKED = gitSays({ tracked: { seen: true, value: true } });
