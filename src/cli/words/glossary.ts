/** What the words of a report mean: the pages behind `doctor explain`. */
import { builtInKinds } from '../../../kinds/index.ts';
import { groupBy } from '../../core/group-by.ts';
import { FRESH_MS } from '../../core/judge/ages.ts';
import type { Note, Reason, State } from '../../core/types/judgement.ts';

/** `less than 30 s ago (agent) or 60 s ago (git-lock, gsd)` */
const FRESH = `less than ${[
  ...groupBy(builtInKinds, (kind) => (kind.claims === 'worker' ? FRESH_MS : kind.freshMs)),
]
  .filter(([ms]) => ms > 0)
  .map(([ms, kinds]) => `${ms / 1000} s ago (${kinds.map(({ id }) => id).join(', ')})`)
  .join(' or ')}`;

export interface StatePage {
  readonly meaning: string;
  readonly decided: string;
  readonly fix: string;
  readonly refuses: string;
  /** What would make the lock something else. */
  readonly changes: string;
}

export const STATE_PAGES: Readonly<Record<State, StatePage>> = {
  held: {
    meaning: 'A running agent holds this lock, or its session is still open.',
    decided:
      'The pane or session that the lock names exists and is not plainly another worker’s; or its process is running; or an agent is running in the worker’s directory, whether or not the lock names it. A dead recorded process alone proves nothing: these locks are usually written by a helper that exits within seconds.',
    fix: 'Nothing: --fix never releases a held lock.',
    refuses:
      'Only --fix --force releases it, with --worker, or with --lock for other kinds of lock, and says whose it was.',
    changes: 'When the agent exits and its pane closes, the lock becomes stale.',
  },
  stale: {
    meaning: 'The holder is gone.',
    decided:
      'The recorded process is gone, or its PID now belongs to another process; the session or pane that the lock names is gone, or it names none; every tmux server of this user answered; and no agent is running in the directory.',
    fix: 'Releases it: the file is kept as a backup, and doctor undo restores it.',
    refuses: `It waits while the file was written ${FRESH} (note fresh), and never removes a file that git tracks (note tracked).`,
    changes: 'When an agent starts in the directory, the lock becomes held.',
  },
  orphaned: {
    meaning: 'The process that took the lock is still running, but its tmux session or pane is gone.',
    decided:
      'The recorded process exists, and nothing proves that it is another one; no tmux server of this user has its pane or session.',
    fix: 'Nothing: an agent that outlived its terminal may still be writing. Check the process and find out whose it is; its PID may belong to another worker’s agent now.',
    refuses: 'Only --fix --force releases it, with --worker, or with --lock for other kinds of lock.',
    changes: 'When the process exits, the lock becomes stale.',
  },
  invalid: {
    meaning: 'The file is not a valid lock.',
    decided:
      'It is empty, truncated, not JSON, has values of the wrong type, is larger than 64 KiB, or is not a regular file. It is read as Go’s encoding/json reads it, so doctor accepts what other tools accept.',
    fix: `Releases the lock of an agent if it is a regular file that has not changed for ${FRESH_MS / 1000} s, when no agent is running in the directory. Files of other kinds stay: they do not say who holds them.`,
    refuses: 'Directories, symlinks, FIFOs and sockets are never removed, not even by force.',
    changes:
      'When its writer finishes it, it is a lock again; until then nobody can tell who holds it. What is not a regular file stays invalid until somebody takes it away.',
  },
  foreign: {
    meaning:
      'The lock was taken on another host or in another PID namespace, and there is no sign of its agent here.',
    decided:
      'The recorded host name differs (domain, .local and .lan aside) and no recorded boot id says otherwise, or the recorded PID namespace differs from ours; and no container on this machine that we may look at has that name.',
    fix: 'Nothing: it can’t be checked from here. Run doctor there.',
    refuses: 'Only --fix --force releases it, with --worker, or with --lock for other kinds of lock.',
    changes:
      'Run doctor on the host, or in the container, that took the lock. If that host is gone for good, or was this machine under another name, add it to "formerHosts" in lock-doctor.json.',
  },
  unknown: {
    meaning: 'The lock could not be checked.',
    decided:
      'A tmux server did not answer or may not be asked, processes could not be listed, the file could not be read, or a program that doctor does not know is running in the directory; and nothing else shows a running agent.',
    fix: 'Nothing: doubt is not proof.',
    refuses: 'Only --fix --force releases it, with --worker, or with --lock for other kinds of lock.',
    changes:
      'Once everything can be checked, the lock gets one of the other states. Name an unknown program under "agents" (it holds the worker) or "bystanders" (it never counts) in lock-doctor.json at the root of the town.',
  },
};

