/** The page of one worker behind `doctor explain WORKER`: what is there, why, and what may be done. Markdown. */
import { releaseOf } from '../../core/judge/may-release.ts';
import { doubtOf } from '../../core/report/doubt.ts';
import { releaseCommand, unlockCommand } from '../../core/report/git-commands.ts';
import { sinceAtEnd } from '../../core/report/holder-words.ts';
import { optionWith, townOption } from '../../core/report/name-worker.ts';
import { refusalOf } from '../../core/report/refusals.ts';
import { attachTo } from '../../core/town/in-pane.ts';
import { claimsWorker, newestLayoutFirst } from '../../core/town/lock-rules.ts';
import type { GoneTree, LockFile, MovedTree, Snapshot } from '../../core/types/evidence.ts';
import type { Collision, Examination, Fact, Verdict } from '../../core/types/judgement.ts';
import type { Person, PreflightResult } from '../../core/types/report.ts';
import { whoIsThere } from '../../core/who-is-there.ts';
import type { Pen } from '../../reporters/screen/style.ts';
import { nameOf } from '../../reporters/screen/words.ts';
import { introduce } from '../../reporters/who.ts';
import { RECIPE_BEGINS } from './force-recipe.ts';
import {
  JUST_WRITTEN,
  NOT_A_FILE,
  NOTE_TEXTS,
  OTHER_KINDS,
  REASON_TEXTS,
  STATE_PAGES,
  type StatePage,
} from './glossary.ts';

/**
 * The page of one worker, and the locks that it is about. `answer` is what a start there would get, and `penFor` writes the part
 * about a lock, where its commands are another machine's.
 */
export const pageOfWorker = (
  worker: string,
  examination: Examination,
  answer: PreflightResult | null,
  pen: Pen,
  penFor: (lock: LockFile) => Pen = () => pen,
): {
  readonly text: string;
  readonly verdicts: readonly Verdict[];
  readonly answer: PreflightResult | null;
} => {
  const verdicts = newestLayoutFirst(examination.verdicts.filter(({ lock }) => lock.worker === worker));
  const text =
    verdicts.length === 0
      ? describeFree(worker, answer, examination, pen)
      : describeLocks(verdicts, examination, penFor);
  return { text, verdicts, answer };
};

/** A worker with locks: a page for each. */
const describeLocks = (
  verdicts: readonly Verdict[],
  examination: Examination,
  penFor: (lock: LockFile) => Pen,
): string => {
  const pages = verdicts.map((verdict) => describeVerdict(verdict, examination, penFor(verdict.lock)));
  const [only = ''] = pages;
  return pages.length === 1
    ? only
    : [`This worker has ${pages.length} locks, and --worker means all of them.\n`, ...pages].join('\n');
};

/** Foreign text is made harmless piece by piece: its line breaks would pass for ours. */
const describeVerdict = (verdict: Verdict, { snapshot, collisions }: Examination, pen: Pen): string => {
  const { safe, command } = pen;
  const { lock, state, reasons, notes, facts, release } = verdict;
  const { root } = snapshot.town;
  const target = [...optionWith('worker', lock.worker), ...townOption(snapshot.town)];
  const refusal = refusalOf(verdict);
  const clashes = collisions.filter(({ workers }) => workers.includes(lock.worker));
  const isCrowded = clashes.some(({ kind }) => kind === 'agents');
  // Force would take the lock from an agent that is alive: that is never the way out.
  const isWorkedIn = isCrowded || (state === 'held' && claimsWorker(lock));
  const isForcible = releaseOf(verdict, true).allowed;
  const canForce = !release.allowed && release.why === 'state' && !isWorkedIn && isForcible;
  const named = claimsWorker(lock) ? target : [...optionWith('lock', lock.id), ...townOption(snapshot.town)];
  return [
    `# ${safe(nameOf(lock.worker, root))}: ${clashes.length === 0 ? state : 'collision'}`,
    '',
    ...(clashes.length === 0
      ? [meaningOf(verdict), '']
      : describeCollisions(lock.worker, clashes, snapshot, pen)),
    `Lock: ${safe(lock.path)}${claimsWorker(lock) ? '' : `, of the kind ${lock.kind}`}${clashes.length === 0 ? '' : ` (${state})`}${sinceAtEnd(verdict)}`,
    '',
    '## Why',
    '',
    ...reasons.map((reason) => `- ${reason}: ${REASON_TEXTS[reason]}.`),
    '',
    ...evidencePart(facts, clashes, safe),
    ...(notes.length === 0
      ? []
      : ['## Notes', '', ...notes.map((note) => `- ${note}: ${NOTE_TEXTS[note]}`), '']),
    '## What --fix does',
    '',
    refusal === null
      ? inOneLine('Releases it:', command(['doctor', '--fix', ...target]))
      : !release.allowed && release.why === 'outside'
        ? inOneLine(`Nothing from here: ${refusal}. Run:`, command(releaseCommand(lock)))
        : canForce
          ? 'Nothing, unless forced.'
          : `Nothing: ${isCrowded ? 'agents are running here' : isWorkedIn ? 'the lock is held' : safe(refusal)}.`,
    ...checkPart(verdict, pen),
    ...byHandPart(verdict, pen),
    ...(canForce ? ['', inOneLine(RECIPE_BEGINS, command(['doctor', '--fix', '--force', ...named]))] : []),
    '',
    ...gonePart(verdict, pen),
    '## When this changes',
    '',
    isCrowded ? 'When only one of the agents is left.' : whatChanges(verdict, safe),
    '',
  ].join('\n');
};

