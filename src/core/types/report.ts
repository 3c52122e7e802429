/**
 * What a run says, in the shape of the published JSON (schema version 1): camelCase, null rather than missing,
 * commands as argument vectors, stable order, additive changes only.
 */
import type { ErrorCode } from '../failure.ts';
import type { Check, Finding } from './check.ts';
import type { Gap, LockFile, ScanMode, TmuxServer, TownFacts } from './evidence.ts';
import type { Collision, Fact, Note, Occupant, State, Verdict } from './judgement.ts';

/** What the caller should do next; it means the same in every command. */
export const EXIT = {
  ok: 0,
  problems: 1,
  usage: 2,
  held: 20,
  repair: 21,
  unsure: 22,
  bug: 70,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export interface ReportError {
  readonly code: ErrorCode;
  /** One sentence. */
  readonly message: string;
  /** A command that works when pasted, or a sentence; null where there is nothing to add. */
  readonly hint: string | null;
}

/** Of every JSON document and event of ours: grows when a reader of older ones would go wrong. */
export const SCHEMA_VERSION = 1 as const;

/** What every JSON document of ours begins and ends with. */
interface Envelope<Command extends string> {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly tool: { readonly name: 'lock-doctor'; readonly version: string };
  readonly command: Command;
  readonly exitCode: number;
  readonly gaps: readonly Gap[];
  readonly error: ReportError | null;
}

export interface ReportTown extends Pick<TownFacts, 'root' | 'source'> {
  /** The root is a git repository and no Gas Town: its working trees are the workers. Left out of every other. */
  readonly type?: 'repository';
  readonly host: string;
  readonly scan: ScanMode;
}

export interface ReportServer extends Pick<TmuxServer, 'socket' | 'status' | 'pid' | 'sessions' | 'reason'> {
  /** The command line or the configuration names this socket; left out of every other. */
  readonly requested?: true;
  readonly startedAt: string | null;
  readonly panes: number;
}

export interface ReportSummary extends Readonly<Record<State, number>> {
  readonly locks: number;
  /** Held locks whose agent has exited while its session is open. */
  readonly idle: number;
  readonly collisions: number;
  /** Agents that work without a lock. */
  readonly withoutLock: number;
  /** Locks that `--fix` would release now. */
  readonly fixable: number;
  /** Locks that this run released. */
  readonly fixed: number;
}

export interface ReportLock
  extends Pick<LockFile, 'id' | 'kind' | 'worker' | 'path'>,
    Pick<Verdict, 'state' | 'reasons' | 'notes' | 'holder' | 'writtenSecondsAgo'> {
  readonly evidence: readonly Fact[];
  readonly sha256: string | null;
  /** By whose evidence it is judged; absent where only this machine was asked. */
  readonly machine?: string;
  /** All machines that see the file, where several share the directory. */
  readonly witnesses?: readonly string[];
}

/** An agent seen at work in a worker's directory. */
export interface ReportAgent extends Pick<Occupant, 'pid' | 'command' | 'pane'> {
  readonly worker: string;
  /** Id of the lock that stands there, or null. */
  readonly lock: string | null;
  readonly machine?: string;
}

export interface ReportCollision extends Omit<Collision, 'facts'> {
  readonly machine?: string;
}

export type CheckStatus = 'pass' | 'fail' | 'skipped' | 'unknown' | 'crashed';

export interface ReportCheck extends Pick<Check, 'id' | 'title'> {
  readonly status: CheckStatus;
  readonly findings: number;
  readonly durationMs: number;
  readonly error: string | null;
}

/**
 * `planned` would be done by `--fix`; `fixed` was done; `skipped` was left on purpose; `changed` was no longer what had been
 * diagnosed; `failed` was tried and did not work.
 */
export type FixStatus = 'planned' | 'fixed' | 'skipped' | 'changed' | 'failed';

export interface ReportFix {
  readonly action: 'release' | 'advice';
  /** True where `--fix` does it without being forced. */
  readonly safe: boolean;
  readonly status: FixStatus;
  readonly reason: string | null;
  /** Seconds after which asking again makes sense; null where waiting does not help. */
  readonly retryInSeconds: number | null;
  /** What the advice says; null for releases. */
  readonly text: string | null;
  /** Path of the kept copy after a release. */
  readonly backup: string | null;
}

export interface ReportFinding
  extends Pick<Finding, 'severity' | 'worker' | 'lock' | 'message' | 'evidence'> {
  /** `<check>:<worker>`, with `#n` where one check has several findings on one worker. */
  readonly id: string;
  readonly check: string;
  /** True where the finding is doubt (incomplete, 22) and no problem (1). */
  readonly doubt: boolean;
  readonly fix: ReportFix | null;
  /** Commands that work when pasted. */
  readonly next: readonly (readonly string[])[];
  readonly machine?: string;
}

/** A machine that was asked, and what became of it. */
export interface ReportMachine {
  /** `here`, its name in the configuration, or what `--on` said. */
  readonly name: string;
  /** `partial`: some of its towns could not be examined. */
  readonly status: 'ok' | 'partial' | 'failed';
  /** Why not all of it could be examined; one sentence fragment. */
  readonly reason: string | null;
  /** What it calls itself. */
  readonly host: string | null;
  /** Of the doctor that looked there. */
  readonly version: string | null;
  /** Roots of the towns that were looked at there. */
  readonly towns: readonly string[];
  readonly locks: number;
  /** Milliseconds that its clock is ahead of ours, at the least; 0 where it may be right. */
  readonly clockDifferenceMs: number | null;
  /** Milliseconds from the question to the whole answer; of several the slowest. */
  readonly roundTripMs: number | null;
}

/** A lease that a worker has, whichever machine holds it. */
export interface ReportLease {
  readonly worker: string;
  /** As the server has it. */
  readonly key: string;
  /** `stale`: the machine of its holder proves that it is dead. */
  readonly state: 'held' | 'stale';
  /** The machine that its holder runs on; null where that is none of those that were asked. */
  readonly machine: string | null;
  /** As the lease itself says; null where something else than a doctor wrote it. */
  readonly holder: {
    readonly hostname: string;
    /** Of the doctor that keeps it. */
    readonly pid: number;
    readonly sessionId: string | null;
    readonly acquiredAt: string;
  } | null;
  /** A number that grows with every holder, as text: it has 64 bits. */
  readonly epoch: string;
  /** False for a key that was written by hand and has no end. */
  readonly expires: boolean;
  /** Of a stale one: seconds until the server lets it go; null where that was not asked. */
  readonly expiresInSeconds: number | null;
  /** Id of the lock that was taken with it, on that machine; null where none of those that were asked has it. */
  readonly lock: string | null;
}

export interface Report extends Envelope<string> {
  /** exitCode === 0 */
  readonly ok: boolean;
  readonly complete: boolean;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly town: ReportTown | null;
  readonly tmux: {
    readonly status: 'ok' | 'none' | 'unknown';
    readonly servers: readonly ReportServer[];
  } | null;
  readonly summary: ReportSummary | null;
  /** The workers that the run was asked about; null for the whole town. */
  readonly workers: readonly string[] | null;
  /** The machines that were asked, this one first; absent where only this one was. */
  readonly machines?: readonly ReportMachine[];
  /** Absent where no lease is configured. */
  readonly leases?: readonly ReportLease[];
  readonly locks: readonly ReportLock[];
  readonly agents: readonly ReportAgent[];
  readonly collisions: readonly ReportCollision[];
  readonly checks: readonly ReportCheck[];
  readonly findings: readonly ReportFinding[];
  /** The command that takes back what this run released; null where it released nothing. */
  readonly undo: readonly string[] | null;
}

export type Answer = 'free' | 'held' | 'repair' | 'unsure';

export interface PreflightResult {
  readonly worker: string;
  readonly answer: Answer;
  readonly state: State | null;
  readonly reasons: readonly string[];
  readonly notes: readonly Note[];
  readonly message: string;
  readonly evidence: readonly Fact[];
  readonly retryInSeconds: number | null;
  readonly next: readonly (readonly string[])[];
}

/** `exec` answers in the same shape when it refuses. */
export interface PreflightReport extends Envelope<'preflight' | 'exec'> {
  /** What was asked, where it was not whether an agent may start. */
  readonly for?: 'removal';
  readonly town: Pick<TownFacts, 'root' | 'source'> | null;
  readonly results: readonly PreflightResult[];
}

/** What somebody at a place counts as: an agent is life, an unknown program is doubt, the others are nobody. */
export type PersonClass = 'agent' | 'unknown' | 'bystander' | 'infrastructure' | 'left-behind';

/** How somebody was seen: by his working directory, in tmux, in a tool's registry of sessions, as holder of a lock, in a container. */
export type Sighted = 'directory' | 'tmux' | 'registry' | 'lock' | 'container';

/** A process, or a pane, at a place. */
export interface Person {
  readonly class: PersonClass;
  readonly name: string;
  /** Null where only tmux saw it, which numbers panes. */
  readonly pid: number | null;
  readonly pane: Occupant['pane'];
  readonly seenBy: readonly Sighted[];
  /** Why it counts as what it does, a sentence or a fragment of one. */
  readonly why: string;
  /** It asked this question, or started the command that does. */
  readonly asks: boolean;
}

export interface PlaceOfWork {
  /** Absolute. */
  readonly path: string;
  /** Root of the town in which it was seen. */
  readonly root: string;
  /** Relative to the root. */
  readonly worker: string;
  /** Agents first. */
  readonly people: readonly Person[];
  /** What could not be looked at, a sentence each: somebody may work there unseen. */
  readonly unseen: readonly string[];
  /** A working tree whose directory is gone, which git still lists; left out for every other place. */
  readonly isGone?: true;
  /** Where somebody works in the worktree that git lists here, as it was moved or copied without telling git; left out of every other place. */
  readonly movedTo?: string;
  /** It was copied, and is here as well. */
  readonly isCopy?: true;
}

export interface WhoReport extends Envelope<'who'> {
  readonly places: readonly PlaceOfWork[];
}
