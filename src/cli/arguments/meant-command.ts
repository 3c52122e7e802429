/** What somebody meant who typed a word where a command could stand: `doctor fix`, `doctor lokcs`. */
import { didYouMean } from '../../core/did-you-mean.ts';
import { COMMANDS } from './options.ts';

/** Words that other tools have as commands. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['fix', 'doctor --fix'],
  ['repair', 'doctor --fix'],
  ['heal', 'doctor --fix'],
  ['clean', 'doctor --fix'],
  ['release', 'doctor --fix --worker WORKER'],
  ['unlock', 'doctor --fix --worker WORKER'],
  ['check', 'doctor checks'],
  ['list', 'doctor locks'],
  ['lock', 'doctor locks'],
  // As near to log.
  ['lok', 'doctor locks'],
  ['ls', 'doctor locks'],
  ['status', 'doctor locks'],
  ['worktrees', 'doctor locks'],
  ['agents', 'doctor who'],
  ['version', 'doctor --version'],
  ['ps', 'doctor locks'],
  ['watch', 'doctor top'],
  ['htop', 'doctor top'],
  ['why', 'doctor explain WORKER'],
  ['show', 'doctor explain WORKER'],
  ['run', 'doctor exec WORKER -- CMD'],
  ['history', 'doctor log'],
  ['journal', 'doctor log'],
  ['revert', 'doctor undo'],
  ['restore', 'doctor undo'],
]);

/** The command line that was probably meant by this word; null where it is more likely a directory. */
export const meantCommand = (word: string): string | null => {
  const alias = ALIASES.get(word);
  if (alias !== undefined) return alias;
  const near = didYouMean(word, [...COMMANDS, ...ALIASES.keys()]);
  return near === null ? null : (ALIASES.get(near) ?? `doctor ${near}`);
};