/** The same of a lock that is no agent's, where the page of the state speaks of agents. */
export const OTHER_KINDS = {
  held: {
    meaning: 'Somebody holds this lock.',
    changes: 'Once its holder exits, the lock becomes stale.',
  },
  stale: {
    meaning: 'The holder is gone.',
    changes: 'When somebody takes it again, or is seen at work on what it locks, it is no longer stale.',
  },
  unknown: {
    meaning: STATE_PAGES.unknown.meaning,
    changes: 'Once everything can be checked, the lock gets one of the other states.',
  },
} as const satisfies Readonly<Partial<Record<State, Pick<StatePage, 'meaning' | 'changes'>>>>;

/** When something ceases to be invalid that is no regular file: no writer of a lock can finish it. */
export const NOT_A_FILE = 'When whoever put it there takes it away: it cannot become a lock.';

/** The same of a stale lock that names nobody and was just written. */
export const JUST_WRITTEN: Pick<StatePage, 'meaning' | 'changes'> = {
  meaning: 'Nobody is seen to hold this lock, but it was just written, and somebody may be about to use it.',
  changes: 'Once it has not been written for a while and still nobody is seen to hold it, --fix releases it.',
};

export const REASON_TEXTS: Readonly<Record<Reason, string>> = {
  'process-alive': 'the recorded process exists, and nothing proves that it is another one',
  'process-gone': 'no process has the recorded PID',
  'process-zombie': 'the recorded process is a zombie (exited)',
  'process-thread': 'the recorded PID is that of a thread, not of a process',
  'process-recycled': 'the recorded PID now belongs to another process',
  'process-elsewhere':
    'the recorded process is running, but in the directory of another worker whose lock has the same bytes: this lock is a copy of that one',
  'process-unknown': 'the recorded process could not be checked',
  'process-shared':
    'the recorded process is running, but it works for many agents, and this one may have ended',
  'other-system':
    'the lock notes the start of its process as programs of another operating system do, so it cannot be compared here: a virtual machine and its host may share the directory',
  'pid-invalid': 'the recorded PID is not valid',
  rebooted: 'the machine, or the container, has restarted since the lock was taken',
  'former-host': 'the lock was taken under a host name that you listed as a former host',
  'pane-live': 'the pane that the lock names exists and is this worker’s',
  'pane-gone': 'no tmux server has the pane that the lock names',
  'pane-dead': 'the process in the pane that the lock names has exited',
  'pane-recycled':
    'a pane of the number in the lock exists, but it is not the one that the lock was taken in',
  'session-live': 'the session that the lock names exists',
  'session-gone': 'no tmux server has the session that the lock names',
  'session-recycled':
    'a session of the name in the lock exists, but it is not the one that the lock was taken in',
  'session-unnamed': 'the lock names no tmux session',
  'session-unknown':
    'the session could be on a tmux server that was not asked or did not answer: of this user, of another user or of another host',
  occupied: 'an agent is running in this directory',
  'occupants-unknown':
    'an agent could be running here unseen: something could not be checked, or doctor does not know a program that runs here',
  'other-host': 'the lock was taken on another host',
  'other-namespace': 'the lock was taken in another PID namespace (a container)',
  'no-process-named': 'the lock names no process',
  'file-open': 'a process has the lock file open',
  'file-not-open': 'no process has the lock file open',
  'file-unknown': 'doctor could not see whether a process has the lock file open',
  'flock-held': 'a process holds the lock on this file (flock)',
  'flock-unknown': 'doctor could not see whether a process holds the lock on this file (flock)',
  refreshed: 'the lock was refreshed moments ago, as only a running holder does',
  'not-refreshed': 'the lock has not been refreshed for longer than a running holder would wait',
  'git-running': 'git is running in this repository',
  'git-not-running': 'no git is running in this repository',
  'git-unknown': 'doctor could not see whether git is running in this repository',
  'network-disk':
    'the lock is on a network file system: git on another machine may hold it, and cannot be seen from here',
  unreadable: 'the lock file could not be read',
  empty: 'the file is empty',
  'not-json': 'the file is not JSON',
  'wrong-type': 'a value in the file has the wrong type',
  'bad-time': 'the time in the file cannot be read',
  'too-large': 'the file is larger than any lock',
  directory: 'it is a directory',
  symlink: 'it is a symbolic link',
  fifo: 'it is a FIFO',
  socket: 'it is a socket',
  device: 'it is a device',
};

