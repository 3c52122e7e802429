/** May a directory be removed: not while anybody works there, a lock is held, or work would be lost. Pure. */
import { count } from '../report/amounts.ts';
import { doubtOf } from '../report/doubt.ts';
import { mainGitDirOf, releaseCommand } from '../report/git-commands.ts';
import { describeLife, summary } from '../report/holder-words.ts';
import { optionWith } from '../report/name-worker.ts';
import { refusalOf } from '../report/refusals.ts';
import { describeAside } from '../town/moved-aside.ts';
import { relativeTo } from '../town/roles.ts';
import type { Gap, Leftover, MovedTree, Observed } from '../types/evidence.ts';
import type { Fact, Verdict } from '../types/judgement.ts';
import { type RepositoryWork, UNPLACED } from '../types/removal.ts';
import type { PlaceOfWork, PreflightResult } from '../types/report.ts';
import { holdsLock } from '../who-is-there.ts';
import { whereItIs } from './moved-tree.ts';

/** All that was seen of one directory. */
export interface RemovalEvidence {
  /** The directory's name in the answer. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** Of the town that its locks were looked for in. */
  readonly root: string;
  readonly places: readonly PlaceOfWork[];
  /** Of the locks in it and in its git directory. */
  readonly verdicts: readonly Verdict[];
  /** What could not be looked at in it. */
  readonly gaps: readonly Gap[];
  /** Locks in it, and in its git directory, that a killed run had moved aside; each with the root of its town. */
  readonly asides: readonly { readonly root: string; readonly leftover: Leftover }[];
  /** The repositories in it, and the one around it. */
  readonly repositories: readonly { readonly top: string; readonly work: Observed<RepositoryWork> }[];
  /** Worktrees that git lists here, and who works there in them: moved or copied without telling git. */
  readonly moved: readonly { readonly tree: MovedTree; readonly places: readonly PlaceOfWork[] }[];
  /** It has files but lies in no repository, so nothing shows whether they are kept anywhere else. */
  readonly isUnversioned: boolean;
  /** What became of its directory, a sentence; left out where it is there. */
  readonly gone?: string;
}

/** A reason against the removal, or a remark that belongs in the answer. */
interface Objection {
  readonly answer: PreflightResult['answer'];
  readonly reason: string | null;
  readonly fact: Fact;
  readonly next: readonly string[] | null;
  /** When to ask again; absent where time alone changes nothing. */
  readonly retryInSeconds?: number | null;
  /** Another objection says the same in better words. */
  readonly isTold?: boolean;
}

/** `held` beats `unsure`: one certain objection settles the answer. */
const WORST_FIRST = ['held', 'unsure', 'repair'] as const;

/** How many objections fit on one line; the evidence lists all of them. */
const MAX_SAID = 3;

/** The answer for one directory. */
export const answerRemoval = (evidence: RemovalEvidence): PreflightResult => {
  const objections = [
    ...evidence.places.flatMap((place) => ofPlace(place, evidence)),
    ...evidence.moved.flatMap(ofMoved),
    ...evidence.verdicts.map((verdict) => ofLock(verdict, evidence)),
    ...evidence.asides.map(ofAside),
    ...evidence.gaps.map(ofGap),
    ...evidence.repositories.flatMap((repository) => ofRepository(repository, evidence)),
    ...(evidence.isUnversioned ? [unversioned('it is not in a git repository')] : []),
  ];
  const answer = WORST_FIRST.find((word) => objections.some((each) => each.answer === word)) ?? 'free';
  const deciding = objections.filter((each) => each.answer === answer && each.reason !== null);
  const toSay = deciding.filter(({ isTold }) => isTold !== true);
  const said = toSay.slice(0, MAX_SAID).map(({ fact }) => fact.text);
  const more = toSay.length - said.length;
  return {
    worker: evidence.name,
    answer,
    state: null,
    reasons: [...new Set(objections.flatMap(({ reason }) => reason ?? []))],
    notes: [],
    message:
      answer === 'free'
        ? 'nobody works here, no lock is held, and nothing would be lost'
        : `${[...(evidence.gone === undefined ? [] : [evidence.gone]), ...said].join('; ')}${more === 0 ? '' : `; and ${more} more`}`,
    evidence: objections.map(({ fact }) => fact),
    retryInSeconds: deciding.find(({ retryInSeconds }) => retryInSeconds != null)?.retryInSeconds ?? null,
    next: [
      ...new Map(deciding.flatMap(({ next }) => (next === null ? [] : [[next.join('\0'), next]]))).values(),
    ],
  };
};

const objection = (
  answer: Objection['answer'],
  reason: string | null,
  source: Fact['source'],
  text: string,
  next: Objection['next'] = null,
): Objection => ({ answer, reason, fact: { source, text }, next });

