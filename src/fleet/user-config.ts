/** The machines that a user has named for all towns: `~/.config/lock-doctor/config.json`, of which nothing else counts here. */
import { dirname } from 'node:path';
import { type Config, parseConfig } from '../config.ts';
import { Failure } from '../core/failure.ts';
import { readNamedFile } from '../io/disk/named-file.ts';
import { errnoOf } from '../io/errno.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import { distrust } from '../io/trust.ts';

const MAX_BYTES = 1024 * 1024;

/**
 * The user's machines; empty without such a file. A file that others can write is ignored, because it names
 * commands: then `onNote` is told. Throws `E_CONFIG` as the town's configuration does.
 */
export const readUserMachines = (
  path: string,
  onNote: (note: string) => void,
): NonNullable<Config['machines']> => {
  let text: string;
  try {
    text = readNamedFile(path, MAX_BYTES).toString('utf8');
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return {};
    throw new Failure('E_CONFIG', `${path} cannot be read: ${describeFailure(cause)}`, null, { cause });
  }
  const fault = distrust([dirname(path), path]);
  if (fault !== null) {
    onNote(`the machines of ${path} are not asked: ${fault}`);
    return {};
  }
  return parseConfig(text, path).machines ?? {};
};
