/**
 * When this kernel and this container were started: the holder of a lock that is clearly older is gone (Linux only).
 *
 * A start that is worked out from a counter (`now - uptime`) moves with every step of the clock, and stands still while a
 * virtual machine is paused: a laptop that slept for a night makes WSL2 and Docker Desktop look started this morning,
 * and yesterday's locks older than that, although their agents are alive. So a start is believed only where a file was
 * stamped at that moment by the clock that also stamps locks, and the earlier of the two times is taken. A stamp that is later
 * than the counter says was made by something else: then nothing is concluded.
 */
import { statSync } from 'node:fs';
import { LATE_MS } from '../core/pid.ts';
import { isContainerId } from '../core/town/host-names.ts';
import type { HostFacts } from '../core/types/evidence.ts';
import { tryOr } from '../io/try-or.ts';
import { readNamespace, readProcText } from './processes/linux/proc-files.ts';

/** One line of `/proc/self/mountinfo` (proc(5)), as far as it is needed. */
export interface MountPoint {
  /** The part of the file system that is mounted: `/` for all of it. */
  readonly root: string;
  readonly place: string;
  readonly type: string;
  readonly source: string;
}

/** The places whose mounts are needed. */
const PLACES = ['/', '/dev', '/dev/null', '/etc/hostname'];

/** Reads the few needed lines of mountinfo, in their order: a later mount hides an earlier one of the same place. */
export const parseMounts = (text: string): readonly MountPoint[] =>
  text.split('\n').flatMap((line) => {
    // A machine with containers has hundreds of others.
    const [, , , root, place = ''] = line.split(' ', 5);
    if (root === undefined || !PLACES.includes(place)) return [];
    const [type = '', source = ''] = line.split(' - ', 2)[1]?.split(' ') ?? [];
    return [{ root, place, type, source }];
  });

const mountAt = (mounts: readonly MountPoint[], place: string): MountPoint | undefined =>
  mounts.findLast((mount) => mount.place === place);

const earlier = (stampMs: number | null, counterMs: number | null): number | null =>
  stampMs === null || counterMs === null || stampMs > counterMs + LATE_MS
    ? null
    : Math.min(stampMs, counterMs);

/** What the start of a container is derived from. */
export interface ContainerSigns {
  readonly hostname: string;
  readonly mounts: readonly MountPoint[];
  /** Our UTS namespace is the first one: our host name is the machine's, whatever the container. Null where that is hidden. */
  readonly sharesHostname: boolean | null;
  /** The town is on the file system that is mounted at `/`. */
  readonly townIsOnRoot: boolean;
  /** When the runtime wrote `/etc/hostname`. */
  readonly stampMs: number | null;
  /** When process 1 of our PID namespace started, by the counter. */
  readonly processOneMs: number | null;
  /** The kernel's name for it. */
  readonly processOne: string;
}

/**
 * The start of the container that we are in, or null. It applies to all processes under our host name only
 * where that name is the container's alone: a container id, or any name of its own where the town is on the
 * container's private (overlay) root. Then whoever took a lock under that name ran in this container and ended with it.
 * `/etc/hostname`, which the runtime writes at each start, is the stamp; a sandbox within the container (bwrap,
 * `unshare`) has a younger process 1 and the same file, and containers that share a host name share the file of the first.
 * Where no runtime mounted that file, as below `unshare` on a host, the holder may well live outside: null.
 */
export const containerStart = (signs: ContainerSigns): number | null => {
  const { hostname, mounts, sharesHostname, townIsOnRoot, stampMs, processOneMs } = signs;
  if (sharesHostname !== false || mountAt(mounts, '/etc/hostname') === undefined) return null;
  const rootIsPrivate = townIsOnRoot && (mountAt(mounts, '/')?.type ?? '').includes('overlay');
  return isContainerId(hostname) || rootIsPrivate ? earlier(stampMs, processOneMs) : null;
};

/** A container's process 1 starts within this much of its stamp; a sandbox is made in it later. */
const WITH_CONTAINER_MS = 10_000;

/** Names of init programs (systemd, OpenRC, busybox): no sandbox starts one. */
const INITS: readonly string[] = ['init', 'systemd'];

/**
 * True where whoever took a lock under our host name is numbered in our PID namespace: in a container that alone has the
 * name, by the rule for its start, and whose process 1 is ours and not a sandbox's; or in one that boots like a machine (LXC,
 * systemd-nspawn) and keeps the town on its own root.
 */
export const numbersAreOurs = (signs: ContainerSigns): boolean => {
  const { stampMs, processOneMs, processOne, sharesHostname, townIsOnRoot } = signs;
  if (sharesHostname === false && townIsOnRoot && INITS.includes(processOne)) return true;
  if (containerStart(signs) === null || stampMs === null || processOneMs === null) return false;
  return Math.abs(processOneMs - stampMs) <= WITH_CONTAINER_MS;
};

