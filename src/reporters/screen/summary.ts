/** The end of a report: what to do now, and how it stands. */
import { STATES } from '../../core/types/judgement.ts';
import type { Report, ReportFinding } from '../../core/types/report.ts';
import { count } from './words.ts';

/** One thing the reader may do now: why, and the commands that do it. */
export interface NextStep {
  readonly text: string;
  readonly commands: readonly (readonly string[])[];
}

/** The end of every report: what there is, and what to do about it. */
export interface Summary {
  readonly headline: string;
  readonly steps: readonly NextStep[];
}

/** As many commands are shown per step; `doctor --json` has them all. */
const COMMANDS_SHOWN = 3;

/** Answers the operator's last question, "and now?", from the report alone. */
export const summarize = (report: Report): Summary => {
  const fixed = report.findings.filter(({ fix }) => fix?.status === 'fixed');
  const open = report.findings.filter(({ fix }) => fix?.status !== 'fixed');
  const fixable = open.filter(isFixable);
  const doubtful = open.filter(({ doubt, severity }) => doubt && severity !== 'info');
  const personal = open.filter(
    (finding) => finding.severity !== 'info' && !finding.doubt && !isFixable(finding),
  );
  return {
    headline: headline(report),
    steps: [
      releasedStep(report, fixed),
      fixableStep(report, fixable),
      personalStep(personal),
      idleStep(open.filter(({ check }) => check === 'idle-session')),
      doubtStep(report, doubtful),
    ].flatMap((step) => step ?? []),
  };
};

/** True where `doctor --fix` would release the lock this finding is about. */
export const isFixable = ({ fix }: ReportFinding): boolean =>
  fix !== null && fix.action === 'release' && fix.safe && fix.status === 'planned';

const headline = (report: Report): string => {
  const { summary } = report;
  if (summary === null) return 'Nothing was examined.';
  const { locks, held, collisions } = summary;
  const idle = report.locks.filter(({ notes }) => notes.includes('idle')).length;
  const states = STATES.filter((state) => summary[state] > 0).map(
    (state) => `${summary[state]} ${state}${state === 'held' && idle > 0 ? ` (${idle} idle)` : ''}`,
  );
  const clash = collisions > 0 ? `; ${count(collisions, 'collision')}` : '';
  if (locks === 0) return `No locks${clash}.`;
  if (held === locks && clash === '' && idle === 0)
    return locks === 1
      ? 'The one lock is held by a live agent.'
      : `All ${locks} locks are held by live agents.`;
  return `${count(locks, 'lock')}: ${states.join(', ')}${clash}.`;
};

const releasedStep = (report: Report, fixed: readonly ReportFinding[]): NextStep | null =>
  fixed.length === 0
    ? null
    : {
        text: `${count(fixed.length, 'lock')} released. To put ${fixed.length === 1 ? 'it' : 'them'} back:`,
        commands: [report.undo ?? withTown(report, ['doctor', 'undo'])],
      };

const fixableStep = (report: Report, fixable: readonly ReportFinding[]): NextStep | null =>
  fixable.length === 0
    ? null
    : {
        text: `${count(fixable.length, 'lock')} can be released now:`,
        commands: [withTown(report, ['doctor', '--fix'])],
      };

const personalStep = (personal: readonly ReportFinding[]): NextStep | null =>
  personal.length === 0
    ? null
    : {
        text: `${count(personal.length, 'finding needs', 'findings need')} you:`,
        commands: firstCommands(personal),
      };

const doubtStep = (report: Report, doubtful: readonly ReportFinding[]): NextStep | null => {
  const parts = [
    doubtful.length > 0 ? `${count(doubtful.length, 'lock')} could not be decided` : '',
    report.gaps.length > 0 ? `${count(report.gaps.length, 'place')} could not be looked at` : '',
  ].filter((part) => part !== '');
  if (parts.length === 0) return null;
  const commands = firstCommands(doubtful);
  return {
    text: `${parts.join(', ')}:`,
    commands: commands.length > 0 ? commands : [withTown(report, ['doctor', '-v'])],
  };
};

/** All commands of the first one: how to look at the session, and how to end it. */
const idleStep = (idle: readonly ReportFinding[]): NextStep | null => {
  const [first] = idle;
  return first === undefined
    ? null
    : {
        text: `${count(idle.length, 'session stands', 'sessions stand')} idle. To look, and then to end it:`,
        commands: first.next,
      };
};

const firstCommands = (findings: readonly ReportFinding[]): readonly (readonly string[])[] => {
  const seen = new Map<string, readonly string[]>();
  for (const { next } of findings) {
    const [first] = next;
    if (first !== undefined) seen.set(JSON.stringify(first), first);
  }
  return [...seen.values()].slice(0, COMMANDS_SHOWN);
};

const withTown = ({ town }: Report, command: readonly string[]): readonly string[] =>
  town === null ? command : [...command, '--town', town.root];
