/** The doctor every five minutes: units for systemd, or a line for cron. Pure. */
import { quoteCommand } from '../../reporters/screen/shell-quote.ts';
import type { Surroundings } from './surroundings.ts';

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
