/**
 * The one table of commands and options: yargs, the small reader of the fast commands, `--help`, `completion` and the
 * man page are all made from it.
 */
import { SEVERITIES } from '../../core/types/check.ts';
import { EVENTS } from '../../core/types/history.ts';
import { STATES } from '../../core/types/judgement.ts';
import { FORMATS } from '../formats.ts';
import { INIT_PARTS } from '../init/part-names.ts';

export const COMMANDS = [
  'doctor',
  'preflight',
  'exec',
  'locks',
  'who',
  'top',
  'explain',
  'checks',
  'undo',
  'log',
  'machines',
  'init',
  'completion',
] as const;
export type CommandName = (typeof COMMANDS)[number];

/** What may be completed in a value's place. */
export type ValueKind = 'directory' | 'file' | 'worker' | 'check' | 'topic' | 'release' | 'text';

export interface Option {
  readonly name: string;
  /** Its name in camel case where that differs: written down, because every start would have to work it out. */
  readonly key?: string;
  readonly short?: string;
  /** `flag` takes no value; `list` may be repeated. */
  readonly type: 'flag' | 'value' | 'list';
  /** The name of the value in help texts. */
  readonly value?: string;
  /** Default: `text`. */
  readonly kind?: ValueKind;
  readonly choices?: readonly string[];
  /** Values may be joined by commas. */
  readonly commas?: boolean;
  /** The value is a number; `rule` says in words which numbers are accepted. */
  readonly number?: { readonly accepts: (text: string) => boolean; readonly rule: string };
  readonly summary: string;
  readonly commands: readonly CommandName[];
}

interface Positional {
  readonly name: string;
  readonly kind: ValueKind;
  readonly required?: true;
  readonly variadic?: true;
  readonly choices?: readonly string[];
  /** Further accepted words that help and completion do not offer: our own scripts use them. */
  readonly unlisted?: readonly string[];
  readonly summary: string;
}

export interface Command {
  readonly name: CommandName;
  /** Everything after the program's name. */
  readonly usage: string;
  readonly summary: string;
  readonly positionals: readonly Positional[];
  /** Takes a foreign command line after `--`. */
  readonly passesOn?: true;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** What its JSON has besides the envelope, empty: what a failed run prints. `report` where that is a report's. */
  readonly document: Readonly<Record<string, unknown>> | 'report';
  /** Paragraphs at the end of its help. */
  readonly notes?: readonly string[];
}

/** Node's timers hold 31 bits: a longer delay would fire at once. */
const isMilliseconds = (text: string): boolean =>
  /^\d{1,10}$/.test(text) && Number(text) >= 1 && Number(text) <= 2 ** 31 - 1;

const isCount = (text: string): boolean => /^[1-9]\d{0,8}$/.test(text);

const isSeconds = (text: string): boolean => /^\d{1,9}(\.\d+)?$/.test(text);

const isDuration = (text: string): boolean => isSeconds(text) && Number(text) > 0 && Number(text) <= 86_400;

const LOOKING = ['doctor', 'locks', 'who', 'top', 'explain', 'preflight', 'exec'] as const;
const REPORTING = [
  'doctor',
  'preflight',
  'locks',
  'who',
  'explain',
  'checks',
  'undo',
  'log',
  'machines',
] as const;
/** Commands that other machines can be asked for. */
const ELSEWHERE = ['doctor', 'locks', 'explain', 'undo', 'machines'] as const;

/** An option that takes no value. */
const flag = <const Name extends string, const Takers extends readonly CommandName[]>(
  name: Name,
  summary: string,
  commands: Takers,
) => ({ name, type: 'flag', summary, commands }) as const;

