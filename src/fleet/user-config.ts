/** The machines that a user has named for all towns: `~/.config/lock-doctor/config.json`, of which nothing else counts here. */
import { dirname } from 'node:path';
import type { Config } from '../config.ts';
import { distrust } from '../io/trust.ts';
import { parseConfig, readConfigText } from '../read-config.ts';

/**
 * The user's machines; empty without such a file. A file that others can write is ignored, because it names
 * commands: then `onNote` is told. Throws `E_CONFIG` as the town's configuration does.
 */
export const readUserMachines = (
  path: string,
  onNote: (note: string) => void,
): NonNullable<Config['machines']> => {
  const text = readConfigText(path);
  if (text === null) return {};
  const fault = distrust([dirname(path), path]);
  if (fault !== null) {
    onNote(`the machines of ${path} are not asked: ${fault}`);
    return {};
  }
  return parseConfig(text, path).machines ?? {};
};
