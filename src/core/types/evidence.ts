/**
 * What was seen: the snapshot of one run, as plain JSON, so that it can be saved, mailed and replayed. What could not be
 * looked at is in it as well, with the reason. No code, apart from the lists of words that the types are made of.
 */
import type { Claim } from './claim.ts';

/** A value that was seen, or the reason why we could not look. Ignorance is not absence. */
export type Observed<T> =
  | { readonly seen: true; readonly value: T }
  | { readonly seen: false; readonly why: string };

/** Something that could not be looked at; it makes a report incomplete (exit code 22 where nothing worse was found). */
export interface Gap {
  /** `tmux:<socket>`, `processes`, `directory:<path>`, `lock:<path>`, `git:<path>`, `config:<path>`, `rigs` … */
  readonly what: string;
  /** One plain sentence fragment: `did not answer within 2000 ms`. */
  readonly why: string;
  /**
   * What stands at a place where an agent keeps its lock: a `directory` that cannot be read, a link that is not followed, or
   * something else. A live lock may lie behind it. Absent for every other place.
   */
  readonly home?: 'symlink' | 'directory' | 'other';
  /**
   * Where the file `.git` of a working tree leads, and no lock of git was looked for: to something that is `gone`, or that its
   * repository has `forgotten`; that may exist where we do not see it (`unseen`); that is `closed` to us, or has a lock but is no
   * whole repository. Or it is a `symlink`, which is not followed, or something `odd`.
   */
  readonly git?: 'gone' | 'forgotten' | 'unseen' | 'closed' | 'symlink' | 'odd';
  /** The absolute path to which that file leads. */
  readonly leadsTo?: string;
  /** The main git directory, absolute, that has the files of this working tree: `git worktree repair` connects the two again. */
  readonly repairIn?: string;
  /** Where another machine could not look; absent for the one that asks. */
  readonly machine?: string;
  /** Options that a command needs to look there again, as this one was given them: `--lease ADDRESS`; absent where it needs none. */
  readonly asked?: readonly string[];
}

// ── Locks on disk ────────────────────────────────────────────────────────────────────────────────────────

/** The id of a kind of lock, as its module in `kinds/` gives it: the prefix of every lock id. */
export type LockKind = string;

/**
 * What may show whether the holder of a lock lives: the process it names, the tmux session, agents in the directory; who has
 * its file open, who has its flock(2), and git's own processes. The last three are gathered only for locks that need them.
 */
export type Witness = 'process' | 'session' | 'agents' | 'open-file' | 'flock' | 'git';

/** How locks are judged that claim no worker. Saved with each of them, so that a replay needs no kinds. */
export interface KindRules {
  /** It identifies no worker: it marks no home, is no copy or rival claim, and preflight does not weigh it. */
  readonly claims: null;
  /** Who is asked about its holder; without `process` nothing proves death. */
  readonly witnesses: readonly Witness[];
  /** A file younger than this may still be about to change, and is left for now. */
  readonly freshMs: number;
  /** It is never let go, not by force either; left out where it may be. */
  readonly isNeverLetGo?: true;
}

/** Identity of a file: inode numbers alone prove nothing (ext4 reuses them at once). Big numbers as decimal text. */
export interface Stamp {
  readonly dev: string;
  readonly ino: string;
  /** Modification time in nanoseconds since the epoch. */
  readonly mtimeNs: string;
  readonly size: number;
  /** Hex digest of the bytes that were read through the same descriptor. */
  readonly sha256: string;
}

/** The true holder that records of ours name beside the four fields every reader knows. */
export interface TrueHolder {
  readonly pid: number;
  /** Field 22 of `/proc/<pid>/stat` (clock ticks since boot) or, on macOS, `ps -o lstart=`; compared for equality only. */
  readonly startToken: string | null;
  readonly bootId: string | null;
  /** As `readlink /proc/self/ns/pid` prints it: `pid:[4026531836]`. */
  readonly pidNamespace: string | null;
  /** Random text, unique to one acquisition. */
  readonly nonce: string | null;
}

/** What a lock file says, read the way Go's encoding/json reads the original struct. */
export interface LockRecord {
  readonly pid: number;
  /** As written; empty where the key is missing (Go's zero time). */
  readonly acquiredAt: string;
  /** Milliseconds since the epoch; null for the zero time, and for any other at which nobody can have taken a lock. */
  readonly acquiredAtMs: number | null;
  readonly sessionId: string;
  readonly hostname: string;
  /** Present in records that this program wrote. */
  readonly holder: TrueHolder | null;
}

