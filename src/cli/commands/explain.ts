/** `doctor explain`: what a word means, or why a worker is judged as it is. */
import { resolve } from 'node:path';
import { builtInChecks } from '../../../checks/index.ts';
import { builtInKinds } from '../../../kinds/index.ts';
import { didYouMean, idMeant, nearWorker } from '../../core/did-you-mean.ts';
import type { Failure } from '../../core/failure.ts';
import { isRunId } from '../../core/report/choose-events.ts';
import { reportLock } from '../../core/report/report.ts';
import { LOCK_PROBLEMS } from '../../core/types/evidence.ts';
import {
  type Examination,
  NOTES,
  REASONS,
  type Reason,
  STATES,
  type State,
  type Verdict,
} from '../../core/types/judgement.ts';
import type { Kind } from '../../core/types/kind.ts';
import { EXIT, type PreflightResult, type ReportLease } from '../../core/types/report.ts';
import { findWorker, placesKnown } from '../../diagnose.ts';
import { documentOf } from '../../document.ts';
import { hintForGone, nearestWorker, treesInside } from '../../evidence/town/new-worker.ts';
import { refuseSilent } from '../../evidence/town/root.ts';
import type { FleetDiagnosis } from '../../fleet/examine-fleet.ts';
import type { LeaseBook } from '../../lease/lease-book.ts';
import { refuseEmptyContainer } from '../../look.ts';
import { preflightIn } from '../../places/preflight-in.ts';
import { renderJson } from '../../reporters/json.ts';
import { leaseInWords } from '../../reporters/screen/lock-words.ts';
import { quoteCommand } from '../../reporters/screen/shell-quote.ts';
import { createPen, type Pen, PLAIN } from '../../reporters/screen/style.ts';
import type { Arguments } from '../arguments/arguments.ts';
import { usage } from '../arguments/usage.ts';
import { runDiagnosis, runOnOthers } from '../diagnose.ts';
import { lookOptionsOf } from '../options-of.ts';
import { readPage, renderPage } from '../pages.ts';
import { presentationFor, type RunCommand, type Terminal } from '../terminal/terminal.ts';
import { isPersonAt, withoutForceRecipe } from '../words/force-recipe.ts';
import { ANSWER_TEXTS, NOTE_TEXTS, REASON_TEXTS, STATE_PAGES, WORD_TEXTS } from '../words/glossary.ts';
import { pageOfPlaces, placesNamed } from '../words/machines-page.ts';
import { workersNamed } from '../words/names-of-people.ts';
import { PLAIN_TEXTS } from '../words/plain-words.ts';
import { pageOfWorker } from '../words/worker-page.ts';

interface Topic {
  readonly kind: 'overview' | 'check' | 'kind' | 'state' | 'note' | 'reason' | 'answer' | 'word' | 'worker';
  readonly id: string | null;
  /** Markdown. */
  readonly text: string;
  /** Of all locks of a worker. */
  readonly verdicts: readonly Verdict[];
  readonly answer: PreflightResult | null;
  /** Of a worker, where a lease is configured; null where it has none. */
  readonly lease?: ReportLease | null;
}

/** `doctor explain [WORD|WORKER]...`: what a word of a report means, or the whole chain of evidence for one worker. */
export const run: RunCommand<'explain'> = async (given, terminal) => {
  const [first, ...others] = given.positionals;
  // What happened under an ID is history, not a word or a worker.
  if (first !== undefined && given.positionals.every(isRunId))
    return (await import('./log.ts')).run(given, terminal);
  if (given.options.json && others.length > 0)
    throw usage(
      '--json explains one word or worker at a time',
      `doctor explain --json ${quoteCommand([first ?? ''])}`,
    );
  const presentation = given.options.json ? PLAIN : await presentationFor(given, terminal, terminal.stdout);
  const pen = createPen(presentation);
  const explain = async (word: string): Promise<Topic> =>
    inGlossary(word) ?? (await inTown(word, given, terminal, pen));
  const topic = first === undefined ? overview() : await explain(first);
  const shown = ({ text }: Topic): string => (isPersonAt(terminal) ? text : withoutForceRecipe(text));
  const text = shown(topic);
  if (given.options.json) {
    const { kind, id, verdicts, answer, lease } = topic;
    const locks = verdicts.map(reportLock);
    const document = documentOf('explain', EXIT.ok, {
      topic: { kind, id, text },
      lock: locks[0] ?? null,
      locks,
      preflight: answer,
      ...(lease === undefined ? {} : { lease }),
    });
    return { exitCode: EXIT.ok, stdout: renderJson(document), stderr: '' };
  }
  const pages = [text];
  for (const word of others) pages.push(shown(await explain(word)));
  const lines = pages.flatMap((one, at) => [...(at > 0 ? [''] : []), ...renderPage(one, pen, presentation)]);
  return { exitCode: EXIT.ok, stdout: lines.map((line) => `${line}\n`).join(''), stderr: '' };
};

const page = (kind: Topic['kind'], id: string | null, text: string): Topic => ({
  kind,
  id,
  text,
  verdicts: [],
  answer: null,
});

