/** Reads each system's table of mounts. Pure. */

/**
 * The file system's type by name (`fuse.sshfs`) of every mounted device, from `/proc/self/mountinfo`
 * (proc_pid_mountinfo(5)). The devices are named as `deviceNumber` does; the first line of each counts.
 */
export const typesOfDevices = (mountInfo: string): ReadonlyMap<string, string> => {
  const types = new Map<string, string>();
  for (const line of mountInfo.split('\n')) {
    // Paths have their spaces escaped; a lone dash ends the optional fields.
    const fields = line.split(' ');
    const [, , device] = fields;
    const type = fields[fields.indexOf('-', 6) + 1];
    if (device !== undefined && type !== undefined && !types.has(device)) types.set(device, type);
  }
  return types;
};

/** `254:1`, major and minor, as the kernel's lists write it in decimal numbers. */
export const deviceNumber = (device: bigint): string => `${majorOf(device)}:${minorOf(device)}`;

/** As glibc's gnu_dev_major and gnu_dev_minor. */
const majorOf = (device: bigint): bigint => ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
const minorOf = (device: bigint): bigint => (device & 0xffn) | ((device >> 12n) & 0xffffff00n);

/**
 * True where no directory can have one name in or around `tree` and another around `path`, by Linux' `/proc/self/mountinfo`: none of
 * the mounts that the one lies in shows a file system that the other lies in by another mount. Both are absolute and have no symlink
 * in them. Bind mounts of the same file system make it false, and so do several subvolumes of one btrfs.
 */
export const areApart = (mountInfo: string, path: string, tree: string): boolean => {
  const around: Mount[] = [];
  const ofTree: Mount[] = [];
  let hasRoot = false;
  for (const line of mountInfo.split('\n')) {
    const [id, , device, , escaped] = line.split(' ', 5);
    if (id === undefined || device === undefined || escaped === undefined) continue;
    const at = unescaped(escaped);
    if (at === '/') hasRoot = true;
    if (isAround(at, path)) around.push({ id, device });
    if (isAround(at, tree) || isAround(tree, at)) ofTree.push({ id, device });
  }
  // Without the root the list leaves out what lies around some paths: we are in a chroot.
  return (
    hasRoot &&
    around.every((one) => ofTree.every((other) => one.id === other.id || one.device !== other.device))
  );
};

interface Mount {
  readonly id: string;
  /** Of the file system, `254:1`. */
  readonly device: string;
}

/** Where a directory lies, whatever it is called: on which file system (`254:1`), at which path in it, and where a mount shows it. */
export interface ShownPlace {
  readonly device: string;
  readonly path: string;
  readonly at: string;
}

/**
 * The places of these directories and of everything that is mounted in them, by `/proc/self/mountinfo`; null where the list does not
 * tell, as in a chroot. All are absolute and have no symlink in them.
 */
export const diskPlacesOf = (mountInfo: string, trees: readonly string[]): readonly ShownPlace[] | null => {
  const mounts = shownPlaces(mountInfo);
  const places: ShownPlace[] = [];
  for (const tree of trees) {
    let around: ShownPlace | null = null;
    for (const mount of mounts)
      if (!isAround(mount.at, tree)) {
        if (isAround(tree, mount.at)) places.push(mount);
        // The deepest mount counts, and the last of several at one place.
      } else if (around === null || mount.at.length >= around.at.length) around = mount;
    if (around === null) return null;
    places.push({ device: around.device, path: moved(tree, around.at, around.path), at: tree });
  }
  return places;
};

/**
 * How a process that has these mounts (`/proc/<pid>/mountinfo`) knows these places or parts of them: its path → ours; null where the
 * list does not tell.
 */
export const mountedNamesOf = (
  mountInfo: string,
  places: readonly ShownPlace[],
): ReadonlyMap<string, string> | null => {
  const names = new Map<string, string>();
  let hasRoot = false;
  for (const { device, path, at } of shownPlaces(mountInfo)) {
    if (at === '/') hasRoot = true;
    for (const place of places) {
      if (place.device !== device) continue;
      if (isAround(path, place.path)) names.set(moved(place.path, path, at), place.at);
      else if (isAround(place.path, path)) names.set(at, moved(path, place.path, place.at));
    }
  }
  return hasRoot ? names : null;
};

/** Every mount of `/proc/<pid>/mountinfo`, in its order. */
export const shownPlaces = (mountInfo: string): readonly ShownPlace[] =>
  mountInfo.split('\n').flatMap((line) => {
    const [, , device, path, at] = line.split(' ', 5);
    return device === undefined || path === undefined || at === undefined
      ? []
      : [{ device, path: unescaped(path), at: unescaped(at) }];
  });

/** Paths have blanks, tabs, line breaks and backslashes escaped. */
const unescaped = (path: string): string =>
  path.includes('\\')
    ? path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
    : path;

/** The same path below `to` as `path` has below `from`. */
const moved = (path: string, from: string, to: string): string => {
  const below = from === '/' ? path : path.slice(from.length);
  return to === '/' ? below || '/' : below === '/' ? to : to + below;
};

export interface MacMount {
  /** `apfs`, `smbfs`. */
  readonly type: string;
  /** Local to this machine by the kernel's word (MNT_LOCAL). */
  readonly isLocal: boolean;
}

/**
 * The mount that contains a path, from what macOS' mount(8) prints: `//ann@server/share on /Volumes/share (smbfs, nodev,
 * mounted by ann)`. Null where none is listed. `path` has no symlink in it.
 */
export const mountAround = (mounts: string, path: string): MacMount | null => {
  let found: (MacMount & { readonly at: string }) | null = null;
  for (const line of mounts.split('\n')) {
    const [, at, flags] = /^.*? on (\/.*) \(([^()]*)\)$/.exec(line) ?? [];
    if (at === undefined || flags === undefined || !isAround(at, path)) continue;
    // The deepest mount counts, and the last of several at one place.
    if (found !== null && at.length < found.at.length) continue;
    const [type = '', ...rest] = flags.split(', ');
    found = { at, type, isLocal: rest.includes('local') };
  }
  return found === null ? null : { type: found.type, isLocal: found.isLocal };
};

/** True where `path` is this directory or lies below it. */
export const isAround = (directory: string, path: string): boolean =>
  directory === '/' || path === directory || path.startsWith(`${directory}/`);