export const OPTIONS = [
  {
    name: 'town',
    type: 'value',
    value: 'DIR',
    kind: 'directory',
    summary: 'town root (default: found from here)',
    commands: [...LOOKING, 'checks', 'undo', 'log', 'machines', 'init', 'completion'],
  },
  flag(
    'home',
    'look at the locks of tools in your home directory (~/.codex, ~/.copilot, ~/.openclaw) instead of a town',
    ['doctor', 'locks', 'explain', 'undo', 'log'],
  ),
  flag('fix', 'release the locks whose holder is proven gone', ['doctor', 'preflight']),
  {
    name: 'for',
    type: 'value',
    value: 'WHAT',
    choices: ['start', 'prompt', 'removal'],
    summary:
      'what you plan: start (of an agent, default), prompt (to the agent that asks: its own lock does not count) or removal (of the directory)',
    commands: ['preflight'],
  },
  flag('new', 'the worker does not exist yet: accept any name', ['preflight']),
  {
    name: 'worker',
    short: 'w',
    type: 'list',
    value: 'WORKER',
    kind: 'worker',
    summary: 'with --fix: this worker only (repeatable)',
    commands: ['doctor'],
  },
  flag('force', 'with --fix, and --worker or --lock: release the lock even if it is held', ['doctor']),
  { ...flag('yes', 'do not ask', ['doctor']), short: 'y' },
  {
    ...flag('dry-run', 'with --fix: show what it would do, change nothing', ['doctor']),
    short: 'n',
    key: 'dryRun',
  },
  {
    name: 'lock',
    type: 'list',
    value: 'LOCK',
    summary: 'with --fix: these locks only, by their ids or paths (repeatable)',
    commands: ['doctor'],
  },
  {
    name: 'stamp',
    type: 'list',
    value: 'SHA256',
    summary: 'with --lock: only while its bytes have this digest (once per --lock)',
    commands: ['doctor'],
  },
  {
    name: 'on',
    type: 'list',
    value: 'MACHINE',
    summary:
      'ask this machine: a configured name, an ssh host, a command that reaches it, or here (repeatable)',
    commands: ELSEWHERE,
  },
  flag('send', 'send the collector to node on machines that have no doctor', [
    'doctor',
    'locks',
    'explain',
    'machines',
  ]),
  {
    name: 'deadline',
    type: 'value',
    value: 'SECONDS',
    number: { accepts: isDuration, rule: 'a number of seconds above 0, at most 86400' },
    summary: 'time limit for the whole answer of another machine (default: 30)',
    commands: ELSEWHERE,
  },
  {
    name: 'only',
    type: 'list',
    value: 'CHECK',
    kind: 'check',
    commas: true,
    summary: 'run these checks only (comma-separated)',
    commands: ['doctor'],
  },
  {
    name: 'skip',
    type: 'list',
    value: 'CHECK',
    kind: 'check',
    commas: true,
    summary: 'skip these checks (comma-separated)',
    commands: ['doctor'],
  },
  {
    name: 'plugin',
    type: 'list',
    value: 'SPEC',
    kind: 'file',
    summary: 'load checks from a path or package (repeatable)',
    commands: ['doctor', 'checks', 'explain'],
  },
  flag('deep', 'search everything, even .git and databases', ['doctor', 'locks', 'who', 'top', 'explain']),
  flag('quick', 'in a Gas Town, search only known worker directories', [
    'doctor',
    'locks',
    'who',
    'top',
    'explain',
  ]),
  {
    name: 'fail-on',
    key: 'failOn',
    type: 'value',
    value: 'SEVERITY',
    choices: SEVERITIES,
    summary: 'lowest severity that counts as a problem (default: warning)',
    commands: ['doctor', 'locks', 'top'],
  },
  {
    name: 'state',
    type: 'list',
    value: 'STATE',
    choices: STATES,
    commas: true,
    summary: 'show locks of these states only (comma-separated)',
    commands: ['doctor', 'locks', 'top', 'log'],
  },
  {
    name: 'kind',
    type: 'list',
    value: 'KIND',
    commas: true,
    summary: 'limit to locks of these kinds (comma-separated)',
    commands: ['doctor', 'locks', 'top', 'log'],
  },
  {
    name: 'event',
    type: 'list',
    value: 'EVENT',
    choices: EVENTS,
    commas: true,
    summary: `show these events only: ${EVENTS.join(', ')}`,
    commands: ['log'],
  },
  {
    name: 'since',
    type: 'value',
    value: 'WHEN',
    summary: 'show what is newer than this: 30m, 8h, 3d, or a date like 2026-11-29',
    commands: ['doctor', 'locks', 'top', 'log'],
  },
  {
    name: 'before',
    type: 'value',
    value: 'WHEN',
    summary: 'show locks that are older than this: 30m, 8h, 3d, or a date like 2026-11-29',
    commands: ['doctor', 'locks', 'top'],
  },
  {
    name: 'under',
    type: 'list',
    value: 'DIR',
    kind: 'worker',
    summary: 'show only what is in or below this directory (repeatable)',
    commands: ['doctor', 'locks', 'top'],
  },
  {
    name: 'limit',
    type: 'value',
    value: 'N',
    number: { accepts: isCount, rule: 'a whole number, at least 1' },
    summary: 'show the newest N events (default: 30; with --json all)',
    commands: ['log'],
  },
  flag('list', 'list the releases that can be undone, and change nothing', ['undo']),
  flag('watch', 'refresh until q is pressed; JSON lines when piped', ['locks']),
  {
    name: 'write',
    type: 'list',
    value: 'PART',
    choices: INIT_PARTS,
    commas: true,
    summary: `write these parts without asking: ${INIT_PARTS.join(', ')}`,
    commands: ['init'],
  },
  {
    name: 'session',
    type: 'value',
    value: 'NAME',
    summary: 'session to write into the lock (default: $TMUX_PANE)',
    commands: ['exec'],
  },
  {
    name: 'wait',
    type: 'value',
    value: 'SECONDS',
    number: { accepts: isSeconds, rule: 'a number of seconds, 0 or more' },
    summary: 'wait this long for a held lock (default: 0)',
    commands: ['exec'],
  },
  {
    name: 'record',
    type: 'value',
    value: 'WHO',
    choices: ['process', 'helper'],
    summary: 'PID written to the lock: process or helper (default: helper in a Gas Town)',
    commands: ['exec'],
  },
  {
    name: 'lease',
    type: 'value',
    value: 'ADDRESS',
    summary:
      'leases in etcd, shared by all machines: exec takes one, other commands show them; etcd://HOST:PORT,…/TOWN (default: $LOCK_DOCTOR_LEASE)',
    commands: ['doctor', 'locks', 'explain', 'preflight', 'exec'],
  },
  {
    name: 'ttl',
    type: 'value',
    value: 'SECONDS',
    number: { accepts: isDuration, rule: 'a number of seconds above 0, at most 86400' },
    summary: 'with --lease: how long the lease lasts after the doctor has died (default: 60)',
    commands: ['exec'],
  },
  {
    name: 'on-lost',
    key: 'onLost',
    type: 'value',
    value: 'WHAT',
    summary:
      'with --lease, when it is lost: warn, stop (end CMD in time), or a shell command to run (default: warn)',
    commands: ['exec'],
  },
  { ...flag('no-cd', "run CMD in the caller's directory (default: in the worker's)", ['exec']), key: 'noCd' },
  {
    name: 'socket',
    short: 'S',
    type: 'list',
    value: 'SOCKET',
    summary: 'also ask this tmux server (2.7 or newer), by name or path (repeatable)',
    commands: LOOKING,
  },
  {
    name: 'former-host',
    key: 'formerHost',
    type: 'list',
    value: 'NAME',
    summary: 'host name that is gone for good, or that this machine used to have (repeatable)',
    commands: LOOKING,
  },
  {
    name: 'timeout',
    type: 'value',
    value: 'MS',
    number: { accepts: isMilliseconds, rule: 'a whole number of milliseconds, at least 1' },
    summary: 'time limit for each tmux call, in milliseconds (default: 2000)',
    commands: LOOKING,
  },
  {
    name: 'save-snapshot',
    key: 'saveSnapshot',
    type: 'value',
    value: 'FILE',
    kind: 'file',
    summary: 'write the evidence of this run to a file; with - to standard output, without a report',
    commands: ['doctor'],
  },
  {
    name: 'from-snapshot',
    key: 'fromSnapshot',
    type: 'value',
    value: 'FILE',
    kind: 'file',
    summary: 'check saved evidence and nothing else',
    commands: ['doctor', 'locks', 'explain'],
  },
  {
    name: 'format',
    type: 'value',
    value: 'FORMAT',
    choices: FORMATS,
    summary: `output format: ${FORMATS.join(', ')}`,
    commands: ['doctor'],
  },
  flag('json', 'one JSON document on standard output', [...REPORTING, 'exec']),
  { ...flag('quiet', 'print problems only', ['doctor', 'preflight', 'who', 'undo']), short: 'q' },
  {
    ...flag('verbose', 'print evidence and timings', [
      'doctor',
      'preflight',
      'locks',
      'who',
      'explain',
      'undo',
    ]),
    short: 'v',
  },
  { ...flag('no-color', 'no colour (as NO_COLOR does)', COMMANDS), key: 'noColor' },
  flag('ascii', 'print ASCII characters only', COMMANDS),
  { ...flag('help', 'show this help', COMMANDS), short: 'h' },
  flag('version', 'show the version', COMMANDS),
] as const satisfies readonly Option[];