/** What is wrong with a file, in one plain word (`empty`, `directory`), may well be the name of a worker. */
const isProblem = (reason: Reason): boolean =>
  !reason.includes('-') && LOCK_PROBLEMS.some((problem) => problem === reason);

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const sentence = (text: string): string => `${capital(text)}.`;

const inGlossary = (word: string): Topic | null => {
  if (builtInChecks.some(({ id }) => id === word)) return page('check', word, readPage('checks', word));
  // The agent's lock is what every other page tells of.
  if (builtInKinds.some(({ id }) => id === word)) return page('kind', word, readPage('kinds', word));
  const state = STATES.find((known) => known === word);
  if (state !== undefined) return page('state', state, statePage(state));
  const note = NOTES.find((known) => known === word);
  if (note !== undefined) return page('note', note, `# ${note}\n\n${NOTE_TEXTS[note]}\n`);
  const reason = REASONS.find((known) => known === word && !isProblem(known));
  if (reason !== undefined)
    return page('reason', reason, `# ${reason}\n\n${sentence(REASON_TEXTS[reason])}\n`);
  const answer = ANSWER_TEXTS.get(word);
  if (answer !== undefined) return page('answer', word, `# ${word}\n\n${answer}\n`);
  const meaning = WORD_TEXTS.get(word);
  return meaning === undefined ? null : page('word', word, `# ${word}\n\n${meaning}\n`);
};

const IDS: readonly string[] = [...builtInChecks, ...builtInKinds].map(({ id }) => id);

/** Every word that `explain` knows, whatever the town. */
const WORDS: readonly string[] = [
  ...IDS,
  ...STATES,
  ...NOTES,
  ...REASONS.filter((reason) => !isProblem(reason)),
  ...ANSWER_TEXTS.keys(),
  ...WORD_TEXTS.keys(),
];

/** An agent's program may run in hundreds of workers. */
const someOf = (names: readonly string[]): string =>
  names.length > 4 ? `${names.slice(0, 3).join(', ')} or ${names.length - 3} more` : names.join(' or ');

/** Why a number or a pane that is in no report of this town is none of its workers'. */
const unseen = (word: string, root: string): Failure | null => {
  const what = /^\d+$/.test(word) ? `process ${word}` : /^[%$@]\d+$/.test(word) ? `tmux ${word}` : null;
  return what === null ? null : usage(`no lock and no agent in ${root} names ${what}`, 'See: doctor who');
};

/**
 * A worker by its whole name or by that of its lock, by the end of either where no other ends so, or by what a report prints of
 * whoever holds its lock or works there. Throws `E_USAGE`.
 */
const workerNamed = (word: string, examination: Examination, cwd: string): string => {
  const { snapshot, lockless } = examination;
  const { root } = snapshot.town;
  const whole = [word, resolve(root, word), resolve(cwd, word)];
  const file = snapshot.locks.find(({ id, path }) => id === word || whole.includes(path));
  if (file !== undefined) return file.worker;
  try {
    return findWorker(word, snapshot, cwd);
  } catch {
    const places = snapshot.locks.filter(({ path }) => path.endsWith(`/${word}`));
    const [locked, ...others] = new Set(places.map(({ worker }) => worker));
    if (locked !== undefined && others.length === 0) return locked;
    const known = new Set([...placesKnown(snapshot), ...lockless.map(({ worker }) => worker)]);
    const named = [...known].filter((worker) => worker.endsWith(`/${word}`));
    const meant = named.length > 0 ? named : workersNamed(word, examination);
    if (meant.length === 1 && meant[0] !== undefined) return meant[0];
    if (meant.length > 1) throw usage(`"${word}" could be ${someOf(meant)}`, 'See: doctor locks');
    for (const path of [resolve(cwd, word), resolve(root, word)]) refuseSilent(path);
    const stranger = unseen(word, root);
    if (stranger !== null) throw stranger;
    const gone = hintForGone(resolve(cwd, word), root) ?? hintForGone(resolve(root, word), root);
    if (gone !== null) throw usage(`there is no directory ${word}`, gone);
    const near =
      didYouMean(word, [...WORDS, ...PLAIN_TEXTS.keys()]) ??
      nearWorker(word, [...new Set([...known, ...treesInside(root)])]) ??
      nearestWorker(word, root) ??
      idMeant(word, IDS);
    throw near === null
      ? usage(`unknown word or worker "${word}" in ${snapshot.town.root}`, 'See: doctor explain')
      : usage(`unknown word or worker "${word}"`, `Did you mean ${near}?`);
  }
};

/** What the author of a plug-in says of a kind; control characters in it do nothing. */
const pluggedPage = ({ id, title, summary, page: text }: Kind, pen: Pen): Topic => {
  const markdown = text ?? `# ${title}\n\n${summary}`;
  return page('kind', id, `${markdown.trimEnd().split('\n').map(pen.safe).join('\n')}\n`);
};

