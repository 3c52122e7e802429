/** The end of a report: what to do now, and how it stands. */
import { groupBy } from '../../core/group-by.ts';
import { count } from '../../core/report/amounts.ts';
import { gatherReleases } from '../../core/report/git-commands.ts';
import { optionWith, townOption } from '../../core/report/name-worker.ts';
import { OUT_OF_REACH, REFUSALS } from '../../core/report/refusals.ts';
import { STATES } from '../../core/types/judgement.ts';
import { EXIT, type Report, type ReportFinding } from '../../core/types/report.ts';
import { isPart } from './sentences.ts';
import { RANK_OF_DOUBT, rankOf, worstFirst } from './worst-first.ts';

/** One thing the reader may do now: why, the commands that do it, and how many more there are. */
interface NextStep {
  readonly text: string;
  readonly commands: readonly (readonly string[])[];
  readonly more: number;
}

/** The end of every report: what there is, and what to do about it. */
export interface Summary {
  readonly headline: string;
  readonly steps: readonly NextStep[];
}

/** As many commands are shown per step, unless all of them are wanted. */
const COMMANDS_SHOWN = 3;

/** Answers the operator's last question, "and now?", from the report alone: what was done, then what to do, the worst first. */
export const summarize = (report: Report, verbose = false): Summary => {
  const findings = groupBy(worstFirst(report.findings), stepFor);
  const of = (step: StepName): readonly ReportFinding[] => findings.get(step) ?? [];
  const rank = (...steps: readonly StepName[]): number =>
    Math.min(...steps.flatMap((step) => of(step).slice(0, 1)).map(rankOf));
  const shown = verbose ? Number.POSITIVE_INFINITY : COMMANDS_SHOWN;
  // One and the same command releases what is free now and what will be.
  const releases = rank('fixable', 'young');
  const steps: readonly (readonly [rank: number, step: NextStep | null])[] = [
    [releases, fixableStep(report, of('fixable'))],
    [releases, youngStep(report, of('young'))],
    [rank('personal'), personalStep(report, of('personal'), shown)],
    [rank('elsewhere'), elsewhereStep(of('elsewhere'), shown)],
    [Math.min(rank('doubt'), RANK_OF_DOUBT), doubtStep(report, of('doubt'), shown)],
    [rank('idle'), idleStep(of('idle'))],
    [rank('hint'), hintStep(report, of('hint'), shown)],
    [Number.POSITIVE_INFINITY, hiddenStep(report)],
    [Number.POSITIVE_INFINITY, lonelyStep(report)],
  ];
  const inOrder = [...steps].sort(([a], [b]) => (a === b ? 0 : a - b)).map(([, step]) => step);
  return { headline: headline(report), steps: eachOnce([releasedStep(report, of('fixed')), ...inOrder]) };
};

/** Where there is no lock, nothing else in the report leads to the agents that it counts. */
const lonelyStep = (report: Report): NextStep | null =>
  isHealthy(report) && report.summary?.locks === 0 && report.summary.withoutLock > 0
    ? { text: 'See who works where:', commands: [withTown(report, ['doctor', 'locks'])], more: 0 }
    : null;

/** Where only a part is shown and nothing in it says why the exit code is 1: what was left out does. */
export const hiddenStep = (report: Report): NextStep | null => {
  const { exitCode, checks, findings, machines = [] } = report;
  const hidden = checks.reduce((sum, check) => sum + check.findings, 0) - findings.length;
  if (exitCode !== EXIT.problems || hidden <= 0 || findings.some(({ severity }) => severity !== 'info'))
    return null;
  const others = machines.flatMap(({ name }) => optionWith('on', name));
  return {
    text: `${count(hidden, 'finding is', 'findings are')} not shown:`,
    commands: [withTown(report, ['doctor', ...others])],
    more: 0,
  };
};

type StepName = 'fixed' | 'fixable' | 'young' | 'personal' | 'elsewhere' | 'doubt' | 'idle' | 'hint';

/** In which step the reader is told what to do about a finding; null where there is nothing to do. */
const stepFor = (finding: ReportFinding): StepName | null => {
  const { check, severity, doubt, fix, next } = finding;
  if (fix?.status === 'fixed') return 'fixed';
  if (check === 'idle-session') return 'idle';
  if (severity === 'info') return fix?.action === 'advice' && next.length > 0 ? 'hint' : null;
  if (isFixable(finding)) return 'fixable';
  if (doubt) return 'doubt';
  if (isYoung(finding)) return 'young';
  return isElsewhere(finding) ? 'elsewhere' : 'personal';
};

/** A command that an earlier step shows is not shown again. */
const eachOnce = (steps: readonly (NextStep | null)[]): readonly NextStep[] => {
  const shown = new Set<string>();
  return steps.flatMap((step) => {
    if (step === null) return [];
    const commands = step.commands.filter((command) => !shown.has(JSON.stringify(command)));
    for (const command of commands) shown.add(JSON.stringify(command));
    const text =
      commands.length > 0
        ? step.text
        : step.text.replace(/, then run:$/, ', then run that again.').replace(/:$/, '.');
    return [{ ...step, text, commands }];
  });
};

