/** Runs one check on a constructed snapshot, judged as in a real run. */
import { examineSnapshot } from '../../src/core/judge/examine.ts';
import type { Check, Finding } from '../../src/core/types/check.ts';
import type { GitFacts } from '../../src/core/types/evidence.ts';
import { aSnapshot, ROOT, type SnapshotParts } from '../support/snapshot.ts';

export const runOn = (check: Check, parts: SnapshotParts): readonly Finding[] =>
  check.run(examineSnapshot(aSnapshot(parts)));

/** What git reports about a lock in a repository. By default the lock is ignored and not tracked. */
export const gitFacts = (facts: Partial<GitFacts> = {}): GitFacts => ({
  tracked: { seen: true, value: false },
  ignored: { seen: true, value: true },
  repository: `${ROOT}/gastown/crew/ada`,
  ...facts,
});

export const TRACKED = gitFacts({ tracked: { seen: true, value: true } });
