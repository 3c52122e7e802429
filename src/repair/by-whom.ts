/** By whom a release, an undo or a take-over was made, as the journal keeps it. */
import { hostname, userInfo } from 'node:os';
import { keptCommand } from '../core/record/kept-command.ts';
import { callerUid, sudoUid } from '../io/trust.ts';

/**
 * How it was agreed to. `asked`: a person said yes to the question; `yes`: `--yes`; `command`: the command itself says it
 * (`undo`, `exec`, `preflight --fix`, and `--fix` where nobody can be asked); `library`: a program called a function.
 */
export type Consent = 'asked' | 'yes' | 'command' | 'library';

/** What whoever acts says of itself. */
export interface Asked {
  /** Its command line, whole. */
  readonly command: readonly string[];
  readonly consent: Consent;
}

/** Who acted; what the system does not know is null. */
export interface ByWhom {
  /** Login name of the effective user. */
  readonly user: string | null;
  readonly uid: number;
  /** The user who called sudo. */
  readonly sudoUid: number | null;
  /** Name of the host on which it acted: a town may be shared. */
  readonly host: string;
  readonly pid: number;
  /** Bounded, and without what looks like a secret. */
  readonly command: readonly string[];
  readonly consent: Consent;
}

/** A program that calls the library: what runs is kept, and its arguments, which are not ours, are not. */
const calledLibrary = (): Asked => {
  const { argv } = process;
  return { command: argv.length > 2 ? [...argv.slice(0, 2), '…'] : argv, consent: 'library' };
};

/** Who acts now. Never throws. */
export const byWhom = ({ command, consent }: Asked = calledLibrary()): ByWhom => ({
  user: userName(),
  uid: callerUid(),
  sudoUid: sudoUid(),
  host: hostname(),
  pid: process.pid,
  command: keptCommand(command),
  consent,
});

const userName = (): string | null => {
  try {
    return userInfo().username;
  } catch {
    return null; // a user whom the accounts do not know
  }
};
