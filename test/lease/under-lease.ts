/** Shared by the tests of `exec --lease`: machines that have nothing in common but etcd, and commands under a lease. */
import { existsSync, readFileSync } from 'node:fs';
import { describe } from '@jest/globals';
import { bareEnvironment, type CliResult, doctor, PROGRAM, startDoctor } from '../cli/run-cli.ts';
import {
  makeTown,
  onCleanUp,
  type StartedProcess,
  startProcess,
  type TestTown,
  until,
} from '../support/index.ts';
import { type EtcdServer, hasEtcd } from './etcd-server.ts';

export const ADA = 'gastown/crew/ada';
export const KEY = `gt/${ADA}`;
/** The shortest that is accepted, in seconds. */
export const TTL = 5;

/** Skipped, visibly, if etcd is not installed. */
export const withEtcd = hasEtcd ? describe : describe.skip;

export const at = (...servers: readonly EtcdServer[]): string =>
  `etcd://${servers.map(({ endpoint }) => endpoint).join(',')}/gt`;

/** Another machine as far as leases are concerned: its own root, and nothing shared but etcd. */
export const machine = (): TestTown => makeTown();

export const execArgs = (
  town: TestTown,
  lease: string,
  more: readonly string[],
  command: readonly string[],
): readonly string[] => [
  ...['exec', ADA, '--town', town.root, '--lease', lease, '--ttl', String(TTL), ...more, '--', ...command],
];

/** Runs a command under a lease to its end, synchronously. */
export const run = (
  town: TestTown,
  lease: string,
  command: readonly string[],
  more: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): CliResult => doctor(execArgs(town, lease, more, command), { env });

/** The same without blocking other tests. */
export const runConcurrently = (
  town: TestTown,
  lease: string,
  command: readonly string[],
  more: readonly string[] = [],
): Promise<CliResult> =>
  new Promise((resolve) => {
    const child = startDoctor(execArgs(town, lease, more, command));
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    child.once('close', (status) => resolve({ status, ...said }));
  });

/** Starts the program with these arguments; `cleanUp` ends it. */
const startUnderLease = (args: readonly string[]): Promise<StartedProcess> =>
  startProcess(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: bareEnvironment(),
  });

export interface Running {
  readonly pid: number;
  /** Resolves with the PID of the command. */
  readonly command: () => Promise<number>;
  readonly ended: Promise<number | null>;
  readonly complaints: () => string;
}

/** Starts a command under a lease that writes its PID and runs until it is ended. */
export const start = async (
  town: TestTown,
  lease: string,
  more: readonly string[] = [],
  script = 'exec sleep 600',
): Promise<Running> => {
  const file = town.path('command.pid');
  const whole = `echo $$ > '${file}.new'; mv '${file}.new' '${file}'; ${script}`;
  const { child, pid } = await startUnderLease(execArgs(town, lease, more, ['sh', '-c', whole]));
  // A doctor that is killed leaves its command running, which would keep our end of the pipe open.
  onCleanUp(() => {
    if (existsSync(file)) endSleeper(Number(readFileSync(file, 'utf8')));
  });
  let text = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    text += bytes.toString('utf8');
  });
  return {
    pid,
    command: async () => {
      await until(() => existsSync(file), 'the command', 20_000).catch((error: unknown) => {
        throw new Error(`${(error as Error).message}; it said: ${text}`);
      });
      return Number(readFileSync(file, 'utf8'));
    },
    ended: new Promise((resolve) => {
      child.once('close', (code) => resolve(code));
    }),
    complaints: () => text,
  };
};

/** Kills a command that we started, unless its PID has been reused. */
const endSleeper = (pid: number): void => {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\u0000');
    if (args.join(' ') === 'sleep 600 ') process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
};