type Row = (typeof OPTIONS)[number];

type Word<R> = R extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : R extends { readonly number: object }
    ? number
    : string;

type ValueOf<R extends Row> = R['type'] extends 'flag'
  ? boolean
  : R['type'] extends 'list'
    ? readonly Word<R>[]
    : Word<R> | undefined;

type KeyOf<R extends Row> = R extends { readonly key: infer Key extends string } ? Key : R['name'];

/** The options of one command by their keys: false, undefined or an empty list where one was not given. */
export type OptionsOf<C extends CommandName> = {
  readonly [R in Row as [C] extends [R['commands'][number]] ? KeyOf<R> : never]: ValueOf<R>;
};

/** The options of any command: each where the command has it. */
export type Options = { readonly [R in Row as KeyOf<R>]?: ValueOf<R> };

const TOWN: Positional = {
  name: 'town',
  kind: 'directory',
  summary: 'the town root',
};

export const COMMAND_TABLE: readonly Command[] = [
  {
    name: 'doctor',
    usage: '[town] [options]',
    summary: 'Check the locks of a town; with --fix, release those whose holder is proven gone.',
    positionals: [TOWN],
    document: 'report',
    examples: [
      ['doctor', 'who holds what, and what is wrong'],
      ['doctor --fix', 'release what is proven stale, after asking'],
      ['doctor --json', 'the same for programs'],
    ],
    notes: [
      'A town is the directory that is checked, with everything in it: a git repository with its worktrees, a Gas Town, or the current directory. A worker is a directory in which one agent works.',
    ],
  },
  {
    name: 'preflight',
    usage: 'preflight WORKER... [options]',
    summary: 'Say whether an agent may start in a worker: free (0), held (20), repairable (21), unsure (22).',
    positionals: [
      {
        name: 'worker',
        kind: 'worker',
        required: true,
        variadic: true,
        summary: 'worker directories, relative to the town',
      },
    ],
    document: { town: null, results: [], gaps: [] },
    examples: [
      ['doctor preflight gastown/crew/ada', 'may an agent start there?'],
      ['doctor preflight --fix gastown/crew/ada', 'release a stale lock first, then answer'],
      ['doctor preflight --for removal ../feature-2', 'may this worktree be removed?'],
    ],
    notes: [
      'The exit code of several workers is that of the worst answer: 22 before 20 before 21 before 0.',
      "A worktree lock of git forbids a start while it is held (20) or cannot be judged (22); a stale one, or one that a person took, is only named. It is repairable (21) if a stale index.lock or the like would make the agent's git commands fail.",
      'With --for removal the answer is held (20) if anybody works there, a lock in it or in its git directory is held, files are uncommitted or untracked, or commits are on no remote and on no other branch. It is repairable (21) if only a stale lock of the worktree is in the way: doctor --fix releases it. It is unsure (22) if any of that could not be checked. Files that git ignores are not looked at.',
    ],
  },
  {
    name: 'exec',
    usage: 'exec WORKER [options] -- CMD...',
    summary:
      "Run CMD in a worker's directory with its lock held, so that only one can. In a Gas Town this does not keep gt itself out.",
    positionals: [
      {
        name: 'worker',
        kind: 'worker',
        required: true,
        summary: 'the worker directory, relative to the town',
      },
    ],
    passesOn: true,
    document: { town: null, results: [], gaps: [] },
    examples: [['doctor exec gastown/crew/ada -- claude', 'start an agent as the only one there']],
    notes: [
      'If CMD leaves processes running, the lock stays until they end: it then names such a process as its holder. Processes with an empty environment (env -i), or in a tmux server that was already running, are not recognized.',
      'In a Gas Town the start hook inside CMD (gt prime) takes the lock again. A lock file cannot let it in and keep other gt processes out, so by default all of them may take it (--record helper), while preflight, exec and --fix look at the true holder. --record process keeps all of them out, that hook too.',
      'CMD inherits standard input, output and error, and no other file descriptor.',
      'With --lease exec also takes a lease in etcd before it starts CMD, and sets LOCK_DOCTOR_EPOCH, which grows with every holder, and LOCK_DOCTOR_LEASE_KEY in its environment. If the lease is lost, exec ends with 75. Only --on-lost stop prevents a second start while CMD runs, except when the machine or the doctor was frozen: then only the epoch protects. Put a password into LOCK_DOCTOR_ETCD_PASSWORD; LOCK_DOCTOR_ETCD_USER, _CA, _CERT and _KEY are read too, and etcds:// means TLS.',
    ],
  },
  {
    name: 'locks',
    usage: 'locks [town] [options]',
    summary: 'Show the locks of a town, and agents without one, as a tree.',
    positionals: [TOWN],
    document: 'report',
    examples: [
      ['doctor locks --state stale,orphaned', 'only these'],
      ['doctor locks --watch', 'keep looking'],
    ],
  },
  {
    name: 'who',
    usage: 'who [DIR...] [options]',
    summary:
      'Say who works in a directory, and how each was seen: agents, unknown programs, and programs that do not count.',
    positionals: [
      {
        name: 'directory',
        kind: 'directory',
        variadic: true,
        summary: 'a worker, a worktree, or a directory with several (default: where you are)',
      },
    ],
    document: { places: [], gaps: [] },
    examples: [
      ['doctor who', 'everybody in this directory; at the root of a town: in each worker'],
      ['doctor who -q ../feature-2', 'agents and unknown programs only'],
    ],
    notes: [
      'Exit code 0 means that everything could be looked at, whether or not somebody is there; 22 means that somebody may be there unseen, and the report says what could not be looked at.',
    ],
  },
  {
    name: 'top',
    usage: 'top [town] [options]',
    summary: 'Watch the locks of a town on a full screen, with keys to explain, release and restore.',
    positionals: [TOWN],
    document: 'report',
    examples: [['doctor top', 'a screen to keep open']],
    notes: ['Press ? to see the keys. top asks before it changes anything.'],
  },
  {
    name: 'explain',
    usage: 'explain [WORD|WORKER]... [options]',
    summary: 'Explain words of a report, or show all the evidence for a worker.',
    positionals: [
      {
        name: 'topic',
        kind: 'topic',
        variadic: true,
        summary: 'a word of a report, or a worker directory',
      },
    ],
    document: { topic: null, lock: null, locks: [], preflight: null },
    examples: [
      ['doctor explain stale-lock', 'what a check looks for'],
      ['doctor explain gastown/crew/ada', 'why this lock has its state'],
    ],
  },
  {
    name: 'checks',
    usage: 'checks [options]',
    summary: 'List the checks, built in and from plug-ins.',
    positionals: [],
    document: { checks: [] },
    examples: [],
  },
  {
    name: 'undo',
    usage: 'undo [id] [options]',
    summary: 'Restore the locks that the last --fix released.',
    positionals: [
      {
        name: 'id',
        kind: 'release',
        summary: 'the run to undo (default: the last one)',
      },
    ],
    document: { run: null, results: [], damage: null, elsewhere: [] },
    examples: [
      ['doctor undo', 'restore what the last run released'],
      ['doctor undo --list', 'list what can be undone, with the ids'],
    ],
  },
  {
    name: 'log',
    usage: 'log [WORKER|ID]... [options]',
    summary: 'Show what was released, restored and taken over: when, from whom, and by whom.',
    positionals: [
      {
        name: 'worker',
        kind: 'worker',
        variadic: true,
        summary: 'a worker directory, a directory of workers, or the ID of a run or release',
      },
    ],
    document: { town: null, events: [], older: 0, elsewhere: [], missing: null },
    examples: [
      ['doctor log', 'the newest events first'],
      ['doctor log gastown/crew/ada --since 8h', 'what happened to one lock'],
      ['doctor log --event released --json', 'every release, for programs'],
    ],
  },
  {
    name: 'machines',
    usage: 'machines [options]',
    summary: 'List the other machines, and say whether each answers.',
    positionals: [],
    document: { machines: [] },
    examples: [
      ['doctor machines', 'ask the configured machines'],
      ['doctor machines --on mini2', 'does this one answer?'],
    ],
    notes: [
      'Name the machines under "machines" in lock-doctor.json, or in ~/.config/lock-doctor/config.json for all towns. doctor, locks and explain ask all of them; --on asks only those that it names, and --on here only this one. preflight and exec never ask another machine, and --fix acts only on machines that --on names.',
      'If a machine does not answer, the exit code is 22; that never makes a lock stale.',
    ],
  },
  {
    name: 'init',
    usage: 'init [town] [options]',
    summary:
      'Show files that help in a town (settings, .gitignore, a hook, completion, a timer), and write those you choose.',
    positionals: [TOWN],
    document: 'report',
    examples: [
      ['doctor init', 'show them, and ask at a terminal'],
      ['doctor init --write config,gitignore', 'write these'],
    ],
    notes: [
      'init never overwrites anything of yours. It replaces only a hook that an earlier version of it wrote, and keeps the old file beside the new one.',
    ],
  },
  {
    name: 'completion',
    usage: 'completion SHELL [options]',
    summary: 'Print a completion script for bash, zsh or fish.',
    positionals: [
      {
        name: 'shell',
        kind: 'text',
        required: true,
        choices: ['bash', 'zsh', 'fish'],
        unlisted: ['workers', 'checks', 'topics', 'releases'],
        summary: 'bash, zsh or fish',
      },
    ],
    document: 'report',
    examples: [['source <(doctor completion bash)', 'complete in this shell']],
    notes: [
      'To keep it, save the script where the shell looks for it: ~/.local/share/bash-completion/completions/doctor (bash), _doctor in a directory of $fpath (zsh), ~/.config/fish/completions/doctor.fish (fish).',
    ],
  },
];

