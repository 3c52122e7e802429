/** Asks macOS's `ps`, and reads the start times that it prints: their text tells two processes with one PID apart. */
import { type CommandOptions, runCommandNow } from '../../../io/programs/command.ts';
import { findSystemProgram } from '../../../io/programs/find-program.ts';

/** Milliseconds. `ps` answers in 30 ms; where the load makes it slower than this limit, processes count as unseen. */
const TIMEOUT_MS = 5000;

/** The program and its environment. It prints times in the environment's zone, set to UTC here: a laptop's own zone may change. */
export const psCommand = (): { readonly file: string | null; readonly options: CommandOptions } => {
  const { PATH } = process.env;
  return {
    file: findSystemProgram('ps', { PATH }),
    options: { timeoutMs: TIMEOUT_MS, env: { PATH, LC_ALL: 'C', TZ: 'UTC' } },
  };
};

/** What `lstart` prints. */
export const LSTART = '\\w{3} \\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\d{4}';

/** Milliseconds since the epoch of what `lstart` prints under `TZ=UTC`; null where it is something else. */
export const startedAt = (lstart: string): number | null => {
  const ms = Date.parse(`${lstart} UTC`);
  return Number.isNaN(ms) ? null : ms;
};

/** One process as `ps` shows it: its start token, null for a zombie; `unknown` where ps does not show it. Never throws. */
export const askPs = (pid: number): { readonly startToken: string | null } | 'unknown' => {
  const { file, options } = psCommand();
  const answer = runCommandNow(file, ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)], options);
  return answer.status === 'ok' ? parseOne(answer.stdout.toString('utf8')) : 'unknown';
};

/** Parses the answer to `askPs`. */
const parseOne = (text: string): { readonly startToken: string | null } | 'unknown' => {
  const [, stat = '', lstart = ''] = new RegExp(`^\\s*(\\S+)\\s+(${LSTART})\\s*$`).exec(text) ?? [];
  if (lstart === '') return 'unknown';
  return { startToken: stat.startsWith('Z') ? null : lstart };
};
