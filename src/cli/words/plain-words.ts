/** Plain words of a report. Any of them may be the name of a worker too, and then the worker is meant. */
import type { Severity } from '../../core/types/check.ts';
import type { TownSource } from '../../core/types/evidence.ts';
import { EVENTS, type HistoryDeed } from '../../core/types/history.ts';
import type { Fact } from '../../core/types/judgement.ts';
import type { CheckStatus, FixStatus } from '../../core/types/report.ts';
import { DEED_WORDS } from '../../reporters/history/history-words.ts';

const SEVERITY_TEXTS: Readonly<Record<Severity, string>> = {
  error: 'Somebody may lose work: two agents share a directory. Exit code 1.',
  warning: 'Something is wrong and needs a release or a decision. Exit code 1.',
  info: 'Worth knowing, and no problem: the exit code is not changed by it (see --fail-on).',
};

const FIX_TEXTS: Readonly<Record<FixStatus, string>> = {
  planned: '--fix would release this lock.',
  fixed: 'The lock was released, and a second look found the problem gone. doctor undo restores it.',
  skipped: 'The lock, or the check, was left out on purpose; the reason stands beside it.',
  changed: 'The lock was not the one that had been examined any more, so it was left untouched.',
  failed: 'The disk or the system refused; the reason stands beside it.',
};

const CHECK_TEXTS: Readonly<Record<Exclude<CheckStatus, 'skipped' | 'unknown'>, string>> = {
  pass: 'The check found nothing.',
  fail: 'The check found something.',
  crashed: 'The check threw an error; the others ran. Exit code 22.',
};

const DEED_TEXTS: Readonly<Record<HistoryDeed, string>> = {
  begun:
    'A release was begun, and the journal does not say how it ended: that run was killed. Run doctor --fix again; if there is a backup, doctor undo restores it.',
  released: 'The lock was removed from its place and kept as a backup beside it. doctor undo restores it.',
  'not-released': 'A release was begun and not carried out; the reason stands beside it.',
  restored: 'doctor undo moved the lock back to its place.',
  'not-restored': 'doctor undo could not restore the lock; the reason stands beside it.',
  tidied: 'Files that a killed run had left were cleaned up.',
  'lease-revoked': 'The lease of a dead holder was revoked by force. doctor undo cannot restore a lease.',
  'taken-over': 'doctor exec took over a stale lock for the command that it ran.',
};

/** The same by the words that `doctor log` prints: `cleaned up`. */
const AS_PRINTED = Object.fromEntries(
  EVENTS.map((deed) => [DEED_WORDS[deed][1].replaceAll(' ', '-'), DEED_TEXTS[deed]]),
);

/** What `doctor who` prints besides the classes of programs. */
const WHO_TEXTS = {
  nobody: 'Nobody was seen at work there, and everything could be looked at.',
  'unknown-program':
    'A program that doctor does not know is running there. Name it under "agents" (it holds the worker) or "bystanders" (it never counts) in lock-doctor.json.',
  registry: 'Seen in the list of live sessions that an agent’s own tool keeps.',
  container: 'Seen as a process of a container on this machine.',
  process: 'A running program, by its PID. doctor explain PID says where doctor sees it.',
  pid: 'The number of a process. doctor explain PID says where doctor sees it.',
  pane: 'A pane of tmux, %4. doctor explain %4 says where doctor sees it.',
  session: 'A session of tmux. doctor explain NAME says where doctor sees it.',
  worktree: 'A working tree of git: that of a clone, or one that git worktree add made.',
} as const;

const UNDO_TEXTS = {
  already: 'The lock was restored before.',
  removed:
    'The directory of the lock was removed after the release, and the backup with it: there is nothing to restore.',
  'newer-lock': 'Somebody took the lock since: it is not replaced, and the backup stays beside it.',
  missing: 'The backup is gone, or is not what was released.',
  busy: 'Somebody else was changing the lock. Run doctor undo again.',
  'no-guard': 'This machine, or that directory, allows no guard: nothing is changed without one.',
} as const;

const TOWN_TEXTS: Readonly<Record<TownSource, string>> = {
  flag: 'The town was named on the command line.',
  marker: 'The town is the outermost directory above with mayor/town.json.',
  env: 'The town was named by $GT_TOWN_ROOT or $GT_ROOT.',
  home: 'Only the tools’ directories in the home of the user who asked were looked at.',
  cwd: 'The town is where you are: in git the top of the working tree, else the directory. No mayor/town.json is above it.',
};

const EVIDENCE_TEXTS: Readonly<Record<Exclude<Fact['source'], 'lock'>, string>> = {
  processes: 'Evidence from the list of running processes.',
  tmux: 'Evidence from the tmux servers: their sessions and panes.',
  occupants: 'Evidence of who is running in the directory, whether or not the lock names it.',
  git: 'Evidence from git: is the lock tracked or ignored?',
  host: 'Evidence about this machine: its name, its start, its containers.',
  clock: 'Evidence from the clock: how old the lock is.',
};

const OWN_TEXTS = {
  dangerous: 'Said of a report as a whole where one of its findings is an error: see doctor explain error.',
  healthy: 'Said of a report as a whole where everything could be looked at and nothing is wrong.',
  force:
    '`doctor --fix --worker WORKER` with --force releases a lock even if its agent may still be running. doctor undo restores it.',
  journal:
    'The file .runtime/lock-doctor/journal.jsonl: every release, undo and take-over, with who did it. doctor log shows it.',
  helper:
    'A program that takes the lock for its agent and exits. So a dead process in a lock does not show that the agent is gone.',
  preflight:
    '`doctor preflight WORKER` says whether an agent may start there: free, held, repairable or unsure.',
  exec: '`doctor exec WORKER -- CMD` runs CMD in the worker while holding its lock, so that only one can.',
  undo: '`doctor undo` restores what the last run released, never over a newer lock.',
  guard:
    'The file agent.lock.flock beside a lock: whoever changes the lock holds it with flock for a moment. It stays there.',
  hook: 'A command that an agent’s tool runs at certain moments. doctor init writes one that refuses a second agent.',
} as const;

/** Meanings by word. */
export const PLAIN_TEXTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...SEVERITY_TEXTS,
    ...FIX_TEXTS,
    ...CHECK_TEXTS,
    ...DEED_TEXTS,
    ...AS_PRINTED,
    ...WHO_TEXTS,
    ...UNDO_TEXTS,
    ...TOWN_TEXTS,
    ...EVIDENCE_TEXTS,
    ...OWN_TEXTS,
    ok: 'Everything could be checked, and there is no problem. Exit code 0.',
    check: 'One of the things that doctor looks for. doctor checks lists them.',
    problem: 'A finding of severity warning or error (see --fail-on). Exit code 1.',
    next: 'The command to run next.',
    would: 'What --fix would do: nothing was changed yet.',
    skip: 'To leave a lock, or a check, as it is; the reason stands beside it.',
    refused:
      'Not allowed: another start beside a lock that is held, or a release without proof. Nothing was changed.',
    recorded:
      'What the lock itself says of its holder, when it was taken; doctor checks whether that is still true.',
    absent:
      'Nothing is there: of a tmux server, its socket. Where doctor may not look, it says unknown instead.',
    summary: 'The last lines of a report: how many locks there are, and what to do.',
    sources: `Where evidence comes from: ${['lock', ...Object.keys(EVIDENCE_TEXTS)].join(', ')}.`,
    truncated: 'The file ends in the middle: its writer was killed, or the disk was full.',
    backup: 'The released lock, byte for byte, kept beside its place for at least a week.',
  }),
);