/** What belongs in the answer and is no reason against the removal. */
const remark = (source: Fact['source'], text: string): Objection => objection('free', null, source, text);

const unsureOfLock = (text: string, next: Objection['next'] = null): Objection =>
  objection('unsure', 'lock-unknown', 'lock', text, next);

const ofPlace = (
  { path, people, unseen }: PlaceOfWork,
  { asides, verdicts, path: asked }: RemovalEvidence,
): readonly Objection[] => {
  const where = path === asked ? '' : `${relativeTo(asked, path) ?? path}: `;
  const told = asides.map(({ leftover }) => describeAside(leftover));
  const next = ['doctor', 'who', path];
  // The lock's own objection says who holds it.
  const said = new Set(verdicts.map(({ lock }) => holdsLock(lock.path)));
  const doubt = (why: string): Objection =>
    objection('unsure', 'occupants-unknown', 'occupants', where + why, next);
  const counting = people.map((one): Objection => {
    const isTold = said.has(one.why);
    if (one.class === 'agent')
      return { ...objection('held', 'occupied', 'occupants', where + one.why, next), isTold };
    if (one.class === 'unknown') return doubt(one.why);
    const process = one.pid === null ? '' : ` (process ${one.pid})`;
    return remark('occupants', `${where}not counted: ${one.name}${process}, ${one.why}`);
  });
  return [...counting, ...unseen.filter((why) => !told.includes(why)).map(doubt)];
};

/** Whoever works there does not work here, but needs git's files of this worktree, which git removes with it. */
const ofMoved = ({ tree, places }: RemovalEvidence['moved'][number]): readonly Objection[] =>
  places
    .flatMap(({ people }) => people.filter((one) => one.class === 'agent' || one.class === 'unknown'))
    .map(({ class: kind, why }) =>
      objection(
        'unsure',
        kind === 'agent' ? 'occupied' : 'occupants-unknown',
        'occupants',
        `${whereItIs(tree)}; there: ${why}`,
        ['doctor', 'who', tree.movedTo],
      ),
    );

/** A lock whose holder is gone is only mentioned, except the one by which git refuses the removal. */
const ofLock = (verdict: Verdict, { path, root }: RemovalEvidence): Objection => {
  const { lock, state, facts, notes, release } = verdict;
  const next = ['doctor', 'locks', '--under', path, '--town', root];
  const told = facts[0]?.text ?? state;
  const which = `the lock ${lock.path}`;
  switch (state) {
    case 'held':
      return objection(
        'held',
        'lock-held',
        'lock',
        notes.includes('by-hand')
          ? `${which} is held by a person, who alone unlocks it (git worktree unlock): ${told}`
          : `${which} is held: ${verdict.holder === null ? told : describeLife(verdict)}`,
        next,
      );
    case 'orphaned':
      return objection('held', 'lock-held', 'lock', `the process behind ${which} lives: ${told}`);
    case 'unknown':
      return unsureOfLock(`${which} cannot be judged: ${doubtOf(verdict)}`, next);
    case 'foreign':
      return unsureOfLock(`${which} was taken elsewhere: ${told}`, next);
    default: {
      const is = `${which} is ${state}: ${told}`;
      if (lock.kind === 'git-worktree') return barring(verdict, is);
      // The git that has just made it may not have been seen yet.
      if (lock.kind === 'git-lock' && !release.allowed && release.why === 'fresh')
        return {
          ...unsureOfLock(`${is}; ${refusalOf(verdict)}`),
          retryInSeconds: release.retryInSeconds,
        };
      return remark('lock', is);
    }
  }
};

/** git does not remove a worktree that has a lock, dead or not. In its main repository `--fix` releases a dead one. */
const barring = (verdict: Verdict, is: string): Objection => {
  const { lock, state, release } = verdict;
  const main = lock.gitDir?.main ?? mainGitDirOf(lock);
  if (release.allowed || release.why === 'outside')
    return objection(
      'repair',
      'lock-stale',
      'lock',
      `git does not remove it while its lock is there: ${state} ${summary(verdict)}`,
      releaseCommand({ path: lock.path, gitDir: { main } }),
    );
  const why = `${is}, but it is not released: ${refusalOf(verdict)}`;
  return { ...unsureOfLock(why, ['ls', '-ld', lock.path]), retryInSeconds: release.retryInSeconds };
};

/** Once it is back in its place it is judged like any other lock. */
const ofAside = ({ root, leftover }: RemovalEvidence['asides'][number]): Objection =>
  unsureOfLock(describeAside(leftover), [
    ...['doctor', '--fix', ...optionWith('worker', leftover.worker), '--town', root],
  ]);

const ofGap = ({ what, why }: Gap): Objection =>
  objection(
    'unsure',
    'unreadable',
    'lock',
    `${what.slice(what.indexOf(':') + 1)} could not be looked at: ${why}`,
  );

