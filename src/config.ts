import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './core/failure.ts';
import { SEVERITIES, type Severity } from './core/types/check.ts';

/** What `<town>/lock-doctor.json` may say. Everything is optional; the command line wins. */
export interface Config {
  /** Absolute path of the file, or null where there is none. */
  readonly path: string | null;
  /** Plug-ins: paths relative to the file, or packages. */
  readonly plugins: readonly string[];
  /** Names of agent commands besides the known ones. */
  readonly agents: readonly string[];
  /** tmux servers to ask (names or paths) in place of those that are found. */
  readonly sockets: readonly string[];
  readonly skip: readonly string[];
  readonly failOn: Severity | null;
  /** Milliseconds per tmux call. */
  readonly timeout: number | null;
}

const CONFIG_FILE = 'lock-doctor.json';

const MAX_BYTES = 1024 * 1024;

const EMPTY: Config = {
  path: null,
  plugins: [],
  agents: [],
  sockets: [],
  skip: [],
  failOn: null,
  timeout: null,
};

/**
 * Reads the configuration of a town. Only the town root is looked at: agents write inside worker directories, and a
 * file there must not run code. Throws `E_CONFIG` with one sentence for anything but a file as documented.
 */
export const readConfig = (townRoot: string): Config => {
  const path = join(townRoot, CONFIG_FILE);
  let text: string;
  try {
    // Asked first: opening a FIFO of that name would wait for ever.
    const stats = statSync(path);
    if (!stats.isFile()) throw new Error('it is no regular file');
    if (stats.size > MAX_BYTES) throw new Error('it is larger than 1 MiB');
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return EMPTY;
    throw new Failure('E_CONFIG', `${path} cannot be read: ${(cause as Error).message}`, null, { cause });
  }
  return parseConfig(text, path);
};

/** The values of a configuration file's text. Throws `E_CONFIG` as `readConfig` does; `path` is for the messages. */
export const parseConfig = (text: string, path: string): Config => {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new Failure('E_CONFIG', `${path} is not JSON: ${(cause as Error).message}`, null, { cause });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new Failure('E_CONFIG', `${path} must hold one JSON object`);
  const draft: Draft = { ...EMPTY, path };
  for (const [key, value] of Object.entries(document)) {
    const reader = Object.hasOwn(READERS, key) ? READERS[key] : undefined;
    if (reader === undefined)
      throw new Failure(
        'E_CONFIG',
        `${path}: unknown key "${key}"`,
        `Known keys: ${Object.keys(READERS)
          .filter((known) => known !== '$schema')
          .join(', ')}.`,
      );
    const problem = reader(draft, value);
    if (problem !== null) throw new Failure('E_CONFIG', `${path}: "${key}" must be ${problem}`);
  }
  return draft;
};

type Draft = { -readonly [Key in keyof Config]: Config[Key] };

/** Each puts its value into the draft, or says what the value should have been. */
const READERS: Readonly<Record<string, (draft: Draft, value: unknown) => string | null>> = {
  $schema: (_draft, value) => (typeof value === 'string' ? null : 'text'),
  plugins: (draft, value) => readList(value, (list) => (draft.plugins = list)),
  agents: (draft, value) => readList(value, (list) => (draft.agents = list)),
  sockets: (draft, value) => readList(value, (list) => (draft.sockets = list)),
  skip: (draft, value) => readList(value, (list) => (draft.skip = list)),
  failOn: (draft, value) => {
    const severity = SEVERITIES.find((known) => known === value);
    if (severity === undefined) return `one of ${SEVERITIES.join(', ')}`;
    draft.failOn = severity;
    return null;
  },
  timeout: (draft, value) => {
    if (typeof value !== 'number' || !isTimeout(value)) return TIMEOUT_RULE;
    draft.timeout = value;
    return null;
  },
};

/** Node's timers hold 31 bits: a longer one would fire at once. */
export const isTimeout = (ms: number): boolean => Number.isInteger(ms) && ms >= 1 && ms <= 2 ** 31 - 1;
export const TIMEOUT_RULE = 'a whole number of milliseconds, at least 1';

const readList = (value: unknown, store: (list: readonly string[]) => unknown): string | null => {
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string' && entry !== ''))
    return 'a list of non-empty texts';
  store(value as readonly string[]);
  return null;
};

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
