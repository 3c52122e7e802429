/** What the words of a report mean: the pages behind `doctor explain`. */
import type { Note, Reason, State } from '../../core/types/judgement.ts';

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
    meaning: 'A live agent is shown behind the lock, or the session that it was started in still stands.',
    decided:
      'The pane or session that the lock names exists and is not plainly another worker’s; or its process is alive; or an agent is seen at work in the worker’s directory, whether or not the lock names it. A dead recorded process alone says nothing: the usual writer of these locks is a helper that exits within seconds.',
    fix: 'Nothing: a held lock is never released by --fix.',
    refuses: 'Only --fix --force --worker releases it, and says from whom.',
    changes: 'The agent exits, and with it its pane: then the lock becomes stale.',
  },
  stale: {
    meaning: 'There is proof that the holder is gone.',
    decided:
      'The recorded process is gone or its number belongs to another one now; the session or pane it names is gone, or it names none; every tmux server of this user was asked; and no agent was seen at work in the directory.',
    fix: 'Releases it: the file is moved aside and kept, and doctor undo puts it back.',
    refuses:
      'It waits while the file is under 30 s old (note fresh), and never removes a file that git tracks (note tracked).',
    changes: 'An agent that starts in the directory makes it held.',
  },
  orphaned: {
    meaning: 'The holding process lives, and the tmux session or pane it names is gone.',
    decided:
      'The recorded process exists and is the one that took the lock; its pane or session is on no tmux server of this user.',
    fix: 'Nothing: an agent that outlived its terminal may still be writing. Look at the process and find out whose it is; another worker’s agent may have got its number.',
    refuses: 'Only --fix --force --worker releases it.',
    changes: 'When the process ends, the lock becomes stale.',
  },
  invalid: {
    meaning: 'The file is no lock record.',
    decided:
      'It is empty, cut off, not JSON, of the wrong types, larger than 64 KiB, or no regular file. It is read as Go’s encoding/json reads the record, so what other tools accept is accepted here.',
    fix: 'Releases a regular file that was not written in the last 30 s, when agents were looked for in the directory and none was found.',
    refuses: 'Directories, symlinks, FIFOs and sockets are left alone, by force as well.',
    changes:
      'A writer that finishes its record makes it a lock again; until then nobody can tell who holds it.',
  },
  foreign: {
    meaning: 'The lock was taken on another host or in another PID namespace, and no life is seen here.',
    decided:
      'The recorded host name differs (domain, .local and .lan aside) and no recorded boot id says otherwise, or the recorded PID namespace differs from ours. No container of this machine bears the name, as far as we may see.',
    fix: 'Nothing: what runs on another machine cannot be seen from here. Ask there.',
    refuses: 'Only --fix --force --worker releases it.',
    changes:
      'Run the doctor on the host, or in the container, that took the lock. A host name that is gone for good, or was this machine’s, goes under "formerHosts" in lock-doctor.json.',
  },
  unknown: {
    meaning: 'The evidence could not be had.',
    decided:
      'A tmux server did not answer, processes could not be listed, the file could not be read, or a program that the doctor does not know is at work in the directory; and nothing else shows life.',
    fix: 'Nothing: doubt is no proof.',
    refuses: 'Only --fix --force --worker releases it.',
    changes:
      'Once everything can be looked at, the lock becomes one of the other states. A program that is not known counts as soon as it is named under "agents" or "bystanders" in lock-doctor.json.',
  },
};

export const REASON_TEXTS: Readonly<Record<Reason, string>> = {
  'process-alive': 'the recorded process exists and is the one that took the lock',
  'process-gone': 'there is no process with the recorded number',
  'process-zombie': 'the recorded process has ended and only waits to be collected',
  'process-thread': 'the recorded number belongs to a thread, not to a process',
  'process-recycled': 'the recorded number belongs to another process by now',
  'process-elsewhere':
    'the recorded process lives, but it works in the directory of another worker whose lock has the same bytes: this lock is a copy of that one',
  'process-unknown': 'it could not be told whether the recorded process exists',
  'pid-invalid': 'the recorded number cannot be a process',
  rebooted: 'the machine, or the container, was started again since the lock was taken',
  'former-host': 'the lock was taken under a name that the configuration calls a former host',
  'pane-live': 'the pane that the lock names is there, and it is this worker’s',
  'pane-gone': 'the pane that the lock names is on no tmux server',
  'pane-dead': 'the pane that the lock names is there, and its process has ended',
  'pane-recycled': 'the pane number that the lock names belongs to somebody else by now',
  'session-live': 'the session that the lock names is there',
  'session-gone': 'the session that the lock names is on no tmux server',
  'session-recycled': 'the session name that the lock names belongs to somebody else by now',
  'session-unnamed': 'the lock names no tmux session',
  'session-unknown': 'not every tmux server could be asked about the session',
  occupied: 'an agent is at work in the worker’s directory',
  'occupants-unknown':
    'it could not be told whether an agent is at work in the directory: something could not be looked at, or a program that the doctor does not know works there',
  'other-host': 'the lock was taken on another host',
  'other-namespace': 'the lock was taken in another PID namespace (a container)',
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
  drifted: 'The agent works in another pane than the lock names: it was resumed or moved.',
  priming: 'The lock is under a minute old and its helper still runs; the agent’s pane may not exist yet.',
  fresh: 'The file is under 30 seconds old: --fix leaves it for now.',
  misplaced: 'It lies in no directory where an agent of a Gas Town has its home.',
  tracked:
    'Git tracks the file: removing it would dirty the work tree, and every checkout brings it back. It is never removed, not even by force. Take it out of git with git rm --cached, and ignore .runtime/.',
  copy: 'It has the same bytes as another worker’s lock, whose holder is elsewhere: the directory was copied.',
  'would-block': 'A tool that only asks whether the process number exists would refuse this worker now.',
  idle: 'The agent has exited: the pane or session that the lock names still stands, with nothing but a shell in it. Once it ends the lock is stale.',
  team: 'Several agents work here as one party: teammates, panes of one tmux window, or an agent and what it started.',
  'legacy-path': 'It lies at the place of releases before December 2025, .gastown/agent.lock.',
};