/** How to unlock a worktree that a person locked; empty for other locks, and where the part about the missing directory says it. */
const byHandPart = ({ lock, notes }: Verdict, { command }: Pen): readonly string[] => {
  const unlock = notes.includes('by-hand') && !notes.includes('gone') ? unlockCommand(lock) : null;
  return unlock === null ? [] : ['', inOneLine('Whoever locked it unlocks it:', command(unlock))];
};

/** What to do first about the lock of a process that is still running. */
const checkPart = ({ state, holder }: Verdict, { command }: Pen): readonly string[] =>
  state === 'orphaned' && holder !== null && holder.claimedBy === null
    ? ['', inOneLine('Check the process first:', command(['ps', '-fp', String(holder.truePid)]))]
    : [];

/** The same for the lock of such a working tree; nothing for every other lock. */
const gonePart = ({ lock, notes }: Verdict, pen: Pen): readonly string[] => {
  const { gitDir, tree, kind } = lock;
  if (!notes.includes('gone') || gitDir === undefined || tree?.path == null) return [];
  const isByHand = kind === 'git-worktree' && notes.includes('by-hand');
  const { path, movedTo } = tree;
  const left = { gitDir: gitDir.main, path, ...(movedTo === undefined ? {} : { movedTo }) };
  return whatIsLeft(left, isByHand ? 'unlock' : 'release', pen);
};

/** What to do about a working tree whose directory is gone, and first about its lock. */
const whatIsLeft = (
  { gitDir, path, movedTo }: Pick<GoneTree, 'gitDir' | 'path'> & Partial<Pick<MovedTree, 'movedTo'>>,
  first: 'unlock' | 'release' | null,
  { safe, command }: Pen,
): readonly string[] => {
  const git = (...words: readonly string[]): string => command(['git', '-C', gitDir, 'worktree', ...words]);
  if (movedTo !== undefined)
    return [
      '## What is left of the worktree',
      '',
      inOneLine(
        `It was moved to ${safe(movedTo)}, where somebody works. Tell git where it is now:`,
        git('repair', movedTo),
      ),
      '',
    ];
  const how = {
    unlock: 'unlock it, and let git forget it',
    release: 'git forgets it once the lock is released',
  };
  return [
    '## What is left of the worktree',
    '',
    `Its directory ${safe(path)} is gone, and git still lists it. If it was deleted, and is not on a disk that is not mounted, ${first === null ? 'let git forget it' : how[first]}:`,
    '```',
    ...(first === 'unlock' ? [git('unlock', path)] : []),
    git('remove', path),
    '```',
    '',
    inOneLine('If it was moved, say where it is now:', `${git('repair')} PATH`),
    '',
  ];
};

/** A command in a block of its own, which no page breaks: half of it would run when it is pasted. */
const inOneLine = (before: string, command: string): string => `${before}\n\`\`\`\n${command}\n\`\`\``;

/** A worker without a lock. */
const describeFree = (
  worker: string,
  answer: PreflightResult | null,
  { snapshot, collisions }: Examination,
  pen: Pen,
): string => {
  const { safe } = pen;
  const tree = snapshot.town.goneTrees?.find(({ name }) => name === worker);
  const moved = snapshot.town.movedTrees?.find(({ name }) => name === worker);
  const left =
    tree === undefined ? [] : whatIsLeft({ ...tree, ...moved }, tree.isLocked ? 'unlock' : null, pen);
  if (tree !== undefined && (answer === null || answer.answer === 'free'))
    return [
      `# ${safe(worker)}: gone`,
      '',
      ...(tree.isLocked
        ? ['It has a lock of a kind that was not looked for.', '']
        : ['There is no lock.', '']),
      ...left,
    ].join('\n');
  const clashes = collisions.filter(({ workers }) => workers.includes(worker));
  const word = answer?.answer ?? 'free';
  const isClosed = answer?.reasons.includes('unreadable') === true;
  return [
    `# ${safe(nameOf(worker, snapshot.town.root))}: ${clashes.length === 0 ? word : 'collision'}`,
    '',
    ...describeCollisions(worker, clashes, snapshot, pen),
    // The agents of a crowd are told above.
    `${isClosed ? 'No lock was seen.' : 'There is no lock.'} Preflight says ${word}${clashes.some(({ kind }) => kind === 'agents') ? '' : `: ${safe(answer?.message ?? 'no agent running')}`}.`,
    '',
    ...evidencePart(answer?.evidence ?? [], clashes, safe),
    ...(isClosed ? ['doctor explain undecided-lock says what to do about it.', ''] : []),
    // An agent that still runs in it is more important than what helps.
    ...left,
  ].join('\n');
};