/** What may stand at a lock's name instead of a small regular file. */
const FILE_PROBLEMS = ['too-large', 'directory', 'symlink', 'fifo', 'socket', 'device'] as const;

export type FileProblem = (typeof FILE_PROBLEMS)[number];

/** Why the file at a lock's name is not a valid record. */
export const LOCK_PROBLEMS = ['empty', 'not-json', 'wrong-type', 'bad-time', ...FILE_PROBLEMS] as const;

export type LockProblem = (typeof LOCK_PROBLEMS)[number];

export type LockContent =
  | { readonly kind: 'record'; readonly record: LockRecord }
  /** Of a kind that claims no worker. */
  | { readonly kind: 'claim'; readonly claim: Claim }
  | { readonly kind: 'invalid'; readonly problem: LockProblem; readonly detail: string }
  /** The file is there and could not be read (EACCES, EIO …): not invalid, not judged. */
  | { readonly kind: 'unread'; readonly why: string };

/** What an agent's lock says: only a record names its holder. */
export type AgentLockContent = Exclude<LockContent, { readonly kind: 'claim' }>;

/** What git says of a lock's place. */
export interface GitFacts {
  /** git tracks the lock file: it must never be removed from the working tree. */
  readonly tracked: Observed<boolean>;
  /** Something ignores `.runtime/` there (true as well where there is no repository). */
  readonly ignored: Observed<boolean>;
  /** The working tree's top directory, or null outside any repository. */
  readonly repository: string | null;
  /** The file with the ignore rules of this clone, which all its working trees share; left out where nothing is to be ignored. */
  readonly exclude?: string;
}

/** A linked working tree of git, as its administrative files tell of it. */
export interface LinkedTree {
  /** Absolute path that they record; null where they record none. */
  readonly path: string | null;
  /** A directory stands there. */
  readonly exists: Observed<boolean>;
  /** `git worktree add` never finished: its HEAD names no commit, or its first checkout has not ended. */
  readonly isUnfinished: boolean;
  /**
   * Why the directory at that path may be another than this working tree, a sentence fragment: then its own people are not
   * looked for there. Left out where it leads back to these files.
   */
  readonly astray?: string;
  /** The directory at `path` is astray only in that its `.git` leads to nothing of the same name: its repository may have been moved. */
  readonly isCutOff?: true;
  /** Where a process works in a directory other than `path` whose `.git` leads to these files, as after a move or a copy: that directory. */
  readonly movedTo?: string;
}

/** Where in a repository a lock lies. Absolute paths. */
export interface LockGitDir {
  /** The git directory in which it lies: a main one, a submodule's, or that of a linked working tree. */
  readonly path: string;
  /** The main git directory around it; equal to `path` where it lies in no other. */
  readonly main: string;
  /** The working tree whose git directory it is; null for a bare repository, and where that is not known. */
  readonly tree: string | null;
  /** It lies outside of the root, where a repair does not write. */
  readonly isOutside?: true;
  /** Working trees whose `.git` leads here, wherever git's files say that their tree lies. Known of the asked workers alone. */
  readonly leadsFrom?: readonly string[];
}

/** The process that git itself wrote down beside a lock of its own (`core.lockfilePid`, git 2.54). */
export interface NotedPid {
  readonly pid: number;
  /** Of the note, in milliseconds since the epoch. */
  readonly mtimeMs: number;
  /** The note is not older than the lock beside it; null where the lock's time is not known. */
  readonly isOfThisLock: boolean | null;
}

