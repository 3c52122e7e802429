/** Whether a run concerns other machines, or leases: decided from the command line and the configuration, without loading what asks them. */
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import { HERE } from '../../core/town/views.ts';
import type { Preparation } from '../../diagnose.ts';
import { existsSync } from '../../io/file-systems/servers.ts';
import type { Arguments } from '../arguments/arguments.ts';
import { usage } from '../arguments/usage.ts';

/** The user's own configuration; null where no variable says where that is. */
export const userConfigFile = ({
  XDG_CONFIG_HOME,
  HOME,
}: Readonly<Record<string, string | undefined>>): string | null => {
  const home = XDG_CONFIG_HOME?.startsWith('/') === true ? XDG_CONFIG_HOME : HOME && join(HOME, '.config');
  return home === undefined || home === '' ? null : join(home, 'lock-doctor/config.json');
};

/** True where `--on` names another machine; or, where it names none, a configuration does. */
export const asksOthers = (
  { options: { on = [], saveSnapshot } }: Arguments,
  { place }: Preparation,
  env: Readonly<Record<string, string | undefined>>,
): boolean => {
  if (on.length > 0) return on.some((name) => name !== HERE);
  // Saved evidence is that of one machine.
  if (place === null || saveSnapshot !== undefined) return false;
  if (place.config.machines !== null) return true;
  const own = userConfigFile(env);
  return own !== null && existsSync(own);
};

/** Where the leases of a town are: as the command line says, else the environment, else the configuration; null for nowhere. Throws `E_USAGE`. */
export const leaseAddressFor = (
  { options: { lease, fromSnapshot } }: Arguments,
  env: Readonly<Record<string, string | undefined>>,
  config: Pick<Config, 'lease'> | null,
): string | null => {
  // A lease of today says nothing about saved evidence.
  if (fromSnapshot !== undefined) {
    if (lease !== undefined) throw usage('--lease and --from-snapshot cannot be combined');
    return null;
  }
  return lease ?? (env.LOCK_DOCTOR_LEASE || (config?.lease?.address ?? null));
};