const unversioned = (why: string): Objection =>
  objection(
    'unsure',
    'no-repository',
    'git',
    `${why}, so nothing shows whether its files are kept anywhere else`,
  );

const ofRepository = (
  { top, work }: RemovalEvidence['repositories'][number],
  { path }: RemovalEvidence,
): readonly Objection[] => {
  const submodule = work.seen && work.value.isUnplaced ? ', of a submodule that is not checked out' : '';
  const where = top === path || path.startsWith(`${top}/`) ? '' : ` in ${top}${submodule}`;
  if (!work.seen)
    return [
      objection('unsure', 'work-unknown', 'git', `what would be lost${where} is not known: ${work.why}`),
    ];
  return [...lossesIn(top, work.value, where), ...remarksOn(top, work.value, where)];
};

/** Makes git ignore `.runtime/` in all working trees of a repository. */
const ignoreRuntime = (top: string): readonly string[] => [
  'sh',
  '-c',
  'printf \'\\n%s\\n\' .runtime/ >> "$(git -C "$1" rev-parse --path-format=absolute --git-path info/exclude)"',
  'sh',
  top,
];

/** Work that would be lost with a repository. */
const lossesIn = (
  top: string,
  {
    kind,
    branch,
    changed,
    untracked,
    isRuntimeOnly,
    isUnplaced,
    unpushed,
    inOtherRefs,
    stashes,
    operation,
    linkedTrees,
  }: RepositoryWork,
  where: string,
): readonly Objection[] => {
  const git = (...words: readonly string[]): readonly string[] => [
    ...['git', '-C', top, ...(isUnplaced ? UNPLACED : [])],
    ...words,
  ];
  const lost = (
    isLost: boolean,
    reason: string,
    text: string,
    next: readonly string[],
  ): readonly Objection[] => (isLost ? [objection('held', reason, 'git', text + where, next)] : []);
  const isLinked = kind === 'linked';
  const among = `${linkedTrees[0] ?? ''}${linkedTrees.length > 1 ? ' among them' : ''}`;
  const files = count(untracked, 'untracked file or directory', 'untracked files or directories');
  const commits = count(unpushed.commits, 'commit');
  const onNoOther =
    branch === null
      ? ', on no branch and on no remote'
      : ` of ${branch}, on no remote and on no other branch`;
  const orOnly = unpushed.onlyOn.length === 0 ? '' : `, or only on ${unpushed.onlyOn.join(', ')}`;
  return [
    ...lost(
      linkedTrees.length > 0,
      'linked-worktrees',
      `${count(linkedTrees.length, 'linked worktree')} would break, ${among}`,
      git('worktree', 'list'),
    ),
    ...lost(changed > 0, 'uncommitted', `${count(changed, 'file')} changed and not committed`, git('status')),
    ...lost(
      untracked > 0,
      'uncommitted',
      isRuntimeOnly ? '.runtime/ of its locks is not ignored, so git takes it for work' : files,
      isRuntimeOnly ? ignoreRuntime(top) : git('status'),
    ),
    ...lost(
      operation !== null && kind !== 'part',
      'uncommitted',
      `a ${operation} is not finished`,
      git('status'),
    ),
    ...lost(
      unpushed.commits > 0,
      'unpushed',
      isLinked ? commits + onNoOther : `${commits} on no remote${orOnly}`,
      git('log', '--oneline', ...unpushed.walk),
    ),
    ...lost(
      inOtherRefs.commits > 0,
      'unpushed',
      `${count(inOtherRefs.commits, 'commit')} in other refs than branches and tags, and in no remote-tracking branch`,
      git('log', '--oneline', '--source', ...inOtherRefs.walk),
    ),
    ...lost(stashes > 0 && kind === 'main', 'stash', stashEntries(stashes), git('stash', 'list')),
  ];
};

const stashEntries = (stashes: number): string => count(stashes, 'stash entry', 'stash entries');

/** What else there is to say of a repository: what stays, and what git cannot tell. */
const remarksOn = (
  top: string,
  { kind, stashes, hidden, isIgnored }: RepositoryWork,
  where: string,
): readonly Objection[] => {
  const stay = stashes === 1 ? 'stays' : 'stay';
  const unseen = `git was told not to look at changes of ${count(hidden, 'file')} (assume-unchanged or skip-worktree)`;
  return [
    ...(stashes > 0 && kind === 'linked'
      ? [remark('git', `${stashEntries(stashes)} of the repository, which ${stay} with it`)]
      : []),
    ...(hidden > 0
      ? [objection('unsure', 'work-unknown', 'git', unseen + where, ['git', '-C', top, 'ls-files', '-v'])]
      : []),
    ...(isIgnored ? [unversioned('git ignores it')] : []),
  ];
};
