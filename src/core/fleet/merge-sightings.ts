/**
 * One directory, seen by several machines: each of its locks is judged by the machine that took it. If any machine sees the
 * holder alive, it is alive; that the holder is dead is believed only of the machine that took the lock. Pure.
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

/** Of several judgements, the one that forbids most wins. */
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

/** The file's bytes and what they mean: machines that read the same bytes differently cannot be trusted. */
const readingOf = ({ stamp, content }: LockFile): string => JSON.stringify([stamp?.sha256 ?? null, content]);

/** Why this lock does not count as dead although the machine that took it says so; null where there is no objection. */
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

/** A lock's path in the town, which is the same for machines that have the root at different paths. */
const placeInTown = (
  { path }: LockFile,
  {
    snapshot: {
      town: { root },
    },
  }: Examination,
): string => (path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path);

/** Gaps of the other machines, each with its machine's name. */
const gapsElsewhere = (others: readonly MachineView[]): readonly Gap[] =>
  others.flatMap(({ machine, examination }) =>
    gapsOf(examination.snapshot, examination.verdicts).map((gap) => ({ ...gap, machine })),
  );

/**
 * Puts together what several machines saw of one directory. The first sighting is the base: its snapshot is kept, with
 * the locks and gaps of all.
 *
 * @param unreached machines that share the directory and did not answer: as long as one is missing, no lock counts as dead
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
    // A lock has one id in a town: a second place with the same id comes from a machine with false answers.
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
