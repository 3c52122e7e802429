/** The configuration of a town: one file in its root, as `schema/config.schema.json` describes it. `read-config.ts` reads it. */
import { dirname, join } from 'node:path';
import { relativeTo } from './core/town/roles.ts';
import type { Severity } from './core/types/check.ts';
import { existsSync } from './io/file-systems/servers.ts';

/** A machine that agents of this town work on, and how to reach it. */
export interface MachineConfig {
  /** The command that runs another one there, as an argument vector: `["ssh", "mini2"]`, `["docker", "exec", "-i", "box"]`. */
  readonly reach: readonly string[];
  /** Towns there, as absolute paths; default: the path of the town here. */
  readonly towns?: readonly string[];
  /** True: its town is this directory, through a shared file system. A name: all machines with that name share one directory. */
  readonly shared?: boolean | string;
  /** Host names in locks that it took, besides its name here. */
  readonly hosts?: readonly string[];
  /** The command of the doctor there; default `["doctor"]`. */
  readonly doctor?: readonly string[];
  /** Send the collector through standard input to `node -` there, instead of running an installed doctor. */
  readonly send?: boolean;
}

/** The lease that `exec` holds besides the lock, and that `preflight` reads. */
export interface LeaseConfig {
  /** `etcd://host1:2379,host2:2379/town` */
  readonly address: string;
  /** Seconds. */
  readonly ttl?: number;
  /** `warn`, `stop`, or a command for the shell. */
  readonly onLost?: string;
}

/** What `<town>/lock-doctor.json` may say. Everything is optional; the command line wins. */
export interface Config {
  /** Absolute path of the file, or null where there is none. */
  readonly path: string | null;
  /** Plug-ins: paths relative to the file, or packages. */
  readonly plugins: readonly string[];
  /** Names of agent commands besides the known ones. */
  readonly agents: readonly string[];
  /** Names of commands that are not agents, besides the known ones. */
  readonly bystanders: readonly string[];
  /** Host names that are gone for good, or were this machine's. */
  readonly formerHosts: readonly string[];
  /** tmux servers to ask (names or paths) instead of those that are found. */
  readonly sockets: readonly string[];
  readonly skip: readonly string[];
  /**
   * Kinds of lock by their ids. False switches a kind off; `files` gives the places of kinds that have no places of their own,
   * `options` the kind's own settings.
   */
  readonly kinds: Readonly<Record<string, boolean | KindConfig>>;
  readonly failOn: Severity | null;
  /** Milliseconds per tmux call. */
  readonly timeout: number | null;
  /** The other machines by their names; null where none is named. */
  readonly machines: Readonly<Record<string, MachineConfig>> | null;
  readonly lease: LeaseConfig | null;
  /** What part of the file is ignored, and why, as a sentence fragment; null where all of it counts. */
  readonly passedOver: string | null;
}

/** What the configuration says of one kind. */
interface KindConfig {
  readonly files?: readonly string[];
  readonly options?: Readonly<Record<string, string>>;
}

export const CONFIG_FILE = 'lock-doctor.json';

export const NO_CONFIG: Config = {
  path: null,
  plugins: [],
  agents: [],
  bystanders: [],
  formerHosts: [],
  sockets: [],
  skip: [],
  kinds: {},
  failOn: null,
  timeout: null,
  machines: null,
  lease: null,
  passedOver: null,
};

/**
 * The nearest configuration file between the town's root and `cwd` below it, which a user in `cwd` may expect to count. Null
 * where there is none.
 */
export const unusedConfig = (townRoot: string, cwd: string): string | null => {
  for (let place = cwd; place !== townRoot && relativeTo(townRoot, place) !== null; place = dirname(place)) {
    const path = join(place, CONFIG_FILE);
    if (existsSync(path)) return path;
  }
  return null;
};
