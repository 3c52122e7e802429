/** The page of a worker where several machines were asked: what each town that has it tells, and who judged it. Markdown. */
import { HERE } from '../../core/town/views.ts';
import type { LockFile } from '../../core/types/evidence.ts';
import type { Examination, Verdict } from '../../core/types/judgement.ts';
import type { Report } from '../../core/types/report.ts';
import type { FleetDiagnosis, TownSeen } from '../../fleet/examine-fleet.ts';
import type { LookOptions } from '../../look.ts';
import { preflightIn } from '../../places/preflight-in.ts';
import type { Pen } from '../../reporters/screen/style.ts';
import { pageOfWorker } from './worker-page.ts';

/** A worker in one town. */
export interface WorkerPlace {
  readonly view: TownSeen;
  readonly examination: Examination;
  readonly worker: string;
}

/** Finds a worker by its name in a town. Throws if the town has no such worker. */
type Finder = (name: string, examination: Examination, isHere: boolean) => string;

/**
 * The towns that have a lock of the worker, or the first that has a place for it. `mini2:gastown/crew/ada` means one machine
 * alone. Throws what `find` throws where no town has it.
 */
export const placesNamed = (
  word: string,
  { views }: FleetDiagnosis,
  find: Finder,
): readonly [WorkerPlace, ...WorkerPlace[]] => {
  const places: WorkerPlace[] = [];
  const failures: unknown[] = [];
  const meant = views.filter(({ name }) => word.startsWith(`${name}:`));
  for (const view of meant.length > 0 ? meant : views) {
    const { name, root, diagnosis } = view;
    if (diagnosis === null) continue;
    const named = meant.length > 0 ? word.slice(name.length + 1) : word;
    const inRoot = named.startsWith(`${root}/`) ? named.slice(root.length + 1) : named;
    const { examination } = diagnosis;
    try {
      const worker = find(inRoot, examination, name === HERE);
      places.push({ view, examination, worker });
    } catch (cause) {
      failures.push(cause);
    }
  }
  const telling = places.filter(({ examination, worker }) =>
    examination.verdicts.some(({ lock }) => lock.worker === worker),
  );
  const [first, ...others] = telling.length > 0 ? telling : places.slice(0, 1);
  if (first === undefined) throw failures[0];
  return [first, ...others];
};

/** One page for all places, with the locks of all of them, and the answer that a start at the first one would get. */
export const pageOfPlaces = async (
  places: readonly [WorkerPlace, ...WorkerPlace[]],
  { machines = [] }: Report,
  pen: Pen,
  options: LookOptions,
): Promise<ReturnType<typeof pageOfWorker>> => {
  const pages = await Promise.all(places.map((place) => pageOfPlace(place, pen, options)));
  const silent = machines.flatMap(({ name, status, reason }) =>
    status === 'ok' ? [] : [`${pen.safe(name)} could not be asked: ${pen.safe(reason ?? '')}.\n`],
  );
  return {
    text: [...pages.map(({ text }) => text), ...silent].join('\n'),
    verdicts: pages.flatMap(({ verdicts }) => verdicts),
    answer: pages[0]?.answer ?? null,
  };
};

const pageOfPlace = async (
  { view, worker, examination }: WorkerPlace,
  pen: Pen,
  options: LookOptions,
): Promise<ReturnType<typeof pageOfWorker>> => {
  // Commands are pasted here, and are about another machine's files.
  const penOn = (machine: string): Pen =>
    machine === HERE ? pen : { ...pen, command: (argv) => pen.command(view.commandThere(machine, argv)) };
  const penFor = ({ id }: LockFile): Pen => penOn(view.seenBy?.get(id)?.machine ?? view.name);
  const answer = await preflightIn(examination.snapshot, worker, view.name === HERE ? options : null);
  const page = pageOfWorker(worker, examination, answer, penOn(view.name), penFor);
  return { ...page, text: `${page.text}\n${whoSaw(page.verdicts, view, pen)}` };
};

/** `Seen on: mini2, mini3; judged by mini2.`, and for each lock of its own where they differ. */
const whoSaw = (verdicts: readonly Verdict[], { name, seenBy }: TownSeen, { safe }: Pen): string => {
  const told = verdicts.map(({ lock }) => {
    const seen = seenBy?.get(lock.id);
    const witnesses = (seen?.witnesses ?? [name]).map(safe).join(', ');
    return [safe(lock.path), `${witnesses}${seen === undefined ? '' : `; judged by ${safe(seen.machine)}`}`];
  });
  const answers = new Set(told.map(([, answer]) => answer));
  return answers.size > 1
    ? told.map(([path, answer]) => `${path} is seen on: ${answer}.\n`).join('')
    : `Seen on: ${told[0]?.[1] ?? safe(name)}.\n`;
};
