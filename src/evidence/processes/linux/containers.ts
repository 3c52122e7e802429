/**
 * Finds PID namespaces of this machine, mostly containers, in which locks under other host names were taken, and which process
 * here has which number there. Looks at every process, so it runs only where a lock makes it necessary. Reads only.
 */
import { statSync } from 'node:fs';
import { groupBy } from '../../../core/group-by.ts';
import { isContainerId, isSameName } from '../../../core/town/host-names.ts';
import type { ContainerEvidence, HostFacts, LockFile } from '../../../core/types/evidence.ts';
import type { ProcessRow, ProcessTable } from '../row.ts';

/** Where a record says that it was taken, and the numbers that it names. */
export interface TakenElsewhere {
  readonly hostname: string;
  /** `pid:[4026532777]`; null where it does not say. */
  readonly pidNamespace: string | null;
  readonly pids: readonly number[];
  /** Owner of the lock file. */
  readonly owner: number | null;
}

/** A namespace of this machine with such a name. */
export interface Container extends Omit<ContainerEvidence, 'lookups'> {
  /** Number there → number here, for all processes in it; null where several processes may be meant. */
  readonly numbers: ReadonlyMap<number, number | null>;
  /** The numbers that locks name. */
  readonly pids: readonly number[];
}

/** The records that were taken under another host name than ours, or in another PID namespace. */
export const takenElsewhere = (locks: readonly LockFile[], host: HostFacts): readonly TakenElsewhere[] =>
  locks.flatMap(({ content, companion, uid }) => {
    const named =
      content.kind === 'record'
        ? content.record
        : content.kind === 'claim' && content.claim.by === 'number'
          ? { ...content.claim, holder: null }
          : null;
    if (named === null) return [];
    const { hostname, pid, holder } = named;
    const pidNamespace = (holder ?? companion)?.pidNamespace ?? null;
    const isHere = hostname === '' || isSameName(hostname, host.hostname);
    if (isHere && (pidNamespace === null || pidNamespace === host.pidNamespace)) return [];
    const pids = [pid, holder?.pid, companion?.pid].filter((one) => one !== undefined);
    return [{ hostname, pidNamespace, pids, owner: uid }];
  });

interface Namespace {
  readonly name: string;
  readonly rows: ProcessRow[];
  /** Depth below our namespace, counting itself. */
  readonly depth: number;
}

/**
 * Finds the namespaces that these records name. A name that no live process here has is left out. A name that is not a container
 * id counts only for a container that has mounted the town's file system, because other machines may have the same name. Any
 * user can give a namespace any name, so only processes of root and of the lock's owner count as naming one.
 */
export const findContainers = (
  wanted: readonly TakenElsewhere[],
  root: string,
  table: ProcessTable,
): readonly Container[] => {
  if (wanted.length === 0) return [];
  const namespaces = otherNamespaces(table);
  if (namespaces.length === 0) return [];
  const device = deviceOf(root);
  const named = namespaces.map((namespace) => ({ namespace, names: namesOf(namespace, device, table) }));
  const keyOf = ({ hostname, pidNamespace, owner }: TakenElsewhere) => `${owner} ${pidNamespace} ${hostname}`;
  return [...groupBy(wanted, keyOf).values()].flatMap((records) => {
    const [first] = records;
    if (first === undefined) return [];
    const { hostname, pidNamespace, owner } = first;
    const fitting = named.filter(({ namespace, names }) =>
      pidNamespace === null ? names.some((name) => isNamed(first, name)) : namespace.name === pidNamespace,
    );
    if (fitting.length === 0) return [];
    const places = fitting.map(({ namespace }) => namespace);
    const pids = [...new Set(records.flatMap((record) => record.pids))].sort((one, other) => one - other);
    return [{ hostname, owner, pids, ...membersOf(places, namespaces, table) }];
  });
};

/** How one process names its machine. */
interface MachineName {
  readonly uid: number | null;
  readonly hostname: string | null;
  readonly id: string | null;
}

const ROOT = 0;

/** A container's host name is the beginning of its id, unless another one was given. */
const isNamed = (taken: TakenElsewhere, { uid, hostname, id }: MachineName): boolean => {
  if (uid !== ROOT && (uid === null || uid !== taken.owner)) return false;
  if (hostname !== null && isSameName(hostname, taken.hostname)) return true;
  return isContainerId(taken.hostname) && id?.startsWith(taken.hostname) === true;
};

const otherNamespaces = (table: ProcessTable): readonly Namespace[] => {
  const { rows, details } = table;
  const ours = details.pidNamespace(process.pid);
  const found = new Map<string, Namespace>();
  for (const row of rows.values()) {
    if (row.dead || row.isKernelThread) continue;
    const name = details.pidNamespace(row.pid);
    if (name === null || name === ours) continue;
    const before = found.get(name);
    if (before === undefined) found.set(name, { name, rows: [row], depth: details.numbers(row.pid).length });
    else before.rows.push(row);
  }
  return [...found.values()];
};

/** The names by which processes call their machine. Each is asked, since any of them may have changed its root. */
const namesOf = (
  { rows }: Namespace,
  device: string | null,
  { details }: ProcessTable,
): readonly MachineName[] =>
  rows.map(({ pid }) => {
    const { hostname, id } = details.containerNames(pid);
    const seesTown = hostname !== null && device !== null && isMounted(device, details.mountInfo(pid));
    return { uid: details.uid(pid), hostname: seesTown ? hostname : null, id };
  });

const isMounted = (device: string, mountInfo: string): boolean =>
  mountInfo.split('\n').some((line) => line.split(' ', 3)[2] === device);

const membersOf = (
  named: readonly Namespace[],
  all: readonly Namespace[],
  { details }: ProcessTable,
): Pick<Container, 'pidNamespace' | 'numbers'> => {
  const numbers = new Map<number, number | null>();
  for (const { name, depth, rows } of named) {
    const within = new Map<number, number | null>();
    const numberOf = (pid: number): number | undefined => details.numbers(pid)[depth - 1];
    // A deeper namespace may lie inside this one, and its processes then have numbers in both; or it may lie in another.
    const deeper = all.filter((other) => other.name !== name && other.depth > depth);
    for (const { pid } of deeper.flatMap((other) => other.rows)) {
      const number = numberOf(pid);
      if (number !== undefined) within.set(number, within.has(number) ? null : pid);
    }
    for (const { pid } of rows) {
      const number = numberOf(pid);
      if (number !== undefined) within.set(number, pid);
    }
    for (const [number, pid] of within) numbers.set(number, numbers.has(number) ? null : pid);
  }
  const [only, ...others] = named;
  return { pidNamespace: others.length > 0 ? null : (only?.name ?? null), numbers };
};

/** As mountinfo writes the device number of a file system: `254:1` (makedev(3), for Linux). */
const deviceOf = (path: string): string | null => {
  const dev = statSync(path, { bigint: true, throwIfNoEntry: false })?.dev;
  if (dev === undefined) return null;
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  return `${major}:${minor}`;
};