/** What could not be looked at, for a screen: how many places, the first of them, and the command that shows the others. */
export interface ToldGaps {
  /** `3 places could not be checked` */
  readonly count: string;
  /** `directory /srv/gt/x: permission denied` */
  readonly places: readonly string[];
  readonly more: number;
  readonly command: readonly string[];
}

/** Null where everything could be looked at. Machines that do not answer count only `withMachines`: lists of locks have lines for them. */
export const tellGaps = (report: Report, shown: number, withMachines: boolean): ToldGaps | null => {
  const gaps = report.gaps.filter(({ what }) => withMachines || !what.startsWith('machine:'));
  if (gaps.length === 0) return null;
  return {
    count: `${count(gaps.length, 'place')} could not be checked`,
    places: gaps.slice(0, shown).map(({ what, why }) => `${what.replace(':', ' ')}: ${why}`),
    more: Math.max(0, gaps.length - shown),
    command: withTown(report, ['doctor', '-v', ...onMachines(gaps)]),
  };
};

/** True where `doctor --fix` would release the lock this finding is about. */
export const isFixable = ({ fix }: ReportFinding): boolean =>
  fix !== null && fix.action === 'release' && fix.safe && fix.status === 'planned';

/** True where the summary says why a release was not made, and what to do: then its finding need not. */
export const isToldBelow = (finding: ReportFinding): boolean => isYoung(finding) || isElsewhere(finding);

/** True where nothing is to be done but to wait. */
const isYoung = ({ fix }: ReportFinding): boolean =>
  fix?.action === 'release' && fix.status === 'skipped' && fix.retryInSeconds !== null;

/** True where only a repair of another root releases it. */
const isElsewhere = ({ fix }: ReportFinding): boolean =>
  fix?.action === 'release' && fix.reason === REFUSALS.outside;

/** True where a report has nothing to tell but that all is well. */
export const isHealthy = ({ ok, complete, findings, summary, error }: Report): boolean =>
  ok && complete && findings.length === 0 && summary !== null && error === null;

const headline = (report: Report): string => {
  const { summary, findings, complete } = report;
  if (summary === null) return 'Nothing was examined.';
  const { collisions, withoutLock } = summary;
  const counts = [
    countLocks(report, summary),
    ...(collisions > 0 ? [count(collisions, 'collision')] : []),
    ...(withoutLock > 0 ? [`${count(withoutLock, 'agent')} without a lock`] : []),
  ].join('; ');
  const isFine =
    complete &&
    (report.ok || (!isPart(report) && findings.length > 0)) &&
    findings.every(({ severity }) => severity === 'info');
  const skipped = report.checks.filter(({ status }) => status === 'skipped').length;
  const without = skipped === 0 ? '' : ` (${count(skipped, 'check')} skipped)`;
  const others = report.machines === undefined ? '' : ` on ${count(report.machines.length, 'machine')}`;
  return `${counts}${others}.${isFine ? ` No problems found${without}.` : ''}`;
};

const countLocks = (report: Report, summary: NonNullable<Report['summary']>): string => {
  const { locks, held, idle } = summary;
  if (locks === 0) return report.workers === null ? 'No locks' : `No lock in ${report.workers.join(', ')}`;
  if (held === locks && summary.collisions === 0 && idle === 0)
    return locks > 1
      ? `${locks} locks, all held`
      : report.locks[0]?.kind === 'agent'
        ? '1 lock, held by a live agent'
        : '1 lock, held';
  const states = STATES.filter((state) => summary[state] > 0).map(
    (state) => `${summary[state]} ${state}${state === 'held' && idle > 0 ? ` (${idle} idle)` : ''}`,
  );
  return `${count(locks, 'lock')}: ${states.join(', ')}`;
};

const releasedStep = (report: Report, fixed: readonly ReportFinding[]): NextStep | null =>
  fixed.length === 0
    ? null
    : {
        text: `Released ${count(fixed.length, 'lock')}. Undo with:`,
        commands: [report.undo ?? withTown(report, ['doctor', 'undo'])],
        more: 0,
      };

const fixableStep = (report: Report, fixable: readonly ReportFinding[]): NextStep | null =>
  fixable.length === 0
    ? null
    : {
        text: `${count(fixable.length, 'lock')} can be released. Run:`,
        commands: [releaseOf(report, fixable)],
        more: 0,
      };

/** A repair acts on other machines only where it names them, and then on this one too only where it is named. */
const onMachines = (findings: readonly { readonly machine?: string }[]): readonly string[] => {
  const names = new Set(findings.flatMap(({ machine }) => machine ?? []));
  return [...names].every((name) => name === 'here')
    ? []
    : [...names].flatMap((name) => optionWith('on', name));
};