export const NOTE_TEXTS: Readonly<Record<Note, string>> = {
  'by-hand':
    'The text in the lock names no process: somebody locked it by hand. Doctor never releases such a lock.',
  gone: 'The directory of this worktree is gone, or its disk is not mounted.',
  drifted: 'The agent runs in another pane than the one in the lock: it was resumed or moved.',
  priming:
    'The lock is less than a minute old and its helper is still running; the agent’s pane may not exist yet.',
  fresh: `The file was written ${FRESH}; --fix skips it for now.`,
  misplaced: 'It is not in a directory where a Gas Town agent lives.',
  tracked:
    'Tracked by git, so every clone and reset brings it back. It is never removed, not even by force. Untrack it with git rm --cached, and add .runtime/ to .gitignore.',
  copy: 'A copy of another worker’s lock: the directory was copied, and the holder works at the original.',
  'would-block': 'A tool that checks only whether the PID exists would refuse to start here.',
  idle: 'The agent has exited; only a shell, an editor or the like is left in the pane or session that the lock names. Once it ends, the lock becomes stale.',
  team: 'Several agents work here together: teammates, panes of one tmux window, or an agent and what it started.',
  'legacy-path': 'It is at .gastown/agent.lock, where it lived before December 2025.',
};

/** What preflight and exec answer. */
export const ANSWER_TEXTS: ReadonlyMap<string, string> = new Map([
  ['free', 'No agent holds it and none is running: an agent may start here. Exit code 0.'],
  ['repair', 'The word in --json for repairable: a stale or invalid lock is in the way. Exit code 21.'],
  [
    'repairable',
    'A stale or invalid lock is in the way, and doctor preflight --fix (before a removal: doctor --fix) can release it. Exit code 21.',
  ],
  [
    'unsure',
    'Not everything could be checked, so do not start. doctor explain WORKER says what is missing. Exit code 22.',
  ],
]);

/** The words of this tool. */
export const WORD_TEXTS: ReadonlyMap<string, string> = new Map([
  ['town', 'The root directory that doctor examines, with everything below it.'],
  ['repository', 'A root that is a git repository and no Gas Town; its working trees are the workers.'],
  ['worker', 'A directory in which one agent works: a git worktree, a clone, a Gas Town crew member.'],
  ['rig', 'A project in a town: the first directory on the way to a worker.'],
  ['lock', 'The file .runtime/agent.lock in a worker: it says that an agent works there.'],
  ['no-lock', 'An agent is running in a worker without a lock: another one could start there.'],
  [
    'lease',
    'One agent per worker on all machines: a key in etcd that exec takes before the lock and keeps while its command runs. A live lock without its lease, or a lease without its lock, is a finding.',
  ],
  ['holder', 'The agent that a lock stands for, or the process that took it.'],
  ['gap', 'Something that could not be checked. Unknown is not no: doctor never takes a gap for proof.'],
  ['doubt', 'A finding that is not a problem but a question: something could not be checked.'],
  ['taken', 'An agent took the lock at this time, as the record in the lock says.'],
  [
    'uncommitted',
    'The directory has files that are changed, new or half merged, and in no commit. Do not remove it yet.',
  ],
  [
    'unpushed',
    'Commits are on no remote and, for a linked worktree, on no other local branch: they could be lost with the directory.',
  ],
  [
    'stash',
    'The repository has stash entries, which would be lost with it. Those of a linked worktree stay.',
  ],
  [
    'linked-worktrees',
    'Other working trees need this repository and would break without it: `git worktree list` shows them.',
  ],
  ['lock-held', 'A lock in the directory, or in its git directory, is held. `doctor locks` shows it.'],
  ['lock-unknown', 'A lock in the directory, or in its git directory, could not be judged or released.'],
  [
    'lock-stale',
    'The holder of the worktree’s lock is gone. git does not remove the worktree until doctor --fix releases the lock.',
  ],
  ['no-repository', 'git does not track these files, so nothing shows whether they are kept anywhere else.'],
  ['work-unknown', 'git could not tell whether work would be lost with the directory.'],
  [
    'bystander',
    'A program that is not an agent: a shell, an editor, a dev server. doctor who lists it, but it never counts.',
  ],
  [
    'infrastructure',
    "A helper of an agent's product that runs for long, like a daemon: doctor who lists it, but it never counts.",
  ],
  ['left-behind', 'A dev server that an agent started and that nobody waits for any more. It never counts.'],
  ['forced', 'A lock that was released by force, whoever held it.'],
]);