/** The evidence that a collision has not told already. */
const evidencePart = (
  facts: readonly Fact[],
  clashes: readonly Collision[],
  safe: (text: string) => string,
): readonly string[] => {
  const told = clashes.flatMap((clash) => clash.facts.map(({ text }) => text));
  // Of a pane, a collision names the socket besides.
  const isTold = (text: string): boolean =>
    told.some((each) => each === text || each.startsWith(`${text} (`));
  const left = facts.filter(({ text }) => !isTold(text));
  return left.length === 0
    ? []
    : ['## Evidence', '', ...left.map(({ source, text }) => `- ${source}: ${safe(text)}`), ''];
};

/** A git-lock has no agent, session or pane. */
const wordsFor = ({ state, notes, lock, holder }: Verdict): Pick<StatePage, 'meaning' | 'changes'> => {
  if (state === 'invalid' && !lock.isRegularFile)
    return { meaning: STATE_PAGES.invalid.meaning, changes: NOT_A_FILE };
  if (claimsWorker(lock)) return STATE_PAGES[state];
  if (holder === null && notes.includes('fresh')) return JUST_WRITTEN;
  const words = { ...STATE_PAGES, ...OTHER_KINDS }[state];
  return notes.includes('by-hand') ? { ...words, changes: 'When the person who took it unlocks it.' } : words;
};

/** A note that says better than the state what is true of the holder. */
const meaningOf = (verdict: Verdict): string => {
  const telling = (['idle', 'copy'] as const).find((note) => verdict.notes.includes(note));
  return telling === undefined ? wordsFor(verdict).meaning : NOTE_TEXTS[telling];
};

const whatChanges = (verdict: Verdict, safe: (text: string) => string): string => {
  const { notes, holder, reasons } = verdict;
  if (holder !== null && reasons.includes('process-shared'))
    return `Once process ${holder.truePid} ends, the lock becomes stale. While an agent is seen at work there, it is held.`;
  if (holder?.claimedBy)
    return `Its process may belong to ${safe(holder.claimedBy)} instead; leave it alone.`;
  if (verdict.state === 'unknown' && !notes.includes('by-hand'))
    return `${OTHER_KINDS.unknown.changes} What is in the way: ${safe(doubtOf(verdict))}.`;
  return notes.includes('idle')
    ? 'When its session ends, the lock becomes stale.'
    : wordsFor(verdict).changes;
};

/** What collides, and how to look at each agent: nobody should end one of them unseen. */
const describeCollisions = (
  worker: string,
  clashes: readonly Collision[],
  snapshot: Snapshot,
  { safe, command }: Pen,
): readonly string[] => {
  if (clashes.length === 0) return [];
  const agents = whoIsThere(snapshot, worker, true)
    .filter((place) => place.worker === worker)
    .flatMap(({ people }) => people.filter((one) => one.class === 'agent'));
  return [
    ...clashes.flatMap(({ kind, message, facts }) => [
      `${safe(message)}.`,
      '',
      // Agents of another machine are in this collision, but not in this snapshot.
      ...(kind === 'agents' && facts.length <= agents.length
        ? []
        : [...facts.map(({ text }) => `- ${safe(text)}`), '']),
    ]),
    ...agents.flatMap((agent) => {
      const look = lookAt(agent);
      const said = `- ${safe(introduce(agent))}.`;
      return [look === null ? said : inOneLine(`${said} Look at it:`, command(look)), ''];
    }),
    ...clashes.flatMap(({ kind }) => [
      kind === 'agents'
        ? 'Save the work of the one that should go, then end it from within; doctor never kills agents.'
        : 'Find out which worker that agent belongs to, then release the other lock by name.',
      '',
    ]),
  ];
};

/** Shows what an agent does, or that it is there where it is in no pane; null where it can only be said. */
const lookAt = ({ pane, pid }: Person): readonly string[] | null => {
  if (pane !== null) return pane.socket.startsWith('/') ? attachTo(pane) : null;
  return pid === null ? null : ['ps', '-fp', String(pid)];
};
