/** `doctor explain`: what a word means, or why a worker is judged as it is. */
import { builtInChecks } from '../../../checks/index.ts';
import { clear } from '../../core/clear-to-start.ts';
import { didYouMean } from '../../core/did-you-mean.ts';
import { newestLayoutFirst } from '../../core/judge/layouts.ts';
import { optionWith } from '../../core/report/name-worker.ts';
import { refusalOf } from '../../core/report/refusals.ts';
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
import { EXIT, type PreflightResult } from '../../core/types/report.ts';
import { findWorker } from '../../diagnose.ts';
import { documentOf } from '../../document.ts';
import { renderJson } from '../../reporters/json.ts';
import { createPen, type Pen, PLAIN } from '../../reporters/screen/style.ts';
import { type Arguments, usage } from '../arguments/arguments.ts';
import { runDiagnosis } from '../diagnose.ts';
import { readCheckPage, renderPage } from '../pages.ts';
import { presentationFor, type RunCommand, type Terminal } from '../terminal/terminal.ts';
import { isPersonAt, RECIPE_BEGINS, withoutForceRecipe } from '../words/force-recipe.ts';
import { NOTE_TEXTS, REASON_TEXTS, STATE_PAGES } from '../words/glossary.ts';

interface Topic {
  readonly kind: 'overview' | 'check' | 'state' | 'note' | 'reason' | 'worker';
  readonly id: string | null;
  /** Markdown. */
  readonly text: string;
  /** Of all locks of a worker. */
  readonly verdicts: readonly Verdict[];
  readonly answer: PreflightResult | null;
}

/** `doctor explain [CHECK|STATE|NOTE|WORKER]`: what a word means, or the whole chain of evidence for one worker. */
export const run: RunCommand = async (given, terminal) => {
  const [word] = given.positionals;
  const presentation = given.options.json ? PLAIN : await presentationFor(given, terminal, terminal.stdout);
  const pen = createPen(presentation);
  const topic =
    word === undefined ? overview() : (inGlossary(word) ?? (await inTown(word, given, terminal, pen)));
  const text = isPersonAt(terminal) ? topic.text : withoutForceRecipe(topic.text);
  if (given.options.json) {
    const { kind, id, verdicts, answer } = topic;
    const locks = verdicts.map(reportLock);
    const document = documentOf('explain', EXIT.ok, {
      topic: { kind, id, text },
      lock: locks[0] ?? null,
      locks,
      preflight: answer,
    });
    return { exitCode: EXIT.ok, stdout: renderJson(document), stderr: '' };
  }
  const lines = renderPage(text, pen, presentation);
  return { exitCode: EXIT.ok, stdout: lines.map((line) => `${line}\n`).join(''), stderr: '' };
};

const page = (kind: Topic['kind'], id: string | null, text: string): Topic => ({
  kind,
  id,
  text,
  verdicts: [],
  answer: null,
});

/** What is wrong with a file (`empty`, `directory`) may well be the name of a worker. */
const isProblem = (reason: Reason): boolean => LOCK_PROBLEMS.some((problem) => problem === reason);

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const inGlossary = (word: string): Topic | null => {
  if (builtInChecks.some(({ id }) => id === word)) return page('check', word, readCheckPage(word));
  const state = STATES.find((known) => known === word);
  if (state !== undefined) return page('state', state, statePage(state));
  const note = NOTES.find((known) => known === word);
  if (note !== undefined) return page('note', note, `# ${note}\n\n${NOTE_TEXTS[note]}\n`);
  const reason = REASONS.find((known) => known === word && !isProblem(known));
  return reason === undefined
    ? null
    : page('reason', reason, `# ${reason}\n\n${sentence(REASON_TEXTS[reason])}\n`);
};

/** A check of a plug-in, or a worker: the two that depend on the town. */
const inTown = async (word: string, given: Arguments, terminal: Terminal, pen: Pen): Promise<Topic> => {
  const { examination, checks } = await runDiagnosis({ ...given, positionals: [] }, terminal);
  const check = checks.find(({ id }) => id === word);
  if (check !== undefined)
    return page('check', check.id, `# ${pen.safe(check.title)}\n\n${pen.safe(check.summary)}\n`);
  const { snapshot } = examination;
  const near = didYouMean(word, [...checks.map(({ id }) => id), ...STATES, ...NOTES]);
  let worker: string;
  try {
    worker = findWorker(word, snapshot, terminal.cwd);
  } catch (cause) {
    throw near === null
      ? cause
      : usage(`there is no check, state or worker "${word}"`, `Did you mean ${near}?`);
  }
  const [answer = null] = clear({ ...snapshot, asked: [worker] });
  const verdicts = newestLayoutFirst(examination.verdicts.filter(({ lock }) => lock.worker === worker));
  const text =
    verdicts.length === 0
      ? describeFree(worker, answer, examination, pen)
      : describeLocks(verdicts, examination, pen);
  return { kind: 'worker', id: worker, text, verdicts, answer };
};

