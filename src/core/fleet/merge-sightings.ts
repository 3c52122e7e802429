/**
 * One directory, seen by several machines: each of its locks is judged by the machine that took it, whichever sees the file.
 * Life that anybody sees is life; death is believed only of the machine that took the lock. Pure.
 */
import { groupBy } from '../group-by.ts';
import { gapsOf } from '../report/report.ts';
import type { Gap, LockFile } from '../types/evidence.ts';
import type { Examination, Fact, State, Verdict } from '../types/judgement.ts';
import { collisionsAmong, locklessAmong } from './across.ts';
import type { SeenBy } from './label.ts';
import { type MachineView, maySpeakFor, type Testimony, takersAmong } from './taker.ts';

/** What several machines saw of one directory, as one examination. */
export interface SharedExamination {
  readonly examination: Examination;
  readonly seenBy: SeenBy;
}

/** Of several judgements the one that forbids most. */
const MOST_CAREFUL_FIRST: readonly State[] = ['held', 'orphaned', 'unknown', 'foreign', 'invalid', 'stale'];

const mostCareful = (testimonies: readonly Testimony[]): Testimony | undefined =>
  MOST_CAREFUL_FIRST.flatMap((state) => testimonies.filter(({ verdict }) => verdict.state === state))[0];

const doubtful = (verdict: Verdict, text: string): Verdict => {
  const fact: Fact = { source: 'occupants', text };
  return {
    ...verdict,
    state: 'unknown',
    reasons: [...verdict.reasons.filter((reason) => reason !== 'occupants-unknown'), 'occupants-unknown'],
    notes: verdict.notes.filter((note) => note !== 'copy' && note !== 'fresh'),
    occupantsKnown: false,
    strangers: [],
    facts: [fact, ...verdict.facts],
    release: { allowed: false, why: 'state', retryInSeconds: null },
  };
};

/** What the file was, bytes and meaning: a machine that reads something else in the same bytes lies. */
const readingOf = ({ stamp, content }: LockFile): string => JSON.stringify([stamp?.sha256 ?? null, content]);

/** Why nobody may call this lock dead although the machine that took it does; null where nothing speaks against it. */
const objection = (
  { sighting, verdict }: Testimony,
  all: readonly Testimony[],
  unreached: readonly string[],
): string | null => {
  if (unreached.length > 0)
    return `${unreached.join(', ')} could not be asked: an agent may be at work there in this directory`;
  if (!maySpeakFor(sighting, verdict)) {
    const { content } = verdict.lock;
    const hostname = content.kind === 'record' ? content.record.hostname : '';
    return hostname === ''
      ? `${sighting.machine} calls its holder dead, but the lock names no machine`
      : `${sighting.machine} calls its holder dead, but is not known to be ${hostname}: add that name to its "hosts"`;
  }
  const blind = all.find((one) => one.sighting !== sighting && !one.verdict.occupantsKnown);
  return blind === undefined ? null : `${blind.sighting.machine} could not see who works in this directory`;
};

/** The judgement of one lock, out of what each machine that sees the file found. */
const decideAmong = (
  all: readonly [Testimony, ...Testimony[]],
  unreached: readonly string[],
): { readonly verdict: Verdict; readonly machine: string } => {
  const says = ({ sighting: { machine }, verdict }: Testimony) => ({ verdict, machine });
  const takers = takersAmong(all);
  const takersFirst = [...takers, ...all];
  const alive =
    takersFirst.find(({ verdict }) => verdict.occupants.length > 0) ??
    takersFirst.find(({ verdict }) => verdict.state === 'held');
  if (alive !== undefined) return says(alive);
  const [first] = all;
  const taker = mostCareful(takers);
  if (taker === undefined) return says(first);
  const { verdict, machine } = says(taker);
  if (all.some((one) => readingOf(one.verdict.lock) !== readingOf(verdict.lock)))
    return {
      machine,
      verdict: doubtful(verdict, 'the machines did not see the same bytes: it may have changed meanwhile'),
    };
  if (verdict.state !== 'stale' && verdict.state !== 'invalid') return { verdict, machine };
  const why = objection(taker, all, unreached);
  return { machine, verdict: why === null ? verdict : doubtful(verdict, why) };
};

/** Where a lock lies in the town, whatever each machine calls the town's root. */
const placeInTown = (
  { path }: LockFile,
  {
    snapshot: {
      town: { root },
    },
  }: Examination,
): string => (path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path);

/** Gaps of the other machines, each with the name of the one it is of. */
const gapsElsewhere = (others: readonly MachineView[]): readonly Gap[] =>
  others.flatMap(({ machine, examination }) =>
    gapsOf(examination.snapshot).map((gap) => ({ ...gap, machine })),
  );

/**
 * Puts together what several machines saw of one directory. The first sighting is the base: its snapshot stays, with
 * everybody's locks and gaps.
 *
 * @param unreached machines that share the directory and did not answer: nothing is proven dead without them
 */
export const mergeSightings = (
  [base, ...others]: readonly [MachineView, ...MachineView[]],
  unreached: readonly string[],
): SharedExamination => {
  const sightings = [base, ...others];
  const testimonies = sightings.flatMap((sighting) =>
    sighting.examination.verdicts.map((verdict): Testimony => ({ sighting, verdict })),
  );
  const byPlace = groupBy(testimonies, ({ sighting, verdict }) =>
    placeInTown(verdict.lock, sighting.examination),
  );
  const seenBy = new Map<string, { machine: string; witnesses: readonly string[] }>();
  const verdicts: Verdict[] = [];
  for (const [first, ...rest] of byPlace.values()) {
    if (first === undefined) continue;
    const { verdict, machine } = decideAmong([first, ...rest], unreached);
    // A lock has one id in a town; two places with the same one are those of a machine that lies.
    if (seenBy.has(verdict.lock.id)) continue;
    const witnesses = [first, ...rest].map(({ sighting }) => sighting.machine);
    seenBy.set(verdict.lock.id, { machine, witnesses });
    verdicts.push(verdict);
  }
  const { snapshot } = base.examination;
  return {
    seenBy,
    examination: {
      snapshot: {
        ...snapshot,
        locks: verdicts.map(({ lock }) => lock),
        gaps: [...snapshot.gaps, ...gapsElsewhere(others)],
      },
      verdicts,
      collisions: collisionsAmong(sightings),
      lockless: locklessAmong(sightings),
    },
  };
};
