/** Locks that name nobody: such a lock is stale only when all witnesses that its kind asks have seen nobody. Pure. */
import { isAsked } from '../../town/lock-rules.ts';
import type { TownIndex } from '../../town/views.ts';
import type { Claim } from '../../types/claim.ts';
import type { LockFile } from '../../types/evidence.ts';
import type { Fact, Note, Reason, State, Verdict } from '../../types/judgement.ts';
import { isFresh, writtenSecondsAgo } from '../ages.ts';
import { isOlderThanBoot } from '../holder/where-taken.ts';
import { mayRelease } from '../may-release.ts';
import { gitFact, placeNotes } from '../notes.ts';
import type { OccupantReader } from '../occupants/occupants.ts';
import { occupantsAt } from '../occupants/occupants-at.ts';
import {
  judgeFlock,
  judgeGit,
  judgeOpeners,
  judgeRefreshing,
  type WitnessFinding,
  witness,
} from './file-witnesses.ts';
import { gitLockFacts, judgeNote } from './git-lock.ts';
import { treeFact, treeNotes } from './linked-tree.ts';

/** Judges a lock whose claim names no process. */
export const judgeNameless = (
  lock: LockFile,
  claim: Exclude<Claim, { readonly by: 'number' }>,
  index: TownIndex,
  readOccupants: OccupantReader,
): Verdict => {
  const worker = index.viewOf(lock.worker);
  const around = occupantsAt(worker, lock, null, readOccupants);
  const occupied = around.occupants.length > 0;
  const isByHand = claim.by === 'person' && !isGitsOwn(lock);
  const asked = isByHand ? [] : askedOf(lock, claim, index);
  const decided = isByHand ? 'held' : stateOf(claim, asked, occupied, around.known);
  const { state, found } = elsewhereOrBefore(lock, decided, asked, index);
  const reasons: Reason[] = found.map(({ reason }) => reason);
  if (isByHand) reasons.push('no-process-named');
  if (occupied) reasons.push('occupied');
  else if (!around.known && state === 'unknown') reasons.push('occupants-unknown');
  const notes: Note[] = [...placeNotes(lock, worker, index), ...treeNotes(lock)];
  if (isByHand) notes.push('by-hand');
  const isNew = state === 'stale' && isFresh(lock, index);
  if (isNew) notes.push('fresh');
  const { root } = index.snapshot.town;
  const facts: Fact[] = [
    ...(isByHand ? [byHandFact(claim)] : []),
    // Who holds it is told first, else what became of its working tree.
    ...(state === 'held' ? [] : treeFact(lock)),
    ...(state === 'stale' ? gitLockFacts(lock, true, isNew, root) : []),
    ...inOrder(found).map(({ fact }) => fact),
    ...(state === 'held' ? treeFact(lock) : []),
    ...(state === 'stale' ? [] : gitLockFacts(lock, false, false, root)),
    ...around.facts,
    ...gitFact(lock),
  ];
  return {
    lock,
    state,
    reasons,
    notes,
    holder: null,
    writtenSecondsAgo: writtenSecondsAgo(lock, index),
    occupants: around.occupants,
    occupantsKnown: around.known,
    strangers: around.strangers,
    facts,
    release: mayRelease(lock, state, false, around, index),
  };
};

/** What decides first: life, then doubt. */
const ORDER: readonly WitnessFinding['state'][] = ['alive', 'unknown', 'gone'];

const inOrder = (found: readonly WitnessFinding[]): readonly WitnessFinding[] =>
  ORDER.flatMap((state) => found.filter((each) => each.state === state));

/**
 * A git lock on a network file system may be another machine's, whatever is seen here. One on a local disk that was last written
 * before this kernel started is nobody's, even where processes could not be looked at.
 */
const elsewhereOrBefore = (
  lock: LockFile,
  state: State,
  found: readonly WitnessFinding[],
  index: TownIndex,
): { readonly state: State; readonly found: readonly WitnessFinding[] } => {
  if (lock.gitDir === undefined || state === 'held') return { state, found };
  if (lock.network !== undefined)
    return {
      state: 'unknown',
      found: [
        witness(
          'unknown',
          'network-disk',
          `it is on a network file system (${lock.network}): another machine may hold it`,
          'host',
        ),
        ...found,
      ],
    };
  const { content } = lock;
  const isNameless = content.kind === 'claim' && content.claim.by === 'open-file';
  // Where its path is not UTF-8, the disk was not looked at.
  if (
    state !== 'unknown' ||
    !isNameless ||
    lock.pathBytes !== null ||
    !isOlderThanBoot(lock.mtimeMs, index.machine.seen.host)
  )
    return { state, found };
  return {
    state: 'stale',
    found: [
      witness('gone', 'rebooted', 'this machine was restarted since', 'host'),
      ...found.filter((each) => each.state !== 'unknown'),
    ],
  };
};

/** `git worktree add` locks what it has not finished, with a reason in its user's language: the state on disk tells it apart. */
const isGitsOwn = ({ tree }: LockFile): boolean => tree?.isUnfinished === true;

const byHandFact = ({ note }: Extract<Claim, { readonly by: 'person' }>): Fact => ({
  source: 'lock',
  text: note === '' ? 'locked without a reason or a name' : `locked by hand: ${note}`,
});

const askedOf = (
  lock: LockFile,
  claim: Exclude<Claim, { readonly by: 'number' }>,
  index: TownIndex,
): readonly WitnessFinding[] => [
  ...noted(lock, index),
  ...(isAsked(lock, 'open-file') && claim.by === 'open-file' ? [judgeOpeners(lock, index)] : []),
  ...(claim.by === 'flock' ? [judgeFlock(lock, index)] : []),
  ...(claim.by === 'mtime' ? [judgeRefreshing(lock, claim, index)] : []),
  ...(isAsked(lock, 'git') ? [judgeGit(lock, index)] : []),
];

const noted = (lock: LockFile, index: TownIndex): readonly WitnessFinding[] => {
  const finding = judgeNote(lock, index);
  return finding === null ? [] : [finding];
};

const stateOf = (
  claim: Exclude<Claim, { readonly by: 'number' }>,
  found: readonly WitnessFinding[],
  occupied: boolean,
  occupantsKnown: boolean,
): State => {
  if (occupied || found.some(({ state }) => state === 'alive')) return 'held';
  const isProven = found.length > 0 && occupantsKnown && found.every(({ state }) => state === 'gone');
  return isProven && (claim.by === 'open-file' || claim.by === 'person') ? 'stale' : 'unknown';
};
