/** What `exec` adds to its command's environment: the mark of its lock, and a setting for git. */
import { HOLD_MARK } from '../evidence/processes/hold-mark.ts';
import type { Environment } from '../io/programs/find-program.ts';

/** With this setting git (2.54 and newer) notes beside each of its locks who holds it; older versions ignore it. */
const GIT_SETTING = { key: 'core.lockfilePid', value: 'true' };

/**
 * The environment of a command that runs under the lock with this nonce. `directory` is its working directory; null: the
 * caller's. A nested `exec` sets its own mark: what runs under two locks belongs to the inner one.
 */
export const environmentUnderLock = (
  env: Environment,
  nonce: string,
  directory: string | null,
): Environment => ({
  ...env,
  ...(directory === null || env.PWD === undefined ? {} : { PWD: directory }),
  ...gitVariables(env),
  [HOLD_MARK]: nonce,
});

/** Adds the setting to the caller's git variables; nothing where those are damaged or have this setting already. */
const gitVariables = (env: Environment): Environment => {
  const given = env.GIT_CONFIG_COUNT ?? '';
  if (!/^\d{0,4}$/.test(given)) return {};
  const count = Number(given);
  const keys = Array.from({ length: count }, (_each, at) => env[`GIT_CONFIG_KEY_${at}`]);
  if (keys.some((key) => key?.toLowerCase() === GIT_SETTING.key.toLowerCase())) return {};
  return {
    GIT_CONFIG_COUNT: String(count + 1),
    [`GIT_CONFIG_KEY_${count}`]: GIT_SETTING.key,
    [`GIT_CONFIG_VALUE_${count}`]: GIT_SETTING.value,
  };
};