/** Exit codes of commands that look at locks only, and of the questions before a start only. */
const OF_LOOKING: readonly string[] = ['1', '22'];
const OF_STARTING: readonly string[] = ['20', '21'];

/** What each exit code tells the caller to do next; the same in every command. */
export const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'healthy, or all fixed and verified; preflight: free, start the agent'],
  [
    '1',
    'problems found, even if not everything could be checked, or left after --fix, as when you answer no (never from preflight)',
  ],
  [
    '2',
    'wrong usage or configuration, or --yes missing where --fix --force cannot ask (no terminal): nothing was changed',
  ],
  ['20', 'preflight, exec: held, or two agents are running there'],
  ['21', 'preflight: a stale or invalid lock that --fix can release; release it and ask again'],
  ['22', 'not everything could be checked; do not start'],
  ['70', 'internal error (please report)'],
  ['129, 130, 143', 'interrupted'],
];

/** Whose answer decides whether an agent starts. */
const STARTING: readonly CommandName[] = ['preflight', 'exec'];

/** What 0 means for commands that do not judge the town. */
const DONE: Readonly<Partial<Record<CommandName, string>>> = {
  preflight: 'free: start the agent; with --for removal: remove it',
  exec: 'CMD ended with 0; any other code of CMD is passed on too',
  who: 'everything could be looked at',
  machines: 'all of them answer',
};
/** What 1 means for them. */
const FAILED: Readonly<Partial<Record<CommandName, string>>> = {
  undo: 'not all of it could be restored',
  log: 'part of the journal could not be read',
  init: 'not all that was asked for is in place',
};
const JUDGING: readonly CommandName[] = ['doctor', 'locks', 'top'];