/**
 * Where processes that our PID namespace hides may work in the town: outside of a sandbox, which has the files of
 * its machine, or outside of a container that shares the town with others. Null in a container that has the town for itself.
 * No runtime made a sandbox: it bears its machine's name, or nobody mounted an `/etc/hostname` for it.
 */
export const unseenOutside = (signs: ContainerSigns): NonNullable<HostFacts['unseenOutside']> | null => {
  const { mounts, processOne, sharesHostname, townIsOnRoot } = signs;
  if (townIsOnRoot && numbersAreOurs(signs)) return null;
  if (INITS.includes(processOne) || sharesHostname === null) return 'container';
  return sharesHostname || mountAt(mounts, '/etc/hostname') === undefined ? 'sandbox' : 'container';
};

/**
 * The start of this kernel, or null. `/dev/null` of a devtmpfs is made when the kernel starts and shared by all. A Docker
 * container makes its own, which says nothing about the kernel.
 */
export const kernelStart = (
  mounts: readonly MountPoint[],
  stampMs: number | null,
  counterMs: number | null,
): number | null => {
  const mount = mountAt(mounts, '/dev/null') ?? mountAt(mounts, '/dev');
  return mount?.type === 'devtmpfs' ? earlier(stampMs, counterMs) : null;
};

/** What tells a distribution of WSL2 from a container that runs on it. */
export interface WslSigns {
  /** `/proc/sys/kernel/osrelease` */
  readonly release: string;
  /** The kernel's name for process 1. */
  readonly processOne: string;
  readonly mounts: readonly MountPoint[];
  readonly townIsOnRoot: boolean;
}

/**
 * Each distribution of WSL2 has a PID namespace of its own, and is a machine to its user: where process 1 is its init,
 * `/` is a disk of its own and the town lies there (and not on a drive of Windows, which all distributions and Windows
 * itself share), whoever takes a lock in the town is numbered here.
 */
export const isWslMachine = ({ release, processOne, mounts, townIsOnRoot }: WslSigns): boolean => {
  const root = mountAt(mounts, '/');
  return (
    release.toLowerCase().includes('microsoft') &&
    INITS.includes(processOne) &&
    townIsOnRoot &&
    root?.root === '/' &&
    root.source.startsWith('/dev/')
  );
};

/** The first UTS namespace of a Linux kernel always has this number (PROC_UTS_INIT_INO in its sources). */
const INITIAL_UTS_NAMESPACE = 'uts:[4026531838]';

/** Process 1 of our PID namespace, as the process table shows it. */
export interface ProcessOne {
  readonly comm: string;
  readonly startedAtMs: number | null;
}

/** The host facts with the starts that count for this town, and with who cannot be seen. Reads a few files; whatever cannot be read proves nothing. */
export const withStarts = (host: HostFacts, town: string, processOne: ProcessOne | null): HostFacts => {
  if (host.platform !== 'linux') return host;
  const mounts = parseMounts(readProcText('/proc/self/mountinfo'));
  const uptime = Number.parseFloat(readProcText('/proc/uptime'));
  const counterMs = Number.isFinite(uptime) ? Date.now() - uptime * 1000 : null;
  const bootedAtMs = kernelStart(mounts, statOf('/dev/null')?.ctimeMs ?? null, counterMs);
  if (host.initialPidNamespace === true) return { ...host, bootedAtMs };
  const townIsOnRoot = statOf(town)?.dev === statOf('/')?.dev;
  const release = readProcText('/proc/sys/kernel/osrelease');
  if (isWslMachine({ release, processOne: processOne?.comm ?? '', mounts, townIsOnRoot }))
    return { ...host, initialPidNamespace: true, bootedAtMs };
  const uts = readNamespace('/proc/self/ns/uts');
  const signs: ContainerSigns = {
    hostname: host.hostname,
    mounts,
    sharesHostname: uts === null ? null : uts === INITIAL_UTS_NAMESPACE,
    townIsOnRoot,
    stampMs: statOf('/etc/hostname')?.mtimeMs ?? null,
    processOneMs: processOne?.startedAtMs ?? null,
    processOne: processOne?.comm ?? '',
  };
  const outside = unseenOutside(signs);
  return {
    ...host,
    bootedAtMs,
    containerStartedAtMs: containerStart(signs),
    numbersAreOurs: numbersAreOurs(signs),
    ...(outside === null ? {} : { unseenOutside: outside }),
  };
};

const statOf = (path: string) => tryOr(() => statSync(path, { throwIfNoEntry: false }), undefined);
