// How the scripts here create mount and PID namespaces: as root, or as an ordinary user in a user namespace, if the kernel allows
// that.
const uid = process.geteuid?.();
const gid = process.getegid?.();

/** Arguments of unshare(1), after which mount(8) works. An ordinary user must be root of a user namespace for that. */
export const MAY_MOUNT = uid === 0 ? ['--mount'] : ['--user', '--map-root-user', '--mount'];

/**
 * Put before a command in there, runs it as the caller again, and without any capability. In a user namespace the files of root
 * seem to be nobody's: swc would take `/` for a directory that a stranger can change, and not load its cached addon below it.
 */
export const AS_CALLER =
  uid === 0
    ? []
    : [
        ...['env', 'SWC_NATIVE_BINDING_CACHE_SKIP_SECURITY_CHECK=1'],
        ...['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`],
      ];
