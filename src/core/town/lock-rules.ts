/** What the kind of a lock says of it: whether it speaks for a worker, which evidence counts, and which of two is newer. */
import type { LockFile, Witness } from '../types/evidence.ts';

/** True for the lock of a kind that claims the worker it lies at: only such a lock makes a directory a worker's place. */
export const claimsWorker = ({ rules }: Pick<LockFile, 'rules'>): boolean => rules === undefined;

/** The workers that one of these locks claims. */
export const workersClaimed = (verdicts: readonly { readonly lock: LockFile }[]): ReadonlySet<string> =>
  new Set(verdicts.flatMap(({ lock }) => (claimsWorker(lock) ? [lock.worker] : [])));

/** May that witness show that the lock's holder lives? */
export const isAsked = ({ rules }: LockFile, witness: Witness): boolean =>
  rules === undefined || rules.witnesses.includes(witness);

/** True where the lock does not name its holder by PID. One with a person's note needs no witness, unless it may be git's own. */
export const needsWitnesses = ({ content, tree }: LockFile): boolean =>
  content.kind === 'claim' &&
  (content.claim.by === 'open-file' || (content.claim.by === 'person' && tree?.isUnfinished === true));

/** True where the lock's own tool ignores it once its process is gone, so that it blocks nothing. */
export const isHarmless = ({ content }: LockFile): boolean =>
  content.kind === 'claim' && content.claim.by === 'number' && content.claim.isHarmless === true;

/** Whoever has locked the file itself holds it. */
export const isFlock = ({ content }: LockFile): boolean =>
  content.kind === 'claim' && content.claim.by === 'flock';

/** Locks at today's place first, those at the place used before December 2025 last; otherwise in their given order. */
export const newestLayoutFirst = <Judged extends { readonly lock: LockFile }>(
  verdicts: readonly Judged[],
): readonly Judged[] => [
  ...verdicts.filter(({ lock }) => lock.layout === 'runtime'),
  ...verdicts.filter(({ lock }) => lock.layout !== 'runtime'),
];
