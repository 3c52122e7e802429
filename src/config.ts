/** The configuration of a town: one file in its root, as `schema/config.schema.json` describes it. */
import { dirname, join } from 'node:path';
import { Failure } from './core/failure.ts';
import { relativeTo } from './core/town/roles.ts';
import type { Severity } from './core/types/check.ts';
import type { TownSource } from './core/types/evidence.ts';
import { readNamedFile } from './io/disk/named-file.ts';
import { errnoOf } from './io/errno.ts';
import { existsSync } from './io/file-systems/servers.ts';
import { describeFailure } from './io/programs/describe-failure.ts';
import { distrust } from './io/trust.ts';
import { config as validateConfig } from './schema/compiled/config.ts';
import { problemOf, tellProblem, UNKNOWN } from './schema/problem.ts';

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

const CONFIG_FILE = 'lock-doctor.json';

const EMPTY: Config = {
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

/**
 * Reads the configuration of a town. Only the town root is looked at: agents write inside worker directories, and a
 * file there must not run code. What the trust rule (docs/security.md) does not allow is ignored. Throws `E_CONFIG`
 * with one sentence for anything but a file as documented.
 *
 * @param source how the town was found
 */
export const readConfig = (townRoot: string, source: TownSource = 'flag'): Config => {
  const path = join(townRoot, CONFIG_FILE);
  const text = readConfigText(path);
  return text === null ? EMPTY : allowedPart(parseConfig(text, path), distrust([townRoot, path]), source);
};

/** The text of a configuration file; null where there is none. Throws `E_CONFIG` if it cannot be read. */
export const readConfigText = (path: string): string | null => {
  try {
    return readNamedFile(path).toString('utf8');
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return null;
    throw new Failure('E_CONFIG', `${path} cannot be read: ${describeFailure(cause)}`, null, { cause });
  }
};

/**
 * The part of the file that counts. If somebody else can write it, only `agents`: more names mean more caution. If the town is
 * just the working directory, which may be a worker's, the file may not run anything (plug-ins, commands that reach other
 * machines) nor name a server.
 */
const allowedPart = (config: Config, fault: string | null, source: TownSource): Config => {
  if (fault !== null) {
    const { path, agents, ...rest } = config;
    const saysMore = Object.values(rest).some(
      (value) => value !== null && (typeof value !== 'object' || Object.keys(value).length > 0),
    );
    return { ...EMPTY, path, agents, passedOver: saysMore ? `only its "agents" count: ${fault}` : null };
  }
  if (source !== 'cwd') return config;
  const unsafe = [
    ...(config.plugins.length > 0 ? ['its plug-ins were not loaded'] : []),
    ...(config.machines !== null ? ['its machines were not asked'] : []),
    ...(config.lease !== null ? ['its lease was not used'] : []),
  ];
  if (unsafe.length === 0) return config;
  const passedOver = `${unsafe.join(', and ')}: nobody named this directory as the town`;
  return { ...config, plugins: [], machines: null, lease: null, passedOver };
};

const KEYS = Object.keys(EMPTY).filter((key) => key !== 'path' && key !== 'passedOver');

/** The values of a configuration file's text. Throws `E_CONFIG` as `readConfig` does; `path` is for the messages. */
export const parseConfig = (text: string, path: string): Config => {
  let document: unknown;
  try {
    document = JSON.parse(withoutComments(text));
  } catch (cause) {
    throw new Failure('E_CONFIG', `${path} is not JSON: ${(cause as Error).message}`, null, { cause });
  }
  const problem = problemOf(validateConfig, document);
  if (problem !== null)
    throw new Failure(
      'E_CONFIG',
      `${path}: ${tellProblem(problem)}`,
      problem.what === UNKNOWN ? `Known keys: ${KEYS.join(', ')}.` : null,
    );
  const { $schema: _, ...values } = document as Partial<Config> & { readonly $schema?: string };
  return { ...EMPTY, ...values, path };
};

const STRING_OR_COMMENT = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/**
 * The text with its comments (`//` to the end of a line, or between slashes and stars) replaced by spaces, so that positions in
 * error messages stay right. Text inside strings is left alone. Nothing else is changed: other invalid JSON stays invalid.
 */
const withoutComments = (text: string): string =>
  text.replace(STRING_OR_COMMENT, (piece) => (piece.startsWith('"') ? piece : piece.replace(/[^\n]/g, ' ')));
