/** The boot id of macOS: a UUID that the kernel makes when it starts and that clock changes do not affect. */
import { type CommandResult, runCommandNow } from '../../../io/programs/command.ts';
import { findSystemProgram } from '../../../io/programs/find-program.ts';

/** `sysctl` answers in a few milliseconds. */
const TIMEOUT_MS = 2000;

/** As `uuid_unparse` prints it. The kernel's text is empty until its power management has begun. */
const UUID = /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/i;

/** A UUID of zeros identifies no boot. */
const NIL = /^[0-]+$/;

let known: string | null | undefined;

/** This boot's UUID, or null where it could not be told. Asked once per run, since it cannot change. Never throws. */
export const bootSession = (): string | null => {
  if (known === undefined) known = parseBootSession(askSysctl());
  return known;
};

const askSysctl = (): CommandResult => {
  const { PATH } = process.env;
  const file = findSystemProgram('sysctl', { PATH });
  return runCommandNow(file, ['-n', 'kern.bootsessionuuid'], { timeoutMs: TIMEOUT_MS, env: { PATH } });
};

/** Parses the answer of `sysctl -n kern.bootsessionuuid`. Anything but one UUID is null: two boots must never look alike. */
export const parseBootSession = (answer: CommandResult): string | null => {
  if (answer.status !== 'ok') return null;
  const text = answer.stdout.toString('utf8').trim();
  return UUID.test(text) && !NIL.test(text) ? text : null;
};
