/** What the evidence means: states, reasons, notes and verdicts. Made by `core/judge` alone. */
import { LOCK_PROBLEMS, type LockFile, type Snapshot } from './evidence.ts';

export const STATES = ['held', 'stale', 'orphaned', 'invalid', 'foreign', 'unknown'] as const;
export type State = (typeof STATES)[number];

export const REASONS = [
  'process-alive',
  'process-gone',
  'process-zombie',
  'process-thread',
  'process-recycled',
  'process-elsewhere',
  'process-unknown',
  'process-shared',
  'other-system',
  'pid-invalid',
  'rebooted',
  'former-host',
  'pane-live',
  'pane-gone',
  'pane-dead',
  'pane-recycled',
  'session-live',
  'session-gone',
  'session-recycled',
  'session-unnamed',
  'session-unknown',
  'occupied',
  'occupants-unknown',
  'other-host',
  'other-namespace',
  'no-process-named',
  'file-open',
  'file-not-open',
  'file-unknown',
  'flock-held',
  'flock-unknown',
  'refreshed',
  'not-refreshed',
  'git-running',
  'git-not-running',
  'git-unknown',
  'network-disk',
  'unreadable',
  ...LOCK_PROBLEMS,
] as const;
export type Reason = (typeof REASONS)[number];

/** Reasons that may leave a lock undecided. `core/report/doubt.ts` says of each which evidence is missing. */
export type Undecided = Extract<
  Reason,
  `${string}-unknown` | 'process-shared' | 'other-system' | 'not-refreshed' | 'network-disk'
>;

/** The reasons that go with such evidence: only an `Undecided` one leaves the question open. */
export type ReasonFor<S extends ProcessState> = S extends 'unknown' ? Undecided : Reason;

export const NOTES = [
  'drifted',
  'priming',
  'fresh',
  'misplaced',
  'tracked',
  'copy',
  'would-block',
  'legacy-path',
  'idle',
  'team',
  'by-hand',
  'gone',
] as const;
export type Note = (typeof NOTES)[number];

export const FACT_SOURCES = ['lock', 'processes', 'tmux', 'occupants', 'git', 'host', 'clock'] as const;

/** A sentence of evidence and where it comes from. */
export interface Fact {
  readonly source: (typeof FACT_SOURCES)[number];
  readonly text: string;
}

export type ProcessState = 'gone' | 'recycled' | 'alive' | 'unknown';
export type SessionState = 'live' | 'gone' | 'unnamed' | 'unknown';

/** A pane by the socket of its server, its number there and its session. */
export interface PaneName {
  readonly socket: string;
  readonly id: string;
  readonly sessionName: string;
}

/** An agent seen at work in a worker's directory, whether or not the lock names it. */
export interface Occupant {
  /** Equal for one agent however it was seen, and the machine first: `here:pane:<socket>:<%N>` or `here:process:<pid>`. */
  readonly key: string;
  /** Panes of one session (or session group) share it: several are one agent unless each shows an agent command. */
  readonly group: string;
  readonly pid: number;
  readonly command: string;
  readonly pane: PaneName | null;
  /** A known agent command runs there (not only a session that says so). */
  readonly isAgent: boolean;
  /** Its session says that it is another worker's agent: life here, but no rival. */
  readonly visiting: boolean;
  /** One sentence. */
  readonly text: string;
}

/** A program at work in a worker's directory that the doctor does not know. */
export interface Stranger {
  readonly program: string;
  /** Null where only tmux saw it, which numbers panes. */
  readonly pid: number | null;
  /** One sentence. */
  readonly text: string;
}

export interface Holder {
  /** Number that stands in the record. */
  readonly pid: number;
  /** Number of the process that was judged: the true holder's where a record of ours names one, else `pid`. */
  readonly truePid: number;
  /** Null on another host. */
  readonly process: ProcessState | null;
  /** Another worker, or another town, whose pane, role, registry record or lock claims the live process; else null. */
  readonly claimedBy: string | null;
  /** Command of the recorded process where it is alive or recycled. */
  readonly command: string | null;
  /** Of a lock that claims no worker, the name that it gives its holder: `claude agent agent-ab12`. */
  readonly sessionId: string | null;
  readonly session: SessionState;
  readonly hostname: string | null;
  readonly acquiredAt: string | null;
  readonly ageSeconds: number | null;
  /** The pane behind the named session where it is live. */
  readonly pane: PaneName | null;
}

/** What one lock is. Computed once by `judge`, never derived again. */
export interface Verdict {
  readonly lock: LockFile;
  readonly state: State;
  readonly reasons: readonly Reason[];
  readonly notes: readonly Note[];
  /** Null for locks that are not a record. */
  readonly holder: Holder | null;
  /** Whole seconds since its file was last written; negative where that lies in the future; null where it is not known, and for what is no regular file. */
  readonly writtenSecondsAgo: number | null;
  readonly occupants: readonly Occupant[];
  /** Were occupants looked for with success? */
  readonly occupantsKnown: boolean;
  /** Unknown programs at work here: the doubt that the user can end, by naming them. Empty beside an occupant. */
  readonly strangers: readonly Stranger[];
  readonly facts: readonly Fact[];
  /** What `--fix` may do with it. */
  readonly release: Release;
}

/** May `--fix` release this lock without being forced, and if not, why not. */
export type Release = { readonly allowed: true } | Refusal;

/** Why a lock is not released. */
export interface Refusal {
  readonly allowed: false;
  /**
   * `state`: held, orphaned, foreign, unknown: only `--force --worker` releases it. `tracked`, `tracked-unknown`,
   * `outside`, `not-a-file`, `not-utf8`, `by-hand`, `no-owner`, `never`: not even by force. `fresh`, `young`, `occupied`, `occupants-unknown`: not now.
   */
  readonly why:
    | 'state'
    | 'tracked'
    | 'tracked-unknown'
    | 'outside'
    | 'not-a-file'
    | 'not-utf8'
    | 'by-hand'
    | 'no-owner'
    | 'never'
    | 'fresh'
    | 'young'
    | 'occupied'
    | 'occupants-unknown';
  /** Seconds until asking again makes sense; null where waiting does not help. */
  readonly retryInSeconds: number | null;
}

/** Two or more distinct live agents on one worker, or one live agent that several workers' locks claim. */
export interface Collision {
  readonly kind: 'agents' | 'claims';
  /** Sorted; one for `agents`, several for `claims`. */
  readonly workers: readonly string[];
  readonly message: string;
  /** The parties of `agents`, each by the pane (`%3`) or the process (`pid 4242`) that leads it; empty for `claims`. */
  readonly who: readonly string[];
  readonly facts: readonly Fact[];
}

/** An agent at work in a worker's directory where no lock is. */
export interface LocklessAgent {
  readonly worker: string;
  readonly occupant: Occupant;
}

export interface Examination {
  readonly snapshot: Snapshot;
  /** In the order of `snapshot.locks`. */
  readonly verdicts: readonly Verdict[];
  readonly collisions: readonly Collision[];
  /** In the order of workers; agents that a lock accounts for stand with its verdict. */
  readonly lockless: readonly LocklessAgent[];
}
