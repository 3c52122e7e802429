/** Everything outside of a run that a command may use: streams, environment, interruption. */
import { loadColors, type Presentation } from '../../reporters/screen/style.ts';
import type { Arguments, ArgumentsOf } from '../arguments/arguments.ts';
import type { CommandName } from '../arguments/options.ts';
import type { Output } from './output.ts';

/** The outside of a run, as `main` hands it to the commands: streams, environment, and the wish to stop. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted by SIGHUP, SIGINT and SIGTERM, with the exit code as its reason; null where the command handles them. */
  readonly interrupted: AbortSignal | null;
  /** Called before anything is changed: from there on the command itself ends the run when it is interrupted. */
  readonly finishFirst: () => void;
}

/** What a command leaves to `main`: text for standard output and standard error, and the exit code. */
export interface Outcome {
  readonly exitCode: number;
  /** In pieces where it may be large: each is written before the next is made. */
  readonly stdout: string | Iterable<string>;
  readonly stderr: string;
  /** A look that only reads is still under way, and nobody waits for it. */
  readonly isLeft?: boolean;
}

/** A command: gets arguments that were checked, throws `Failure` for what it refuses. */
export type RunCommand<C extends CommandName> = (
  given: ArgumentsOf<C>,
  terminal: Terminal,
) => Promise<Outcome>;

/** Decides once how everything of a run is to be written on one output. */
export const presentationFor = async (
  given: Arguments,
  { env }: Terminal,
  output: Output,
): Promise<Presentation> => {
  const atTerminal = output.isTTY;
  return {
    colors: !given.options.noColor && wantsColor(env, atTerminal) ? await loadColors() : null,
    ascii: given.options.ascii || isAsciiOnly(env, atTerminal),
    width: output.columns ?? 0,
    layout: atTerminal ? 'screen' : 'lines',
    verbosity: given.options.quiet ? 'quiet' : given.options.verbose ? 'verbose' : 'normal',
    links: atTerminal && knowsLinks(env),
  };
};

/** NO_COLOR beats FORCE_COLOR beats the terminal; a `dumb` terminal shows none. */
const wantsColor = ({ NO_COLOR, FORCE_COLOR, TERM }: NodeJS.ProcessEnv, atTerminal: boolean): boolean => {
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return !['0', 'false'].includes(FORCE_COLOR);
  return atTerminal && TERM !== 'dumb';
};

/**
 * True where the locale or the terminal says that it shows ASCII only. A pipe without a locale (cron) is no terminal:
 * names go through it as they are.
 */
const isAsciiOnly = (env: NodeJS.ProcessEnv, atTerminal: boolean): boolean => {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '');
  if (locale !== undefined) {
    if (!/utf-?8/i.test(locale)) return true;
  } else if (atTerminal && process.platform !== 'darwin') return true;
  return atTerminal && ['linux', 'dumb', 'vt100', 'vt220'].includes(env.TERM ?? '');
};

/**
 * True for terminals that are known to show links, and only where none is between that may not pass them on. FORCE_HYPERLINK
 * says yes or no (0) where we cannot tell. See https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
 */
const knowsLinks = (env: NodeJS.ProcessEnv): boolean => {
  const { FORCE_HYPERLINK: forced, TERM = '', TERM_PROGRAM = '' } = env;
  if (forced !== undefined && forced !== '') return forced !== '0';
  if (TERM === 'dumb' || /^(?:screen|tmux)/.test(TERM)) return false;
  if (env.TMUX !== undefined || env.STY !== undefined || env.CI !== undefined) return false;
  return (
    ['iTerm.app', 'WezTerm', 'vscode', 'ghostty'].includes(TERM_PROGRAM) ||
    /^(?:xterm-kitty|xterm-ghostty|foot)/.test(TERM) ||
    // VTE before 0.50 shows none, and 0.50.0 crashed.
    Number(env.VTE_VERSION ?? 0) > 5000 ||
    env.WT_SESSION !== undefined
  );
};

/** True where a picture can be drawn over: Emacs shells and some terminals of CI say `dumb`, and show what is written. */
export const canMoveCursor = ({ isTTY }: Output, { TERM }: NodeJS.ProcessEnv): boolean =>
  isTTY && TERM !== 'dumb';

/** True where a person sits at both ends and can be asked. */
export const canAsk = ({ stdin, stderr }: Terminal): boolean => stderr.isTTY && stdin.isTTY === true;
