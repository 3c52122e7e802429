/** By whom a release, an undo or a take-over was made, as the journal keeps it. */
import { hostname, userInfo } from 'node:os';
import { keptCommand } from '../core/record/kept-command.ts';
import type { ByWhom, Consent } from '../core/types/history.ts';
import { callerUid, sudoUid } from '../io/trust.ts';

export type { ByWhom, Consent };

/** What whoever acts says of itself. */
export interface Asked {
  /** Its command line, whole. */
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
