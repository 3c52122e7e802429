/** A command under `doctor exec` that runs until it is told to end. */
import { readFileSync } from 'node:fs';
import { isRunning, onCleanUp, type TestTown, until } from '../support/index.ts';
import type { BuiltCli, RunningCli, RunOptions } from './built-cli.ts';

export const ADA = 'gastown/crew/ada';

export interface Lasting extends RunningCli {
  /** The PID of the command itself. */
  readonly commandPid: number;
}

/** Starts `sh -c <script>` under the lock; it prints that it is ready after `first`. */
export const startLasting = async (
  cli: BuiltCli,
  town: TestTown,
  script = 'exec sleep 600',
  options: RunOptions & { readonly flags?: readonly string[]; readonly first?: string } = {},
): Promise<Lasting> => {
  const { flags = [], first = ':', ...rest } = options;
  const command = ['sh', '-c', `${first}; echo "ready $$"; ${script}`];
  const running = cli.start(['exec', '--town', town.root, ...flags, ADA, '--', ...command], rest);
  const commandPid = await until(() => {
    const found = /^ready (\d+)$/m.exec(running.said());
    if (found === null && running.isOver())
      throw new Error(`it ended before the command said anything: ${running.complained()}`);
    return found === null ? false : Number(found[1]);
  }, 'the command');
  onCleanUp(() => {
    if (isRunning(commandPid)) process.kill(commandPid, 'SIGKILL');
  });
  return { ...running, commandPid };
};

export interface WrittenLock {
  readonly pid: number;
  readonly session_id?: string;
  readonly holder_pid?: number;
  readonly holder_start?: string;
  readonly nonce?: string;
}

export const readLock = (town: TestTown, name = 'agent.lock'): WrittenLock =>
  JSON.parse(readFileSync(town.path(ADA, '.runtime', name), 'utf8'));
