/** Who made a release, an undo or a take-over, as the journal keeps it. */
import { hostname, userInfo } from 'node:os';
import { keptCommand } from '../core/record/kept-command.ts';
import type { ByWhom, Consent } from '../core/types/history.ts';
import { callerUid, sudoUid } from '../io/trust.ts';
import { tryOr } from '../io/try-or.ts';

/** What the acting command says of itself. */
export interface Asked {
  /** Its whole command line. */
  readonly command: readonly string[];
  readonly consent: Consent;
}

/** For a program that calls the library: the program is kept, but not its arguments, which are not ours. */
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

const userName = (): string | null =>
  // A user may have no account.
  tryOr(() => userInfo().username, null);
