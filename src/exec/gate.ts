/**
 * A command that waits behind a gate: its process exists, so that a lock can name it, but it runs nothing before the gate is
 * opened. If the doctor dies first, the gate reads the end of its pipe and ends too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, readlinkSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { GATE } from '../evidence/processes/shell-code.ts';
import { isSamePath } from '../io/disk/disk-path.ts';
import { findCommand } from '../io/programs/find-program.ts';
import { tryOr } from '../io/try-or.ts';
import { detourAround } from './same-environment.ts';

/** A shell's exit statuses for a command that does not exist, and for one that cannot be run. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

const GATE_SHELL = '/bin/sh';

/** The word that opens the gate; anything else, and the end of the pipe, keeps it shut. */
const PASSWORD = 'go';

/** The shell's `exec` keeps its PID and start time, so the lock still names the right process. */
const gateScript = (before: string): string =>
  `IFS= read -r word <&3; [ "$word" = ${PASSWORD} ] || exit 125; exec ${before} "$@" 3<&-`;

export interface Gate {
  readonly pid: number;
  /** Lets the command run. */
  readonly open: () => void;
  /** Ends the waiting process; the command never ran. */
  readonly shut: () => void;
  readonly process: ChildProcess;
  /** Exit code as a shell counts it: 128+n for signal n. */
  readonly ended: Promise<number>;
}

/** Why a command cannot be started; null where it can. Runs nothing. */
export const findObstacle = (
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): { readonly exitCode: number; readonly why: string } | null => {
  const shell = obstacleAt(GATE_SHELL);
  if (shell !== null) return { ...shell, why: `${shell.why}, which doctor exec needs` };
  if (!command.includes('/')) {
    return findCommand(command, env, cwd) === null
      ? { exitCode: NOT_FOUND, why: `command not found: ${command}` }
      : null;
  }
  return obstacleAt(command, resolve(cwd, command));
};

const obstacleAt = (
  command: string,
  path = command,
): { readonly exitCode: number; readonly why: string } | null => {
  try {
    if (statSync(path).isDirectory()) return { exitCode: NOT_EXECUTABLE, why: `${command} is a directory` };
  } catch {
    return { exitCode: NOT_FOUND, why: `command not found: ${command}` };
  }
  try {
    accessSync(path, constants.X_OK);
    return null;
  } catch {
    return { exitCode: NOT_EXECUTABLE, why: `${command} cannot be executed` };
  }
};

/** Starts a command behind its gate, in the caller's terminal and process group. Rejects where no process can be made. */
export const startGate = async (
  command: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  signalNumbers: Readonly<Record<string, number>>,
): Promise<Gate> => {
  const { words, variables } = detourAround(env, cwd, command[0] ?? '');
  const child = spawn(GATE_SHELL, ['-c', gateScript(words), GATE, ...command], {
    cwd,
    env: { ...env, ...variables },
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  });
  const ended = new Promise<number>((settle) => {
    child.once('exit', (code, signal) => settle(code ?? 128 + (signalNumbers[signal ?? ''] ?? 0)));
  });
  await new Promise<void>((settle, reject) => {
    child.once('spawn', settle);
    child.once('error', reject);
  });
  const pipe = child.stdio[3] as Writable;
  // A command that ended early breaks the pipe: its exit code tells what happened.
  pipe.on('error', () => {});
  return {
    pid: child.pid ?? 0,
    open: () => pipe.end(`${PASSWORD}\n`),
    shut: () => pipe.end(),
    process: child,
    ended,
  };
};

/**
 * True where the waiting process certainly is in another directory than `place` (absolute, no symlink in it), because a symlink
 * at that name led there. Known on Linux only. Never throws.
 */
export const standsElsewhere = (pid: number, place: string): boolean =>
  // Without /proc nothing is known to be wrong.
  tryOr(() => !isSamePath(readlinkSync(`/proc/${pid}/cwd`), place), false);
