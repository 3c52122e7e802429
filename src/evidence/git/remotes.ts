/** What the settings of a repository's remotes say of what they keep. Reads only. */
import { resolve } from 'node:path';
import { relativeTo } from '../../core/town/roles.ts';
import { isAbsent } from '../../io/disk/entry-exists.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { tryOr } from '../../io/try-or.ts';

/** These settings, for `git config -z --get-regexp`. */
export const REMOTE_SETTINGS = '^remote\\..*\\.(fetch|url|pushurl)$';

export interface Remotes {
  /** Patterns of the remote-tracking branches of remotes that are configured, those in `vain` excepted. */
  readonly tracked: readonly string[];
  /** Refs besides remote-tracking branches that only a fetch fills (`+refs/pull/*:refs/pull/*`): a remote has them. */
  readonly fetched: readonly string[];
  /** Remotes that keep nothing once this repository is removed, and why. */
  readonly vain: readonly { readonly name: string; readonly why: string }[];
}

/** What forges make for changes that are proposed. Into all others people write too, such as `refs/notes`, and need not push that. */
const FORGE_REFS = /^refs\/(?:pull|pull-requests|merge-requests|changes)\//;

/** What is to be removed together. */
export interface Going {
  /** Absolute. */
  readonly directories: readonly string[];
  /** Real paths of whole repositories in them that were asked before this one: what would be lost with them is told already. */
  readonly answered: Set<string>;
}

/** @param top of the repository, absolute */
export const remotesIn = (settings: string, top: string, going: Going): Remotes => {
  const filled: { readonly name: string; readonly refs: string }[] = [];
  const whyVain = new Map<string, string | null>();
  for (const setting of settings.split('\0')) {
    const [, name = '', key, value = ''] = /^remote\.(.*)\.(\w+)\n(.*)$/s.exec(setting) ?? [];
    if (key === 'fetch') {
      const [, refs] = /:(refs\/.+)$/s.exec(value) ?? [];
      if (refs !== undefined) filled.push({ name, refs });
    } else if (key !== undefined) {
      const why = whyNothingIsKept(value, top, going);
      // One place of several is enough.
      whyVain.set(name, whyVain.get(name) === null ? null : why);
    }
  }
  const kept = [...whyVain].flatMap(([name, why]) => (why === null ? [name] : []));
  const fetched = filled.filter(({ name }) => kept.includes(name)).map(({ refs }) => refs);
  return {
    tracked: [
      ...new Set([
        ...kept.filter((name) => !/[*?[\\]/.test(name)).map((name) => `refs/remotes/${name}/*`),
        ...fetched.filter((refs) => refs.startsWith('refs/remotes/')),
      ]),
    ],
    fetched: fetched.filter((refs) => FORGE_REFS.test(refs)),
    vain: [...whyVain].flatMap(([name, why]) => (why === null ? [] : [{ name, why }])),
  };
};

/**
 * Of a path on this machine; null for anything else, and where something is kept. Where a relative path begins is not certain in the
 * repository of a submodule, so of one nothing follows from an absence.
 */
const whyNothingIsKept = (url: string, top: string, { directories, answered }: Going): string | null => {
  const [, ofUrl, plain = null] = /^(?:file:\/\/(\/.*)|(\.{0,2}\/.*|\.{1,2}))$/s.exec(url) ?? [];
  const path = ofUrl === undefined ? plain : tryOr(() => decodeURIComponent(ofUrl), null);
  if (path === null) return null;
  const given = resolve(top, path);
  const place = isAbsent(given) && !isAbsent(`${given}.git`) ? `${given}.git` : given;
  if (isAbsent(place) && path.startsWith('/')) return `${place} is not there`;
  const real = realOrSame(place);
  const isIn = (directory: string): boolean => relativeTo(realOrSame(directory), real) !== null;
  if (isIn(top)) return 'it lies in this directory';
  return directories.some(isIn) && !answered.has(real) ? `${place} goes too` : null;
};
