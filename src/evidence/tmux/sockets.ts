/** Finds sockets on which tmux servers may listen. Looks at them only: never connects, never makes a directory. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { TmuxServer } from '../../core/types/evidence.ts';
import { sha256Hex } from '../../io/disk/digest.ts';
import { realOrSame } from '../../io/disk/real-path.ts';
import { describeErrno, isAbsence } from '../../io/errno.ts';
import { socketInTmuxVariable } from '../host.ts';

type Origin = TmuxServer['origin'];

/** A socket name that a version of Gas Town uses for this town. */
export interface SocketName {
  readonly name: string;
  readonly origin: 'town' | 'legacy' | 'default';
}

/** A path at which a server may listen. */
export interface SocketCandidate {
  /** Absolute; symlinks resolved where it exists. */
  readonly path: string;
  readonly origin: Origin;
  /** `none`: nothing listens there for certain; `closed`: we may not look. */
  readonly presence: 'socket' | 'none' | 'closed';
  readonly why: string | null;
  /** The user whose sockets a closed directory holds; null for a single socket. */
  readonly uid: number | null;
}

export interface SocketQuestion {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Users whose servers count: the caller first, then the owners of the town and its locks. */
  readonly uids: readonly number[];
  /** Town root, symlinks resolved. */
  readonly root: string;
  /** Other absolute names of the root. */
  readonly aliases: readonly string[];
  /** `--socket`: names or paths; they replace all others. */
  readonly sockets: readonly string[];
}

/**
 * The names under which Gas Town runs a town's tmux server: since v0.13 `sanitize(basename)-sha256(realpath)[:6]`,
 * before that the plain base name, and tmux's own default. The base name is that of the path as it was given, which
 * may be a symlink, so there can be several.
 */
export const townSocketNames = (root: string, aliases: readonly string[] = []): readonly SocketName[] => {
  const digest = sha256Hex(root).slice(0, 6);
  const own = baseNames(root, aliases).map((base) => ({
    name: `${base}-${digest}`,
    origin: 'town' as const,
  }));
  return [...own, ...olderSocketNames(root, aliases)];
};

/** What a name with a digest looks like. */
const WITH_DIGEST = /-[0-9a-f]{6}$/;

const baseNames = (root: string, aliases: readonly string[]): readonly string[] => [
  ...new Set([root, ...aliases].map((path) => sanitize(basename(path)))),
];

const olderSocketNames = (root: string, aliases: readonly string[]): readonly SocketName[] => [
  ...baseNames(root, aliases)
    .filter((base) => base !== 'default')
    .map((name) => ({ name, origin: 'legacy' as const })),
  { name: 'default', origin: 'default' },
];

const sanitize = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '') || 'default';

/**
 * All places to ask, each socket once. Named ones (`--socket`, the environment) are listed even where nothing is there; of the
 * others, those that exist, and closed directories that may hold sockets.
 */
export const socketCandidates = (question: SocketQuestion): readonly SocketCandidate[] => {
  const directories = socketDirectories(question);
  const candidates =
    question.sockets.length > 0 ? fromFlags(question, directories) : fromHabit(question, directories);
  const unique = new Map<string, SocketCandidate>();
  const inodes = new Set<string>();
  for (const { inode, ...candidate } of candidates) {
    const wasNamed = candidate.origin === 'flag' || candidate.origin === 'env';
    if (unique.has(candidate.path) || (candidate.presence === 'none' && !wasNamed)) continue;
    if (inode !== null && inodes.has(inode)) continue;
    if (inode !== null) inodes.add(inode);
    unique.set(candidate.path, candidate);
  }
  return [...unique.values()];
};

/** `inode`: device and inode number of a socket, the same under each of its names. */
interface FoundSocket extends SocketCandidate {
  readonly inode: string | null;
}

const fromFlags = (
  { sockets }: SocketQuestion,
  directories: readonly SocketDirectory[],
): readonly FoundSocket[] => sockets.flatMap((socket) => socketsNamed(socket, 'flag', directories));

const fromHabit = (
  question: SocketQuestion,
  directories: readonly SocketDirectory[],
): readonly FoundSocket[] => {
  const { env, root, aliases } = question;
  const override = env.GT_TMUX_SOCKET ?? '';
  const inside = socketInTmuxVariable(env.TMUX);
  const listed = directories.flatMap(listDirectory);
  // The digest is computed only where a socket's name could be this town's own.
  const mayHaveOwn = listed.some(({ presence, path }) => presence === 'closed' || WITH_DIGEST.test(path));
  const names = mayHaveOwn ? townSocketNames(root, aliases) : olderSocketNames(root, aliases);
  return [
    ...(['', 'default', 'auto'].includes(override) ? [] : socketsNamed(override, 'env', directories)),
    ...(inside === null ? [] : [socketAt(inside, 'env')]),
    ...names.flatMap(({ name, origin }) =>
      directories
        .map(({ path }) => socketAt(join(path, name), origin))
        .filter(({ presence }) => presence === 'socket'),
    ),
    ...listed,
  ];
};

/** A path means itself; a name means the sockets of that name, or the first place where one could be. */
const socketsNamed = (
  socket: string,
  origin: Origin,
  directories: readonly SocketDirectory[],
): readonly FoundSocket[] => {
  if (socket.includes('/')) return [socketAt(resolve(socket), origin)];
  const places = directories.map(({ path }) => socketAt(join(path, socket), origin));
  const present = places.filter(({ presence }) => presence !== 'none');
  return present.length > 0 ? present : places.slice(0, 1);
};

const listDirectory = ({ path, uid }: SocketDirectory): readonly FoundSocket[] => {
  try {
    return readdirSync(path).map((name) => socketAt(join(path, name), 'directory'));
  } catch (error) {
    if (isAbsence(error)) return [];
    return [{ path, origin: 'directory', presence: 'closed', why: describeErrno(error), uid, inode: null }];
  }
};

interface SocketDirectory {
  readonly path: string;
  readonly uid: number;
}

/** tmux's own places: `$TMUX_TMPDIR/tmux-UID` and `/tmp/tmux-UID`. */
const socketDirectories = ({ env, uids }: SocketQuestion): readonly SocketDirectory[] => {
  const bases = [env.TMUX_TMPDIR ?? '', '/tmp'].filter((base) => base !== '');
  const directories = uids.flatMap((uid) =>
    bases.map((base) => ({ path: realOrSame(resolve(base, `tmux-${uid}`)), uid })),
  );
  return [...new Map(directories.map((directory) => [directory.path, directory])).values()];
};

/** Looks at one place. Nothing can listen on a file that is not a socket. */
const socketAt = (place: string, origin: Origin): FoundSocket => {
  const at = { origin, why: null, uid: null, inode: null };
  try {
    const stats = statSync(place, { throwIfNoEntry: false });
    if (!stats?.isSocket()) return { ...at, path: place, presence: 'none' };
    return { ...at, path: realOrSame(place), presence: 'socket', inode: `${stats.dev}:${stats.ino}` };
  } catch (error) {
    if (isAbsence(error)) return { ...at, path: place, presence: 'none' };
    return { ...at, path: realOrSame(place), presence: 'closed', why: describeErrno(error) };
  }
};
