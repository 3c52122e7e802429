/** Whether the git of whoever asks could write down who holds its locks (`core.lockfilePid`), and is not told to. Reads only. */
import type { Client } from '../../io/programs/command.ts';
import { findProgram } from '../../io/programs/find-program.ts';
import { runGit } from './git-command.ts';

/** The first git that does it when it is told to. */
const SINCE = [2, 54] as const;

/** True where git is new enough and no setting is true; false for every other, and where git does not answer. */
export const couldNoteHolders = async ({
  env,
  timeoutMs,
}: Pick<Client, 'env' | 'timeoutMs'>): Promise<boolean> => {
  const client: Client = { program: findProgram('git', env), timeoutMs, env, few: 'listening' };
  const version = await runGit('/', ['version'], client);
  if (version.status !== 'ok' || !isNewEnough(version.stdout.toString('latin1'))) return false;
  const set = await runGit('/', ['config', '--type=bool', '--get', 'core.lockfilePid'], client);
  // Exit status 1 without a word means that it is not set.
  if (set.status !== 'ok') return set.status === 'failed' && set.code === 1 && set.stderr === '';
  return set.stdout.toString('latin1').trim() === 'false';
};

const isNewEnough = (said: string): boolean => {
  const [, major, minor] = /^git version (\d{1,4})\.(\d{1,4})/.exec(said) ?? [];
  if (major === undefined || minor === undefined) return false;
  return Number(major) > SINCE[0] || (Number(major) === SINCE[0] && Number(minor) >= SINCE[1]);
};
