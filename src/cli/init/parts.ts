/** What `doctor init` can write, and what stands in it. Pure. */
import { quoteCommand } from '../../reporters/screen/shell-quote.ts';
import { COMPLETED_SHELLS, completionScript, type Shell } from '../arguments/completion-scripts.ts';
import type { PartName } from './part-names.ts';
import { CONFIG_TEXT, HOOK_TEXT } from './texts.ts';

export interface PartFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  /** What becomes of a file that is there: it stays, gets the text as one more line, or the hook among its settings. */
  readonly form: 'whole' | 'line' | 'hook';
}

export interface Part {
  readonly name: PartName;
  /** One sentence. */
  readonly what: string;
  /** None where this machine has no place for it: then `after` says what to do by hand. */
  readonly files: readonly PartFile[];
  /** What is to be done or known besides: sentences. */
  readonly after: readonly string[];
  /** Lines to paste for that. */
  readonly paste?: readonly string[];
}

const NO_HOME = 'You have no home directory: set HOME to one.';

/** All parts, in the order in which they are shown. */
export const partsOf = (here: Surroundings): readonly Part[] => [
  {
    name: 'config',
    what: 'Settings of this town, each with what it is for; all are optional.',
    files: [{ path: `${here.root}/lock-doctor.json`, text: CONFIG_TEXT, form: 'whole' }],
    after: [],
  },
  gitignorePart(here),
  {
    name: 'hook',
    what: 'A hook for Claude Code that refuses a second agent in one directory.',
    files: [{ path: `${here.root}/.claude/settings.json`, text: HOOK_TEXT, form: 'hook' }],
    after: [
      'It works for agents that start in this directory. Each worker needs its own, or add it to ~/.claude/settings.json for all of them.',
    ],
  },
  completionPart(here),
  timerPart(here),
];

const gitignorePart = ({ root, isRepository }: Surroundings): Part => ({
  name: 'gitignore',
  what: 'Keeps locks out of commits.',
  files: isRepository ? [{ path: `${root}/.gitignore`, text: '.runtime/\n', form: 'line' }] : [],
  after: isRepository
    ? []
    : [
        'This directory is not the top of a git repository. Add .runtime/ to the .gitignore of each repository in it.',
      ],
});

const completionPart = ({ shell, home, configHome, dataHome }: Surroundings): Part => {
  const known = COMPLETED_SHELLS.find((name) => name === shell);
  const what = 'Completes commands, options and workers in your shell.';
  if (known === undefined)
    return { name: 'completion', what, files: [], after: ['Your shell is not bash, zsh or fish.'] };
  const places: Readonly<Record<Shell, string | null>> = {
    bash: below(dataHome ?? below(home, '.local/share'), 'bash-completion/completions/doctor'),
    zsh: below(home, '.zfunc/_doctor'),
    fish: below(configHome ?? below(home, '.config'), 'fish/completions/doctor.fish'),
  };
  const path = places[known];
  if (path === null) return { name: 'completion', what, files: [], after: [NO_HOME] };
  return {
    name: 'completion',
    what,
    files: [{ path, text: completionScript(known), form: 'whole' }],
    ...(known === 'zsh'
      ? { after: ['Add this line to ~/.zshrc, before compinit:'], paste: ['fpath+=~/.zfunc'] }
      : { after: [] }),
  };
};

const below = (directory: string | null, path: string): string | null =>
  directory === null ? null : `${directory}/${path}`;

const timerPart = (here: Surroundings): Part => {
  const what = 'Releases what is proven dead, every five minutes.';
  if (!here.hasSystemd)
    return {
      name: 'timer',
      what,
      files: [],
      after: ['Add this line with crontab -e:'],
      paste: [cronLine(here)],
    };
  const directory = below(here.configHome ?? below(here.home, '.config'), 'systemd/user');
  if (directory === null) return { name: 'timer', what, files: [], after: [NO_HOME] };
  const { name, service, timer } = systemdUnits(here);
  return {
    name: 'timer',
    what,
    files: [
      { path: `${directory}/${name}.service`, text: service, form: 'whole' },
      { path: `${directory}/${name}.timer`, text: timer, form: 'whole' },
    ],
    after: ['To start it:'],
    paste: [`systemctl --user enable --now ${name}.timer`],
  };
};

type TimerSettings = Pick<Surroundings, 'root' | 'program'>;

const WHAT = ['--fix', '-q', '--town'];

/** `5 * * * *` and so on. Cron takes a percent sign for the end of the line. */
export const cronLine = ({ root, program }: TimerSettings): string =>
  `*/5 * * * * ${quoteCommand([...program, ...WHAT, root])}`.replaceAll('%', '\\%');

/** A service and its timer, named after the town, so that several towns have one each. */
export const systemdUnits = ({
  root,
  program,
}: TimerSettings): { readonly name: string; readonly service: string; readonly timer: string } => {
  const town = root.slice(root.lastIndexOf('/') + 1).replace(/[^A-Za-z0-9_.-]/g, '-');
  return {
    name: `lock-doctor-${town === '' ? 'root' : town}`,
    service: `[Unit]
Description=Release stale locks of agents

[Service]
Type=oneshot
ExecStart=${[...program, ...WHAT, root].map(unitWord).join(' ')}
# Problems that need a person do not make the timer fail.
SuccessExitStatus=1 22
`,
    timer: `[Unit]
Description=Release stale locks of agents, every five minutes

[Timer]
OnCalendar=*:0/5

[Install]
WantedBy=timers.target
`,
  };
};

/** One word of ExecStart: in quotes, where percent and dollar signs stand for themselves only when doubled. */
const unitWord = (word: string): string => `"${[...word].map(unitCharacter).join('')}"`;

/** A path may hold what a line of a unit cannot. */
const unitCharacter = (character: string): string => {
  if (character === '"' || character === '\\') return `\\${character}`;
  if (character === '%' || character === '$') return character + character;
  return character < ' ' ? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}` : character;
};

/** What the parts depend on. */
export interface Surroundings {
  /** Of the town. */
  readonly root: string;
  readonly isRepository: boolean;
  /** Null for a user who has none. */
  readonly home: string | null;
  /** The value of `XDG_CONFIG_HOME` and `XDG_DATA_HOME`, where they are absolute. */
  readonly configHome: string | null;
  readonly dataHome: string | null;
  /** Name of the user's shell. */
  readonly shell: string;
  readonly hasSystemd: boolean;
  /** How to start the doctor from anywhere: Node and the program, or the executable. */
  readonly program: readonly string[];
}