const overview = (): Topic =>
  page(
    'overview',
    null,
    [
      '# What doctor explain knows',
      '',
      `States: ${STATES.join(', ')}`,
      '',
      `Checks: ${builtInChecks.map(({ id }) => id).join(', ')}`,
      '',
      `Notes: ${NOTES.join(', ')}`,
      '',
      `Reasons: ${REASONS.filter((reason) => !isProblem(reason)).join(', ')}`,
      '',
      'Workers: doctor explain gastown/crew/ada shows the whole chain of evidence for one.',
      '',
    ].join('\n'),
  );

const statePage = (state: State): string => {
  const { meaning, decided, fix, refuses, changes } = STATE_PAGES[state];
  return [
    `# ${state}`,
    '',
    meaning,
    '',
    '## How it is decided',
    '',
    decided,
    '',
    '## What --fix does',
    '',
    fix,
    '',
    refuses,
    '',
    '## What would change it',
    '',
    changes,
    '',
  ].join('\n');
};

/** The pages of all locks of a worker. */
const describeLocks = (verdicts: readonly Verdict[], examination: Examination, pen: Pen): string => {
  const pages = verdicts.map((verdict) => describeVerdict(verdict, examination, pen));
  const [only = ''] = pages;
  return pages.length === 1
    ? only
    : [`This worker has ${pages.length} locks, and --worker means all of them.\n`, ...pages].join('\n');
};

/** Foreign text is made harmless piece by piece: its line breaks would pass for ours. */
const describeVerdict = (verdict: Verdict, { snapshot, collisions }: Examination, pen: Pen): string => {
  const { safe, command } = pen;
  const { lock, state, reasons, notes, facts, release } = verdict;
  const target = [...optionWith('worker', lock.worker), '--town', snapshot.town.root];
  const refusal = refusalOf(verdict);
  return [
    `# ${safe(lock.worker)}: ${state}`,
    '',
    notes.includes('idle') ? NOTE_TEXTS.idle : STATE_PAGES[state].meaning,
    '',
    `Lock: ${safe(lock.path)}`,
    '',
    '## Why',
    '',
    ...reasons.map((reason) => `- ${reason}: ${REASON_TEXTS[reason]}.`),
    '',
    '## Evidence',
    '',
    ...facts.map(({ source, text }) => `- ${source}: ${safe(text)}`),
    '',
    ...(notes.length === 0
      ? []
      : ['## Notes', '', ...notes.map((note) => `- ${note}: ${NOTE_TEXTS[note]}`), '']),
    ...describeCollisions(lock.worker, collisions, pen),
    '## What --fix does',
    '',
    refusal === null
      ? `Releases it: ${command(['doctor', '--fix', ...target])}`
      : `Leaves it: ${safe(refusal)}.`,
    ...(!release.allowed && release.why === 'state'
      ? ['', `${RECIPE_BEGINS}${command(['doctor', '--fix', '--force', ...target])}`]
      : []),
    '',
    '## What would change it',
    '',
    verdict.holder?.claimedBy ? leaveAlone(safe(verdict.holder.claimedBy)) : whatChanges(verdict),
    '',
  ].join('\n');
};

const whatChanges = ({ state, notes }: Verdict): string =>
  notes.includes('idle') ? 'Its session ends: then the lock becomes stale.' : STATE_PAGES[state].changes;

const leaveAlone = (claimedBy: string): string =>
  `Its process is at work for ${claimedBy}, and most likely did not take this lock: leave it alone.`;

const describeCollisions = (
  worker: string,
  collisions: Examination['collisions'],
  { safe }: Pen,
): readonly string[] => {
  const clashes = collisions.filter(({ workers }) => workers.includes(worker));
  if (clashes.length === 0) return [];
  return [
    '## Collision',
    '',
    ...clashes.flatMap(({ message, facts }) => [
      `${safe(message)}.`,
      '',
      ...facts.map(({ text }) => `- ${safe(text)}`),
      '',
    ]),
  ];
};

const describeFree = (
  worker: string,
  answer: PreflightResult | null,
  { collisions }: Examination,
  pen: Pen,
): string => {
  const { safe } = pen;
  return [
    `# ${safe(worker)}: ${answer?.answer ?? 'free'}`,
    '',
    `There is no lock. Preflight says ${answer?.answer ?? 'free'}: ${safe(answer?.message ?? 'nobody at work')}.`,
    '',
    ...(answer === null || answer.evidence.length === 0
      ? []
      : ['## Evidence', '', ...answer.evidence.map(({ source, text }) => `- ${source}: ${safe(text)}`), '']),
    ...describeCollisions(worker, collisions, pen),
  ].join('\n');
};
