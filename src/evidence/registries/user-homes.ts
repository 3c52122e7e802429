/** Homes of the users whose agents may be at work in a town: `$HOME` for the caller, /etc/passwd for others, and what processes name. */
import { readFileSync } from 'node:fs';
import { isAgentCommand } from '../../core/programs/by-name.ts';
import { tryOr } from '../../io/try-or.ts';
import { processNames, runsScripts } from '../processes/process-names.ts';
import type { ProcessTable } from '../processes/row.ts';
import type { RegistryUser } from './registry.ts';

/** Users whose home is known, the caller first. Reads /etc/passwd only where other users count. */
export const registryUsers = (
  [asker, ...others]: readonly number[],
  env: Readonly<Record<string, string | undefined>>,
): readonly RegistryUser[] => {
  const known = asker !== undefined && env.HOME?.startsWith('/') ? [{ uid: asker, home: env.HOME, env }] : [];
  const unknown = [...(known.length === 0 && asker !== undefined ? [asker] : []), ...others];
  if (unknown.length === 0) return known;
  const homes = homesIn(readPasswd());
  const found = unknown.flatMap((uid) => {
    const home = homes.get(uid);
    return home === undefined ? [] : [{ uid, home, env: uid === asker ? env : {} }];
  });
  return [...known, ...found];
};

/** Which variables say where agents' tools keep their registries. */
const PLACES = ['CLAUDE_CONFIG_DIR', 'QWEN_HOME', 'COPILOT_HOME', 'HOME'] as const;

/** True for an agent by its names: its session may be at work elsewhere than the process is. */
const isAgent = (pid: number, comm: string, { argv }: ProcessTable['details']): boolean =>
  isAgentCommand(runsScripts(comm) ? processNames(comm, argv(pid)) : [comm], []);

/**
 * The users of agents, with the places that their own environments name: the caller's may name others, and the registries of other
 * users than those that were asked about may name this town. Reads one more file for each.
 */
export const usersOfAgents = ({ rows, details }: ProcessTable): readonly RegistryUser[] =>
  [...rows.values()].flatMap(({ pid, comm, dead }) => {
    if (dead || !isAgent(pid, comm, details)) return [];
    const uid = details.uid(pid);
    const values = PLACES.map((name) => [name, details.variables(pid, [name])?.[0]] as const);
    const env = Object.fromEntries(values);
    return uid === null || values.every(([, value]) => value === undefined)
      ? []
      : [{ uid, home: env.HOME ?? '', env }];
  });

/** User number → home, as passwd(5) has it; the first entry of a number counts. */
export const homesIn = (passwd: string): ReadonlyMap<number, string> => {
  const homes = new Map<number, string>();
  for (const line of passwd.split('\n')) {
    const [, , uid = '', , , home = ''] = line.split(':');
    if (/^\d+$/.test(uid) && home.startsWith('/') && home !== '/' && !homes.has(Number(uid)))
      homes.set(Number(uid), home);
  }
  return homes;
};

const readPasswd = (): string => tryOr(() => readFileSync('/etc/passwd', 'utf8'), '');