/** Where only a part is shown or was asked about, the command is about that part. */
const releaseOf = (report: Report, findings: readonly ReportFinding[]): readonly string[] =>
  withTown(report, ['doctor', '--fix', ...onMachines(findings), ...shownWorkers(report, findings)]);

const shownWorkers = (report: Report, fixable: readonly ReportFinding[]): readonly string[] =>
  isPart(report) || report.workers !== null
    ? [...new Set(fixable.flatMap(({ worker }) => worker ?? []))].flatMap((worker) =>
        optionWith('worker', worker),
      )
    : [];

const youngStep = (report: Report, young: readonly ReportFinding[]): NextStep | null => {
  if (young.length === 0) return null;
  const wait = Math.max(...young.map(({ fix }) => fix?.retryInSeconds ?? 0));
  return {
    text: `${count(young.length, 'lock was', 'locks were')} just written. Wait ${wait} s, then run:`,
    commands: [releaseOf(report, young)],
    more: 0,
  };
};

/** One problem per lock, or per worker where there is no lock: two findings about one lock are one thing to do. */
const personalStep = (report: Report, personal: readonly ReportFinding[], shown: number): NextStep | null => {
  const problems = [...groupBy(personal, ({ id, lock, worker }) => lock ?? worker ?? id).values()];
  return problems.length === 0
    ? null
    : {
        text: `${count(problems.length, 'problem needs', 'problems need')} your attention:`,
        ...firstCommands(report, problems.map(plainest), shown),
      };
};

/** The finding that says best what to do: a collision, else one with a command of its own, else the worst. */
const plainest = (problem: readonly ReportFinding[]): ReportFinding =>
  problem.find(({ check }) => check === 'collision') ??
  problem.find(({ next: [command] }) => command !== undefined && command[0] !== 'doctor') ??
  (problem[0] as ReportFinding);

const elsewhereStep = (elsewhere: readonly ReportFinding[], shown: number): NextStep | null => {
  if (elsewhere.length === 0) return null;
  const commands = gatherReleases(elsewhere.flatMap(({ next }) => next));
  const [are, releases] =
    elsewhere.length === 1 ? ['is', 'does not release it'] : ['are', 'releases none of them'];
  return {
    text: `${count(elsewhere.length, 'lock')} ${are} ${OUT_OF_REACH}; --fix ${releases} from here. Run:`,
    commands: commands.slice(0, shown),
    more: Math.max(0, commands.length - shown),
  };
};

const hintStep = (report: Report, hints: readonly ReportFinding[], shown: number): NextStep | null =>
  hints.length === 0
    ? null
    : { text: `${count(hints.length, 'suggestion')}:`, ...firstCommands(report, hints, shown) };

const doubtStep = (report: Report, doubtful: readonly ReportFinding[], shown: number): NextStep | null => {
  const locks = doubtful.filter(({ lock }) => lock !== null).length;
  // A place where a lock may lie unseen is a finding and a gap.
  const places = Math.max(report.gaps.length, doubtful.length - locks);
  const parts = [locks > 0 ? count(locks, 'lock') : '', places > 0 ? count(places, 'place') : ''].filter(
    (part) => part !== '',
  );
  if (parts.length === 0) return null;
  return { text: `${parts.join(' and ')} could not be checked:`, ...firstCommands(report, doubtful, shown) };
};

/** Looks at the same machines and leases, which may have been named on this command line only. */
const lookAgain = (report: Report): readonly string[] => {
  const asked = new Map(
    report.gaps.flatMap((gap) => (gap.asked === undefined ? [] : [[gap.what, gap.asked]])),
  );
  return withTown(report, ['doctor', '-v', ...onMachines(report.gaps), ...[...asked.values()].flat()]);
};

/** All commands of the first one: how to look at the session, and how to end it. */
const idleStep = (idle: readonly ReportFinding[]): NextStep | null => {
  const [first] = idle;
  return first === undefined
    ? null
    : {
        text: `${count(idle.length, 'session is', 'sessions are')} idle. Look at it, then end it:`,
        commands: first.next,
        more: idle.length - 1,
      };
};

/** All commands of the first findings. Never none: a reader who is told that something is to be done is told how to see more. */
const firstCommands = (
  report: Report,
  findings: readonly ReportFinding[],
  shown: number,
): Pick<NextStep, 'commands' | 'more'> => {
  const seen = new Map<string, ReportFinding['next']>();
  for (const { next } of findings) if (next.length > 0) seen.set(JSON.stringify(next), next);
  const all = [...seen.values()];
  if (all.length === 0) return { commands: [lookAgain(report)], more: 0 };
  return { commands: all.slice(0, shown).flat(), more: Math.max(0, all.length - shown) };
};

export const withTown = ({ town }: Report, command: readonly string[]): readonly string[] =>
  town === null ? command : [...command, ...townOption(town)];
