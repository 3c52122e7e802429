/** Describes a registry of live agent sessions: where a tool keeps it, and what its records claim. Data, no reading. */
import type { ClosedRegistry } from '../../core/types/evidence.ts';
import type { RecordForm } from '../../schema/registry-records.ts';
import type { ProcessTable } from '../processes/row.ts';

/** A user whose agents may be at work in the town. */
export interface RegistryUser {
  readonly uid: number;
  /** Absolute. */
  readonly home: string;
  /** The caller's environment; empty for other users, whose environment is not known. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Tells the process that wrote a record from a later one with the same PID. */
export type Proof =
  /** The start of the process, as the kernel's token or as ctime(3) prints it in UTC. */
  | { readonly by: 'start'; readonly start: string }
  /** When the session began, in milliseconds since the epoch: its process had started shortly before. */
  | { readonly by: 'session-start'; readonly atMs: number }
  /** Modification time of a file, in milliseconds since the epoch: its process may have written it any time after its start. */
  | { readonly by: 'file'; readonly atMs: number };

/** What a record says. It proves nothing until its process was found alive. */
export interface SessionClaim {
  readonly proof: Proof;
  /** Absolute. */
  readonly cwd: string;
  readonly name: string | null;
  readonly status: string | null;
}

/** One tool's registry. CONTRIBUTING says how to add one. */
export interface Registry {
  /** The tool's name in evidence, as in `claude "fix-login" (busy)`. */
  readonly tool: string;
  /** Absolute paths of the directories in which it may keep that user's records. */
  readonly directories: (user: RegistryUser) => readonly string[];
  /** Reads the records about live processes in such a directory. Reads nothing else; never throws. */
  readonly records: (
    listing: RegistryListing,
    table: ProcessTable,
  ) => readonly (FoundRecord | ClosedRecord)[];
  /** The published form of a record: one that does not fit is doubt about its process. */
  readonly form: RecordForm;
  /** What a record that fits claims; null where it is not about the process that it is named after. */
  readonly claim: (record: FoundRecord) => SessionClaim | null;
}

/** A record about a live process, whose form has not been checked. */
export interface FoundRecord {
  readonly path: string;
  readonly pid: number;
  readonly value: unknown;
  /** When its process wrote it, milliseconds since the epoch. */
  readonly atMs: number;
}

/** A directory of records, listed. */
interface RegistryListing {
  readonly directory: string;
  readonly entries: readonly string[];
  /** Owner of the records: another user's file does not count. */
  readonly uid: number;
}

/** A part of a registry that cannot be read: it may name any process or, where it has a `pid`, that process. */
export interface ClosedRecord {
  readonly path: string;
  readonly closed: string;
  readonly pid?: number;
  /** When the record of that process was written, milliseconds since the epoch; null where that is hidden too. */
  readonly mtimeMs?: number | null;
}

/** The processes whose own record is there and could not be read at all: it may say that they are at work anywhere. */
export const unreadPids = (closed: readonly ClosedRegistry[] = []): ReadonlySet<number> =>
  new Set(closed.flatMap(({ pid, isUnread }) => (isUnread === true && pid !== undefined ? [pid] : [])));

/**
 * The directory `inner` of a tool's configuration: where the user's variable says, and at the usual place in the home. Both count,
 * because agents may have been started without the variable.
 */
export const below =
  (variable: string, usual: string, inner: string): Registry['directories'] =>
  ({ home, env }) =>
    [env[variable], `${home}/${usual}`].flatMap((place) =>
      place?.startsWith('/') ? [`${place}/${inner}`] : [],
    );

/** Longest text that is accepted. */
const MAX_TEXT = 4096;

/** A text from a record; null for anything else, and for empty or too long texts. */
export const textIn = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && value.length <= MAX_TEXT && !value.includes('\0')
    ? value
    : null;

/** Characters of a name that fit a line of a report. */
const MAX_LABEL = 80;

/** A name or a word from a record, on one line and cut where it is too long; null for anything else. */
export const labelIn = (value: unknown): string | null => {
  const label = textIn(value)?.replace(/\s+/g, ' ').trim() ?? '';
  if (label === '') return null;
  const characters = [...label];
  return characters.length <= MAX_LABEL ? label : `${characters.slice(0, MAX_LABEL - 1).join('')}…`;
};
