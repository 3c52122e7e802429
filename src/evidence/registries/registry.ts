/** What a registry of live agent sessions is: where a tool keeps it, and what its records claim. Data, no reading. */
import type { RecordForm } from '../../schema/registry-records.ts';
import type { ProcessTable } from '../processes/row.ts';

/** Somebody whose agents may be at work in the town. */
export interface RegistryUser {
  readonly uid: number;
  /** Absolute. */
  readonly home: string;
  /** Of the user who asks; nobody else's is known. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What tells the process that a record was written by from a later one of the same number. */
export type Proof =
  /** The start of the process, as the kernel's token or as ctime(3) prints it in UTC. */
  | { readonly by: 'start'; readonly start: string }
  /** Milliseconds since the epoch at which the session began: its process had started a moment before. */
  | { readonly by: 'session-start'; readonly atMs: number }
  /** The same of a file that its process may have written at any time since it started. */
  | { readonly by: 'file'; readonly atMs: number };

/** What a record says, before anybody looked whether its process lives. Nothing in it may be believed on its own. */
export interface SessionClaim {
  readonly proof: Proof;
  /** Absolute. */
  readonly cwd: string;
  readonly name: string | null;
  readonly status: string | null;
}

/** One tool's registry. Another tool is one more file like `claude.ts` and a line in `registries.ts`. */
export interface Registry {
  /** The word for the evidence: `claude "fix-login" (busy)`. */
  readonly tool: string;
  /** Absolute paths of the directories in which it may keep that user's records. */
  readonly directories: (user: RegistryUser) => readonly string[];
  /** What is written down about live processes in such a directory. Reads nothing else; never throws. */
  readonly records: (
    listing: RegistryListing,
    table: ProcessTable,
  ) => readonly (FoundRecord | ClosedRecord)[];
  /** The published form of a record: one that does not fit is doubt about its process. */
  readonly form: RecordForm;
  /** What a record that fits claims; null where it is not about the process that it is named after. */
  readonly claim: (record: FoundRecord) => SessionClaim | null;
}

/** A record about a live process, before anybody checked its form. */
export interface FoundRecord {
  readonly path: string;
  readonly pid: number;
  readonly value: unknown;
  /** When its process wrote it, milliseconds since the epoch. */
  readonly atMs: number;
}

/** A directory of records, listed. */
export interface RegistryListing {
  readonly directory: string;
  readonly entries: readonly string[];
  /** Whose records they are: anybody else's file is none. */
  readonly uid: number;
}

/** Something of a registry that nobody can read: it may name anybody, or, where it has a `pid`, that process. */
export interface ClosedRecord {
  readonly path: string;
  readonly closed: string;
  readonly pid?: number;
}

/**
 * The directory `inner` of a tool's configuration: where that user's variable says, and at the usual place below his home.
 * Both, for the asker's variable says nothing of agents that were started without it.
 */
export const below =
  (variable: string, usual: string, inner: string): Registry['directories'] =>
  ({ home, env }) =>
    [env[variable], `${home}/${usual}`].flatMap((place) =>
      place?.startsWith('/') ? [`${place}/${inner}`] : [],
    );

/** No text of a record is longer, nor any session's name worth more room in a report. */
const MAX_TEXT = 4096;

/** A text out of a record, or null for anything else, the empty and the endless included. */
export const textIn = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' && value.length <= MAX_TEXT && !value.includes('\0')
    ? value
    : null;

/** Longer names say no more in a line of a report. */
const MAX_LABEL = 80;

/** A name or a word out of a record, on one line and cut where it goes on and on; null for anything else. */
export const labelIn = (value: unknown): string | null => {
  const label = textIn(value)?.replace(/\s+/g, ' ').trim() ?? '';
  if (label === '') return null;
  const characters = [...label];
  return characters.length <= MAX_LABEL ? label : `${characters.slice(0, MAX_LABEL - 1).join('')}…`;
};
