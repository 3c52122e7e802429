/** What the settings of a repository's remotes say of what they keep. Reads only. */
import { resolve } from 'node:path';
import { relativeTo } from '../../core/town/roles.ts';
import { isAbsent } from '../../io/disk/entry-exists.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { tryOr } from '../../io/try-or.ts';

/** These settings, for `git config -z --get-regexp`. */
export const REMOTE_SETTINGS = '^remote\\..*\\.(fetch|url|pushurl)$';

export interface Remotes {
  /** Refs besides remote-tracking branches that a fetch fills (`+refs/pull/*:refs/pull/*`): a remote has them. */
  readonly fetched: readonly string[];
  /** Remotes that keep nothing once this repository is removed, and why. */
  readonly vain: readonly { readonly name: string; readonly why: string }[];
}

/** @param top of the repository, absolute */
export const remotesIn = (settings: string, top: string): Remotes => {
  const fetched: string[] = [];
  const whyVain = new Map<string, string | null>();
  for (const setting of settings.split('\0')) {
    const [, name = '', key, value = ''] = /^remote\.(.*)\.(\w+)\n(.*)$/s.exec(setting) ?? [];
    if (key === 'fetch') {
      const [, refs] = /:(refs\/.+)$/s.exec(value) ?? [];
      if (refs !== undefined && !/^refs\/(?:\*|heads\/|tags\/|remotes\/)/.test(refs)) fetched.push(refs);
    } else if (key !== undefined) {
      const why = whyNothingIsKept(value, top);
      // One place of several is enough.
      whyVain.set(name, whyVain.get(name) === null ? null : why);
    }
  }
  return { fetched, vain: [...whyVain].flatMap(([name, why]) => (why === null ? [] : [{ name, why }])) };
};

/**
 * Of a path on this machine; null for anything else, and where something is kept. Where a relative path begins is not certain in the
 * repository of a submodule, so of one nothing follows from an absence.
 */
const whyNothingIsKept = (url: string, top: string): string | null => {
  const [, ofUrl, plain = null] = /^(?:file:\/\/(\/.*)|(\.{0,2}\/.*|\.{1,2}))$/s.exec(url) ?? [];
  const path = ofUrl === undefined ? plain : tryOr(() => decodeURIComponent(ofUrl), null);
  if (path === null) return null;
  const place = resolve(top, path);
  if (path.startsWith('/') && isAbsent(place) && isAbsent(`${place}.git`)) return `${place} is not there`;
  return relativeTo(realOrSame(top), realOrSame(place)) === null ? null : 'it lies in this directory';
};