/** Another working tree of the root's repository, outside of the root, in which a lock with the same bytes is. */
export interface CopyElsewhere {
  /** Relative to the root, `../feature`. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

/** One lock file as it was found. */
export interface LockFile {
  /**
   * `agent:<worker>`; a lock at the old place has `agent:<worker>#legacy` when the worker has one at the new place too.
   * `<kind>:<path>`, relative to the town, for a lock that claims no worker.
   */
  readonly id: string;
  readonly kind: LockKind;
  /** Directory relative to the town root with `/`; `.` for the root itself. Bytes that are not UTF-8 appear as `\xNN`. */
  readonly worker: string;
  /** Absolute path, escaped in the same way. */
  readonly path: string;
  /** The exact bytes of the path in base64 where it is not UTF-8, else null. */
  readonly pathBytes: string | null;
  /** `.runtime/agent.lock`, or `.gastown/agent.lock` (before December 2025). */
  readonly layout: 'runtime' | 'legacy';
  readonly isRegularFile: boolean;
  /** Null for anything that was not read as a regular file. */
  readonly stamp: Stamp | null;
  /** Milliseconds since the epoch; null where even lstat failed. */
  readonly mtimeMs: number | null;
  /** Owner of the lock file. */
  readonly uid: number | null;
  readonly content: LockContent;
  /** The second record (`agent.lock.holder`) that keeps the true holder when another tool overwrote the lock. */
  readonly companion: TrueHolder | null;
  readonly git: GitFacts | null;
  /** Absent where the lock claims its worker: then all witnesses are asked. */
  readonly rules?: KindRules;
  /** Of a lock that lies in the administrative files of a linked working tree. */
  readonly tree?: LinkedTree;
  /** Of a lock that lies in a git directory. */
  readonly gitDir?: LockGitDir;
  /** Of a lock that names nobody, where its git wrote down who it is. */
  readonly notedPid?: NotedPid;
  /** Of the lock of the root's own agent; left out where there are none. */
  readonly copies?: readonly CopyElsewhere[];
  /** Of a lock that names nobody: the network file system on which it lies. Absent on a disk of this machine. */
  readonly network?: string;
}

/** A second record whose lock was removed: its holder may still live. */
export interface LoneCompanion {
  readonly worker: string;
  readonly holder: TrueHolder;
}

/** A file beside a lock that a killed run left behind. */
export interface Leftover {
  readonly worker: string;
  readonly path: string;
  /** `tmp`: a foreign writer's staged file; `new`, `old`: ours, unfinished; `released`: a kept copy of a released lock. */
  readonly kind: 'tmp' | 'new' | 'old' | 'released';
  readonly mtimeMs: number;
}

/** Runtime state still at its old place. Paths relative to the town root. */
export interface LegacyItem {
  readonly from: string;
  readonly to: string;
  /** The target exists already: moving would overwrite it. */
  readonly targetExists: boolean;
  readonly isDirectory: boolean;
}

// ── Processes ────────────────────────────────────────────────────────────────────────────────────────────

/** What was seen of one process. Arguments are not kept: they may hold secrets, and snapshots are passed on. */
export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number | null;
  /**
   * Names it goes by: the kernel's command name, the base name of argv[0] and, for interpreters (node, bun, deno,
   * python, sh), the base names and package directory names of the script's path.
   */
  readonly names: readonly string[];
  /** Null where it could not be read. */
  readonly startToken: string | null;
  readonly startedAtMs: number | null;
  /** It is in the foreground of its terminal. Absent where it is not, or where the system was not asked. */
  readonly inForeground?: boolean;
  /** What its arguments said of it; the arguments themselves are not kept. */
  readonly role?: ProcessRole;
  /** Of a shell that runs code and no script with a name. The code itself is not kept. */
  readonly code?: ShellCode;
  /**
   * Whoever started it is gone: it is in no foreground, leads no session, and its parent is init or a subreaper. That does not make
   * it nobody: an agent may have been detached. Absent where it is not so, and where it could not be told.
   */
  readonly leftBehind?: true;
  /** It is a thread of the kernel, or process 1 of the machine, and no agent can be behind its number. */
  readonly isOfSystem?: true;
  /** A tool's own registry of live sessions names this very process; absent where none does. */
  readonly registered?: RegisteredSession;
  /** Its further sessions: a daemon may run several. */
  readonly alsoRegistered?: readonly RegisteredSession[];
  /** Its arguments say that it works for another agent, as a member of its team. */
  readonly teammate?: true;
  /** The directory in the town in which its arguments tell it to work, where it was started in another one. */
  readonly sentTo?: string;
  /** Null where there was no reason to look. */
  readonly cwd: Observed<string> | null;
  /** Where it was started, if its working directory is hidden and whoever started it shows that. Absent otherwise. */
  readonly startedIn?: string;
  /**
   * Of another user's agent that hides where it works, and of a process whose own record in a registry was not read: the workers
   * whose directories that user may write to. Left out for none.
   */
  readonly mayWriteTo?: readonly string[];
  /**
   * What its environment says: of pane processes, of those whose number a lock names, and of those in the town that
   * nothing else explains; null where it was not read or not readable.
   */
  readonly environment: GasTownEnvironment | null;
}

/**
 * The code that a shell runs: `commands` and `loop` are from its command line (`sh -c`), without a loop in it and with one;
 * `input` is what it reads from a standard input that is no terminal.
 */
export type ShellCode = 'commands' | 'loop' | 'input';