/** The exit codes that a command has, in words about this command alone. */
export const exitCodesOf = (name: CommandName): typeof EXIT_CODES =>
  EXIT_CODES.filter(([code]) => {
    if (OF_STARTING.includes(code)) return name === 'preflight' || (name === 'exec' && code === '20');
    if (!OF_LOOKING.includes(code)) return true;
    if (name === 'log' || name === 'init') return code === '1';
    if (name === 'undo' || JUDGING.includes(name)) return true;
    return code === '22' && ['preflight', 'exec', 'who', 'machines'].includes(name);
  }).map(([code, meaning]) => {
    if (code === '0' && !JUDGING.includes(name)) return [code, DONE[name] ?? 'done'];
    if (code === '1' && FAILED[name] !== undefined) return [code, FAILED[name]];
    if (code === '2' && !optionsOf(name).some((option) => option.name === 'yes'))
      return [code, meaning.replace(/, or --yes missing[^:]*/, '')];
    const own = meaning.replace(/^preflight(?:, exec)?: |; preflight: .*| \(never from preflight\)/g, '');
    return [code, STARTING.includes(name) ? own : own.replace('; do not start', '')];
  });

/** The table's row of a command. */
export const commandNamed = (name: CommandName): Command => {
  const found = COMMAND_TABLE.find((command) => command.name === name);
  if (found === undefined) throw new Error(`no command ${name} in the table`);
  return found;
};

/** The options of one command, in the order of the table. */
export const optionsOf = (name: CommandName): readonly Option[] =>
  (OPTIONS as readonly Option[]).filter(({ commands }) => commands.includes(name));
