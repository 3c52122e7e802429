/** Homes of the users whose agents may be at work in a town: `$HOME` for the caller, /etc/passwd for others. */
import { readFileSync } from 'node:fs';
import { tryOr } from '../../io/try-or.ts';
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