/** What the arguments of a process told of it. */
export interface ProcessRole {
  readonly class: 'bystander' | 'infrastructure';
  /** With its article, for a sentence: `Claude Code's daemon`, `a dev server`. */
  readonly why: string;
}

/** A live session that a tool's own registry names: better evidence than any process name. */
export interface RegisteredSession {
  readonly tool: string;
  readonly name: string | null;
  readonly status: string | null;
  readonly cwd: string;
}

/**
 * A registry of live sessions that exists and that we may not read: it may name any process of its user. Or a single record that
 * cannot be read or lacks the published form: it may name the process with its number.
 */
export interface ClosedRegistry {
  readonly uid: number;
  readonly pid?: number;
  /** The record of that process was not read at all: it may say that it works anywhere. */
  readonly isUnread?: true;
  readonly tool: string;
  readonly path: string;
  readonly why: string;
}

/** The variables with which Gas Town names an agent. Empty and missing ones are absent. */
export interface GasTownEnvironment {
  readonly GT_ROLE?: string;
  readonly GT_RIG?: string;
  readonly GT_CREW?: string;
  readonly GT_POLECAT?: string;
  readonly GT_ROOT?: string;
  readonly GT_TOWN_ROOT?: string;
  /** Commands under which this agent runs, separated by commas. */
  readonly GT_PROCESS_NAMES?: string;
}

/** What became of the question "is there a process with this number?". */
export interface PidLookup {
  readonly pid: number;
  /**
   * `exists` (EPERM included), `absent` (ESRCH and no `/proc` entry), `zombie` (a zombie without other threads),
   * `thread` (the number of a thread, of no process), `unknown` (any other answer).
   */
  readonly answer: 'exists' | 'absent' | 'zombie' | 'thread' | 'unknown';
  /** A plain kill(pid, 0) succeeded: implementations that ask no more would call it alive. */
  readonly signalable: boolean;
  /** What is known of it where it exists. */
  readonly process: ProcessInfo | null;
  /** Why the answer is unknown. */
  readonly why: string | null;
  /** Processes of deeper PID namespaces that have this number there; looked for where a lock does not say where it was taken. */
  readonly inside?: readonly number[];
}

/** A process that uses the file of a lock. */
export interface FileUse {
  /** Of the lock, as `LockFile` has it. */
  readonly path: string;
  readonly pid: number;
  readonly command: string;
  /** Of a flock(2): it has the file open, and whether it holds the lock could not be told. Left out where it does. */
  readonly mayHold?: true;
}

/** A git, or another program of its kind, at work. */
export interface GitUse {
  readonly pid: number;
  readonly command: string;
  /** Where it works, and what its arguments and variables name: absolute paths of directories. */
  readonly places: readonly string[];
}

/** All uses of one sort that were seen; `hidden` says why there may be more, and is null where there cannot be. */
export interface Uses<Use> {
  readonly uses: readonly Use[];
  readonly hidden: string | null;
}

/** Who holds files that are taken by flock(2). */
export interface FlockEvidence extends Uses<FileUse> {
  /** Files of which it could not be told whether anybody holds them (`hidden` says why), as `LockFile.path`. Left out where all were told. */
  readonly untold?: readonly string[];
}

/** Who uses lock files and repositories: asked for only where a lock was found whose kind needs it. */
export interface FileEvidence {
  readonly open?: Uses<FileUse>;
  readonly flocks?: FlockEvidence;
  /** The git of whoever asks could write down who holds its locks (`core.lockfilePid`), and is not told to. Left out else. */
  readonly couldNoteHolders?: true;
  readonly git?: Uses<GitUse>;
}

/** A process that the command of an `exec` left running when it ended: it carries the mark of that lock. */
export interface LeftRunning {
  /** The lock's. */
  readonly nonce: string;
  readonly pid: number;
  readonly command: string;
}

export interface ProcessEvidence {
  /** Could all processes of this machine be listed? `own` means that others' are hidden (hidepid). */
  readonly listing: Observed<'all' | 'own'>;
  /** One entry per number that a lock names, ascending. */
  readonly lookups: readonly PidLookup[];
  /** The processes that matter: known agents, the trees below panes, tmux servers, the asker. Ascending by pid. */
  readonly list: readonly ProcessInfo[];
  /** Left out where there is none. */
  readonly closedRegistries?: readonly ClosedRegistry[];
  /** Looked for where the true holder of a lock has ended; left out where there is none. */
  readonly leftRunning?: readonly LeftRunning[];
  /** Containers of this machine in which locks were taken. Left out where there is none. */
  readonly containers?: readonly ContainerEvidence[];
}