/** A check or a kind of a plug-in, or a worker: what depends on the town. */
const inTown = async (word: string, given: Arguments, terminal: Terminal, pen: Pen): Promise<Topic> => {
  const asked = { ...given, positionals: [] };
  const others = await runOnOthers(asked, terminal);
  const here = others === null ? await runDiagnosis(asked, terminal, { at: [word] }) : null;
  const check = (others ?? here)?.checks.find(({ id }) => id === word);
  if (check !== undefined)
    return page('check', check.id, `# ${pen.safe(check.title)}\n\n${pen.safe(check.summary)}\n`);
  const kind = (others ?? here)?.place?.table.kinds.get(word);
  if (kind !== undefined) return pluggedPage(kind, pen);
  try {
    const options = lookOptionsOf(given, terminal);
    if (others !== null) return withLease(await onMachines(word, others, options, pen), others.leases, pen);
    if (here === null) throw new Error('nothing was looked at');
    const worker = workerNamed(word, here.examination, terminal.cwd);
    const { snapshot } = here.examination;
    const answer = await preflightIn(snapshot, worker, here.place === null ? null : options);
    if (answer !== null) refuseEmptyContainer(answer, snapshot);
    const about = pageOfWorker(worker, here.examination, answer, pen);
    return withLease({ kind: 'worker', id: worker, ...about }, here.leases, pen);
  } catch (error) {
    const plain = plainWord(word) ?? plainWord(asOneWord(word)) ?? inGlossary(asOneWord(word));
    if (plain === null) throw error;
    return plain;
  }
};

/** Words of a report as the glossary joins them: `left-behind`, `no-lock`. */
const asOneWord = (word: string): string => word.toLowerCase().replaceAll(' ', '-');

/** The page of a worker, with what is known of its lease where one is configured. */
const withLease = (topic: Topic, leases: LeaseBook | null, pen: Pen): Topic => {
  if (leases === null || topic.id === null) return topic;
  const lease = leases.of(topic.id);
  const said =
    lease === null
      ? (leases.problem ?? 'Nobody holds its lease.')
      : `${capital(leaseInWords(lease))}. While it is held, doctor preflight says so, and doctor exec starts nobody else.`;
  return { ...topic, text: `${topic.text}\n## Lease\n\n${pen.safe(said)}\n`, lease };
};

/** The kind whose locks have a file of this name: `index.lock`. */
const kindOfFile = (word: string): Kind | undefined =>
  builtInKinds.find(({ where }) =>
    'homes' in where
      ? where.name === word
      : 'inGitDir' in where &&
        Object.values(where.inGitDir)
          .flat()
          .some((name) => name === word || name.endsWith(`/${word}`)),
  );

/** The page of a word that could also name a worker, if no worker has that name. */
const plainWord = (word: string): Topic | null => {
  const kind = kindOfFile(word);
  if (kind !== undefined) return page('kind', kind.id, readPage('kinds', kind.id));
  const problem = REASONS.find((known) => known === word && isProblem(known));
  if (problem !== undefined)
    return page('reason', problem, `# ${problem}\n\n${sentence(REASON_TEXTS[problem])}\n`);
  const meaning = PLAIN_TEXTS.get(word);
  return meaning === undefined ? null : page('word', word, `# ${word}\n\n${meaning}\n`);
};

/** The same over several machines: every town that has the worker tells of it. */
const onMachines = async (
  word: string,
  others: FleetDiagnosis,
  options: ReturnType<typeof lookOptionsOf>,
  pen: Pen,
): Promise<Topic> => {
  const asked = placesNamed(word, others, (name, examination, isHere) =>
    workerNamed(name, examination, isHere ? options.cwd : '/'),
  );
  const [{ worker }] = asked;
  return { kind: 'worker', id: worker, ...(await pageOfPlaces(asked, others.report, pen, options)) };
};

const overview = (): Topic => {
  const lists: readonly (readonly [title: string, words: readonly string[]])[] = [
    ['States', STATES],
    ['Checks', builtInChecks.map(({ id }) => id)],
    ['Kinds of lock', builtInKinds.map(({ id }) => id)],
    ['Notes', NOTES],
    ['Reasons', REASONS.filter((reason) => !isProblem(reason))],
    ['Answers of preflight', [...ANSWER_TEXTS.keys()]],
    ['Words', [...WORD_TEXTS.keys(), ...PLAIN_TEXTS.keys()]],
  ];
  const paragraphs = lists.map(([title, words]) => `${title}: ${words.join(', ')}\n\n`).join('');
  const usage =
    '`doctor explain WORKER` shows all the evidence for a worker, by its name or the end of it. `doctor explain WORD` explains one of these words.';
  return page('overview', null, `# What doctor explain knows\n\n${usage}\n\n${paragraphs.trimEnd()}\n`);
};

const statePage = (state: State): string => {
  const { meaning, decided, fix, refuses, changes } = STATE_PAGES[state];
  return `# ${state}

${meaning}

## How it is decided

${decided}

## What --fix does

${fix}

${refuses}

## When this changes

${changes}
`;
};
