/** Homes of the users whose agents may be at work in a town: `$HOME` for the caller, /etc/passwd for others, and a spare's own. */
import { readFileSync } from 'node:fs';
import { roleByArguments } from '../../core/programs/by-arguments.ts';
import { isVersion } from '../../core/programs/by-name.ts';
import { CLAUDE, SPARE_PROCESS } from '../../core/programs/known-programs.ts';
import { tryOr } from '../../io/try-or.ts';
import { givenArguments, processNames } from '../processes/process-names.ts';
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

/** Which variables say where Claude Code keeps its registry. */
const PLACES = ['CLAUDE_CONFIG_DIR', 'HOME'] as const;

/**
 * The users of Claude Code's spare processes, with the places that their own environments name: the caller's may name others, and a
 * spare that no registry names does not count. Reads one more file for each spare.
 */
export const usersOfSpares = ({ rows, details }: ProcessTable): readonly RegistryUser[] =>
  [...rows.values()].flatMap(({ pid, comm, dead }) => {
    if (dead || !(CLAUDE.includes(comm) || isVersion(comm))) return [];
    const argv = details.argv(pid);
    const role = roleByArguments(processNames(comm, argv), givenArguments(comm, argv));
    const uid = role?.why === SPARE_PROCESS ? details.uid(pid) : null;
    if (uid === null) return [];
    const [config, home] = PLACES.map((name) => details.variables(pid, [name])?.[0]);
    return config === undefined && home === undefined
      ? []
      : [{ uid, home: home ?? '', env: { CLAUDE_CONFIG_DIR: config } }];
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