/** A PID namespace of this machine with a host name that locks name, and what their numbers stand for there. */
export interface ContainerEvidence {
  readonly hostname: string;
  /** Owner of the lock files that it counts for: anybody may give a namespace of his own any name. */
  readonly owner: number | null;
  /** Null where several bear the name. */
  readonly pidNamespace: string | null;
  /** One entry per number that its locks name: `pid` is the number there, `process` what it is here. Ascending. */
  readonly lookups: readonly PidLookup[];
}

// ── tmux ─────────────────────────────────────────────────────────────────────────────────────────────────

export interface TmuxPane {
  /** `%N` */
  readonly id: string;
  /** `$N` */
  readonly sessionId: string;
  readonly sessionName: string;
  /** `@N`; absent in evidence of older versions. */
  readonly windowId?: string;
  /** Sessions of one group show the same panes. */
  readonly sessionGroup: string | null;
  readonly sessionCreatedMs: number | null;
  readonly pid: number;
  /** The process ended and the pane stays (remain-on-exit). */
  readonly dead: boolean;
  /** Foreground command as tmux names it. */
  readonly command: string;
  /** Working directory of the foreground process; null where tmux did not know it. */
  readonly path: string | null;
  /** Root of another town (a directory with `mayor/town.json`) in which `path` lies; null for ours or none. */
  readonly otherTown: string | null;
  /** Session environment as tmux reports it; values that were only inherited from the server are left out. */
  readonly environment: GasTownEnvironment;
}

export interface TmuxServer {
  /** Absolute path; `process <pid>` for a server whose socket is not known. */
  readonly socket: string;
  /** How it was found. */
  readonly origin: 'flag' | 'env' | 'town' | 'legacy' | 'default' | 'directory' | 'process';
  readonly status: 'ok' | 'absent' | 'failed';
  readonly reason: string | null;
  readonly pid: number | null;
  readonly startedAtMs: number | null;
  readonly sessions: number;
  readonly panes: readonly TmuxPane[];
  /** It failed, but was found among the processes only, and all its descendants demonstrably work outside the town. */
  readonly outsideTown: boolean;
  /**
   * The server was not asked, for it belongs to a user who neither asks nor owns the town or a lock in it: that user's number, null
   * where that is not known. Only the sessions that locks name are in doubt for it. Absent for every other server.
   */
  readonly strangersUid?: number | null;
}

export interface TmuxEvidence {
  /** The tmux program was found. */
  readonly installed: boolean;
  /** Every server that was asked, in the order of asking. */
  readonly servers: readonly TmuxServer[];
  /** All tmux server processes of this user could be enumerated (false where processes cannot be listed). */
  readonly enumerated: boolean;
}

// ── The snapshot ─────────────────────────────────────────────────────────────────────────────────────────

export type TownSource = 'flag' | 'marker' | 'env' | 'cwd' | 'home';
export type ScanMode = 'default' | 'deep' | 'quick' | 'worker';

export interface Rig {
  readonly name: string;
  /** Session name prefix out of `mayor/rigs.json`; null where it is not known. */
  readonly prefix: string | null;
}

/** A linked working tree whose directory is gone, while git still has its files. */
export interface GoneTree {
  /** Relative to the root, as a worker is named. */
  readonly name: string;
  /** Where git says that it lies, absolute. */
  readonly path: string;
  /** The main git directory, absolute. */
  readonly gitDir: string;
  /** It has a lock, so `git worktree prune` leaves it. */
  readonly isLocked: boolean;
}

/** A linked working tree in which somebody works elsewhere than git says: it was moved or copied, and git was not told. Absolute paths. */
export interface MovedTree {
  /** Relative to the root, as a worker is named. */
  readonly name: string;
  /** Where git says that it lies, whatever stands there now. */
  readonly path: string;
  /** The main git directory. */
  readonly gitDir: string;
  /** Where somebody works whose `.git` leads to git's files of that place. */
  readonly movedTo: string;
  /** The tree itself is still where git says: both have one index and one HEAD. Left out where it was moved. */
  readonly isCopy?: true;
}

