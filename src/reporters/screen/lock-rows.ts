/** What is listed of a town: its locks, and the workers in which agents work without one; for the tree and every other list. */
import { groupBy } from '../../core/group-by.ts';
import { inNameOrder } from '../../core/town/name-order.ts';
import type { State } from '../../core/types/judgement.ts';
import type { Report, ReportLock } from '../../core/types/report.ts';
import {
  type Company,
  companyOf,
  describeAgent,
  describeCrowd,
  describeHolder,
  leaseInWords,
} from './lock-words.ts';
import { wordFor } from './sentences.ts';
import type { Mark } from './style.ts';
import { nameOf } from './words.ts';
import { rowsWorstFirst } from './worst-first.ts';

const MARKS: Readonly<Record<State, Mark>> = {
  held: 'pass',
  stale: 'warning',
  orphaned: 'warning',
  invalid: 'warning',
  foreign: 'info',
  unknown: 'unknown',
};

/** One worker: its lock, the agents that work there without one, a lock that a killed run had moved aside, or a lease that is held elsewhere. */
export interface Row {
  /** As the report calls it: relative to the town. */
  readonly place: string;
  /** Where its machine stands among those that were asked; 0 where only this one was. */
  readonly machine: number;
  /** As people call it; not escaped. */
  readonly worker: string;
  /** The same in two parts: what it is listed under, and the rest; not escaped. */
  readonly heading: string;
  readonly rest: string;
  readonly state: State | 'no lock' | 'gone' | 'lease';
  readonly mark: Mark;
  /** Who is behind it, in one line; not escaped. */
  readonly text: string;
  /** Null for agents without a lock. */
  readonly lock: ReportLock | null;
  /** How many agents without a lock it stands for, as they are counted; left out for one, and for everything else. */
  readonly agents?: number;
}

/** The rows of a report, worst first, then in the order of machines and workers; with `verbose` the records and the times in full. */
export const rowsOf = (report: Report, verbose: boolean): readonly Row[] =>
  rowsWorstFirst(bareRowsOf(report, verbose).map((row) => ({ ...row, ...splitName(row, report.town) })));

type BareRow = Omit<Row, 'heading' | 'rest'>;

const bareRowsOf = (report: Report, verbose: boolean): readonly BareRow[] => {
  const company = companyOf(report);
  const root = report.town?.root;
  const places = new Map(report.machines?.map(({ name }, at) => [name, at]));
  const placeOf = (machine: string | null | undefined): number => places.get(machine ?? '') ?? 0;
  const doubts = doubtsOf(report);
  const locked = report.locks.map((lock): BareRow => {
    const collides = company.crowdAt(lock.worker) !== null || company.rivalsOf(lock.worker).length > 0;
    return {
      place: lock.worker,
      machine: placeOf(lock.machine),
      worker: `${nameOf(lock.worker, root)}${suffixOf(lock)}`,
      state: lock.state,
      mark: collides ? 'error' : MARKS[lock.state],
      text: doubtful(lock, doubts) ?? describeHolder(lock, company, verbose),
      lock,
    };
  });
  const others = [
    ...agentsWithoutLock(report, company),
    ...locksMovedAside(report),
    ...goneWorktrees(report),
    ...leasesWithoutLock(report),
  ];
  const bare = others.map(
    ({ machine, ...row }): BareRow => ({
      ...row,
      machine: placeOf(machine),
      worker: nameOf(row.place, root),
      lock: null,
    }),
  );
  return inNameOrder([...locked, ...bare], ({ worker }) => worker).sort((a, b) => a.machine - b.machine);
};

/** What a row without a lock tells. */
interface WithoutLock extends Pick<BareRow, 'place' | 'state' | 'mark' | 'text' | 'agents'> {
  readonly machine: string | null | undefined;
}

const agentsWithoutLock = ({ agents }: Report, company: Company): readonly WithoutLock[] =>
  [
    ...groupBy(
      agents.filter(({ lock }) => lock === null),
      ({ worker }) => worker,
    ),
  ].map(([place, together]) => {
    const crowd = company.crowdAt(place);
    const here = company.agentsAt(place);
    return {
      place,
      machine: here[0]?.machine,
      state: 'no lock',
      mark: crowd === null ? 'info' : 'error',
      text: crowd === null ? here.map(describeAgent).join(', ') : describeCrowd(crowd),
      ...(together.length === 1 ? {} : { agents: together.length }),
    };
  });

const locksMovedAside = ({ findings }: Report): readonly WithoutLock[] =>
  findings.flatMap(({ check, severity, lock, worker, message, machine }) =>
    check !== 'lock-debris' || severity === 'info' || lock !== null || worker === null
      ? []
      : [{ place: worker, machine, state: 'no lock', mark: 'warning', text: message }],
  );

/** Deleted worktrees of which git still has the files: its evidence tells them apart from files that were left beside a lock. */
const goneWorktrees = ({ findings, locks }: Report): readonly WithoutLock[] =>
  findings.flatMap(({ check, evidence, worker, message, machine }) =>
    check !== 'lock-debris' ||
    worker === null ||
    evidence[0]?.source !== 'git' ||
    locks.some((lock) => lock.worker === worker && lock.machine === machine)
      ? []
      : [{ place: worker, machine, state: 'gone', mark: 'info', text: message }],
  );

const leasesWithoutLock = ({ leases = [] }: Report): readonly WithoutLock[] =>
  leases
    .filter(({ lock }) => lock === null)
    .map((lease) => ({
      place: lease.worker,
      machine: lease.machine,
      state: 'lease',
      mark: 'info',
      text: leaseInWords(lease),
    }));

/** Why a lock could not be judged: the check that reports it says so. Two machines may have locks of one id. */
const doubtsOf = ({ findings }: Report): ReadonlyMap<string, string> =>
  new Map(
    findings.flatMap(({ machine = '', lock, doubt, message, check }) =>
      doubt && lock !== null && check === 'undecided-lock' ? [[`${machine}:${lock}`, message] as const] : [],
    ),
  );

/** What became of the holder of an unknown lock tells only half of it; null where nothing else is known. */
const doubtful = (
  { machine = '', id, state }: ReportLock,
  doubts: ReadonlyMap<string, string>,
): string | null => (state === 'unknown' ? (doubts.get(`${machine}:${id}`) ?? null) : null);

/** What tells the lock at the place of older releases from the other row of the same worker. */
const suffixOf = (lock: ReportLock | null): string =>
  lock?.notes.includes('legacy-path') === true ? '/.gastown' : '';

/**
 * In a town the first part of a worker's path, its rig; a lock in the root or directly below belongs to the town. In a
 * repository the directory in which its working trees lie.
 */
const splitName = (row: BareRow, town: Report['town']): Pick<Row, 'heading' | 'rest'> => {
  const suffix = suffixOf(row.lock);
  const name = row.worker.slice(0, row.worker.length - suffix.length);
  const slash = town?.type === 'repository' ? name.lastIndexOf('/') : name.indexOf('/');
  return slash < 0
    ? { heading: wordFor(town), rest: row.worker }
    : { heading: name.slice(0, slash), rest: name.slice(slash + 1) + suffix };
};
