/** Findings for a screen: one block per worker, the worst first, each with what to do about it. */
import { groupBy } from '../../core/group-by.ts';
import { HERE } from '../../core/town/views.ts';
import type { Report, ReportFinding } from '../../core/types/report.ts';
import type { Canvas } from './canvas.ts';
import { NARROW } from './display-width.ts';
import { describeFix } from './sentences.ts';
import type { Mark } from './style.ts';
import { isFixable, isToldBelow, tellGaps } from './summary.ts';
import { nameOf } from './words.ts';
import { worstFirst } from './worst-first.ts';

/** More workers than this are counted, not shown: the answer has to fit on one screen. */
const BLOCKS_SHOWN = 15;

/** The blocks of a report; with `-v` all of them, with their evidence. */
export const blockLines = (
  report: Report,
  findings: readonly ReportFinding[],
  canvas: Canvas,
): readonly string[] => {
  const blocks = [...groupBy(worstFirst(findings), ({ worker, id }) => worker ?? `\0${id}`).values()];
  const shown = canvas.presentation.verbosity === 'verbose' ? blocks : blocks.slice(0, BLOCKS_SHOWN);
  const rest = blocks.length - shown.length;
  return [
    ...shown.flatMap((block) => block.flatMap((finding, at) => findingLines(finding, at, report, canvas))),
    ...(rest > 0 ? canvas.flow(2, `and ${rest} more: doctor -v`) : []),
  ];
};

const findingLines = (
  finding: ReportFinding,
  at: number,
  report: Report,
  canvas: Canvas,
): readonly string[] => {
  const { safe, dim, flow, signed, presentation } = canvas;
  const { worker, message, evidence, fix, lock } = finding;
  const isVerbose = presentation.verbosity === 'verbose';
  // What is to be done is said once, in the summary; only what --fix did or left stands with the finding.
  const outcome =
    fix === null || fix.action === 'advice' || isFixable(finding) || (!isVerbose && isToldBelow(finding))
      ? null
      : describeFix(atHome(finding));
  const said = `${safe(message)}${outcome === null ? '' : `; ${safe(outcome)}`}`;
  const name = worker === null || at > 0 ? null : safe(nameOf(worker, report.town?.root));
  const isNarrow = presentation.width > 0 && presentation.width < NARROW;
  const indent = at > 0 ? 2 : 0;
  const mark = markOf(finding);
  const head =
    name === null
      ? signed(mark, indent, said)
      : isNarrow
        ? [...signed(mark, 0, name), ...flow(4, said)]
        : signed(mark, 0, `${name}: ${said}`);
  const named = name === null ? head : linkName(head, name, report, lock, canvas);
  const isAdvice = fix?.action === 'advice';
  return [
    ...named,
    ...(isAdvice && fix.text !== null ? flow(4, safe(fix.text)).map(dim) : []),
    ...(isVerbose
      ? [...takenAt(report, lock), ...evidence.map(({ source, text }) => `${source}: ${safe(text)}`)].flatMap(
          (line) => flow(6, line).map(dim),
        )
      : []),
  ];
};

/** The name in the first line leads to the lock, where it is a file of this machine; lines are broken without links. */
const linkName = (
  head: readonly string[],
  name: string,
  { locks, town }: Report,
  id: string | null,
  { link, presentation }: Canvas,
): readonly string[] => {
  if (!presentation.links) return head;
  const lock = locks.find((one) => one.id === id);
  const isHere = lock !== undefined && (lock.machine === undefined || lock.machine === HERE);
  const [first = '', ...more] = head;
  if (!isHere || town === null) return head;
  // A function, because `$` has a meaning in a replacement string.
  return [first.replace(name, () => link(name, town.host, lock.path)), ...more];
};

/** When a lock was taken, to be found in the logs. */
export const takenAt = (report: Report, id: string | null): readonly string[] => {
  const lock = id === null ? undefined : report.locks.find((one) => one.id === id);
  const { ageSeconds = null, acquiredAt = null } = lock?.holder ?? {};
  const seconds = ageSeconds ?? lock?.writtenSecondsAgo ?? null;
  if (seconds === null) return [];
  return [
    `lock: ${ageSeconds === null ? 'written' : 'taken'} at ${acquiredAt ?? momentBefore(report, seconds)}`,
  ];
};

const momentBefore = ({ startedAt }: Report, seconds: number): string =>
  new Date(Date.parse(startedAt) - seconds * 1000).toISOString().replace(/\.\d+/, '');

/** On a screen the name of a backup will do: it lies beside the lock. */
const atHome = (finding: ReportFinding): ReportFinding => {
  const { fix } = finding;
  if (fix === null || fix.backup === null) return finding;
  return { ...finding, fix: { ...fix, backup: fix.backup.slice(fix.backup.lastIndexOf('/') + 1) } };
};

/** The first places that could not be looked at, why, and where to see the others. The command stays whole. */
export const gapBlock = (
  report: Report,
  { safe, flow, command, signed }: Canvas,
  shown: number,
  withMachines: boolean,
): readonly string[] => {
  const told = tellGaps(report, shown, withMachines);
  if (told === null) return [];
  const { places, more } = told;
  return [
    ...signed('unknown', 0, `${told.count}:`),
    ...places.flatMap((place) => flow(4, safe(place))),
    ...(more > 0 ? [`    and ${more} more: ${command(told.command)}`] : []),
  ];
};

/** The sign of a finding. */
export const markOf = ({ severity, doubt, fix }: ReportFinding): Mark =>
  fix?.status === 'fixed' ? 'fixed' : doubt && severity !== 'info' ? 'unknown' : severity;