export interface TownFacts {
  /** Absolute, symlinks resolved. */
  readonly root: string;
  readonly source: TownSource;
  /** One sentence: why this directory. */
  readonly why: string;
  /** Other absolute names of the root (the path as given, before symlinks were resolved). */
  readonly aliases: readonly string[];
  /** `mayor/town.json` exists: a Gas Town. */
  readonly marked: boolean;
  readonly rigs: readonly Rig[];
  /** Canonical worker directories that exist, relative to the root, sorted. */
  readonly workers: readonly string[];
  /**
   * Working trees (directories with an entry `.git`) in which somebody was seen, relative to the root, sorted. Recorded only outside
   * a Gas Town, whose layout already says which worker a path belongs to. Also the places that workers in question are parts of, and
   * in a look at these alone those that the locks of others make. Left out where there is none.
   */
  readonly trees?: readonly string[];
  /** The root is a git repository and no Gas Town; left out of every other. */
  readonly isRepository?: true;
  /** Linked working trees of its repositories that lie outside of the root, `../feature`, sorted; left out where there is none. */
  readonly worktrees?: readonly string[];
  /** Linked working trees that git still lists and whose directory is gone, sorted; left out where there is none. */
  readonly goneTrees?: readonly GoneTree[];
  /** Those in which somebody works elsewhere than git says; left out where there is none. */
  readonly movedTrees?: readonly MovedTree[];
  /** Agent commands to know besides the built-in ones (GT_PROCESS_NAMES, configuration). */
  readonly agents: readonly string[];
  /** Host names that are gone for good, or were this machine's (configuration, --former-host); absent where there are none. */
  readonly formerHosts?: readonly string[];
  /** Commands that are nobody besides the built-in ones (configuration); absent where there are none. */
  readonly bystanders?: readonly string[];
}

export interface HostFacts {
  readonly hostname: string;
  readonly platform: string;
  readonly uid: number;
  readonly bootId: string | null;
  readonly pidNamespace: string | null;
  /** False inside a container's namespace, null where it cannot be told. True as well where a machine has but one (WSL2). */
  readonly initialPidNamespace: boolean | null;
  /**
   * The latest moment, milliseconds since the epoch, before which this kernel cannot have run, whatever the clock did
   * since; null or absent where that cannot be told.
   */
  readonly bootedAtMs?: number | null;
  /** The same of the container that alone has our host name; null or absent outside one. */
  readonly containerStartedAtMs?: number | null;
  /**
   * In a container: whoever took a lock under our host name is numbered in our PID namespace, for it is that of the whole
   * container, and nobody else has the name. False or absent where that cannot be told, as in a sandbox.
   */
  readonly numbersAreOurs?: boolean;
  /**
   * In another PID namespace than the first: who may work in the town and cannot be seen. Outside of a sandbox that is everybody on
   * its machine; outside of a container, whoever shares the town's file system with it. Left out where there can be nobody.
   */
  readonly unseenOutside?: 'sandbox' | 'container';
}

/** Who asks: it never counts as an occupant. */
export interface Asker {
  /** This process and its ancestors, as far as they could be read. */
  readonly pids: readonly number[];
  /** Not all ancestors could be read. Left out where they could. */
  readonly isCutOff?: true;
  /**
   * The pane that `TMUX` and `TMUX_PANE` name, and on which server: the variables outlive both, and the next server on that
   * socket gives the same numbers to other panes. They are inherited by whatever was started there, and prove nothing.
   */
  readonly pane: { readonly socket: string; readonly serverPid?: number; readonly id: string } | null;
}

/** What the machine showed on which the doctor ran. Its numbers mean nothing on any other. */
export interface MachineEvidence {
  readonly host: HostFacts;
  readonly asker: Asker;
  readonly processes: ProcessEvidence;
  readonly tmux: TmuxEvidence;
  /** Left out where no lock needs it. */
  readonly files?: FileEvidence;
}

/** All evidence of one run: immutable, plain JSON, enough to judge everything again. */
export interface Snapshot {
  readonly snapshotVersion: 1;
  /** Of the program that took it; absent in files of older ones. */
  readonly version?: string;
  /** Milliseconds since the epoch, read before anything else. */
  readonly takenAtMs: number;
  readonly scan: ScanMode;
  /** Workers that were asked about by name, whether or not they exist; empty for a run over the whole town. */
  readonly asked: readonly string[];
  /** Directories that the scan entered. */
  readonly directories: number;
  readonly town: TownFacts;
  /** Sorted by worker. */
  readonly locks: readonly LockFile[];
  /** At the workers that were asked about by name only; left out where there is none. */
  readonly companions?: readonly LoneCompanion[];
  readonly leftovers: readonly Leftover[];
  readonly legacy: readonly LegacyItem[];
  readonly machine: MachineEvidence;
  readonly gaps: readonly Gap[];
}
