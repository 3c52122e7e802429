/** Reads the configuration of a town. A part of its own, because only towns with such a file need it. */
import { join } from 'node:path';
import { CONFIG_FILE, type Config, NO_CONFIG } from './config.ts';
import { Failure } from './core/failure.ts';
import { canBeTaught } from './core/programs/by-name.ts';
import type { TownSource } from './core/types/evidence.ts';
import { readNamedFile } from './io/disk/named-file.ts';
import { errnoOf } from './io/errno.ts';
import { describeFailure } from './io/programs/describe-failure.ts';
import { distrust } from './io/trust.ts';
import { config as validateConfig } from './schema/compiled/config.ts';
import { problemOf, tellProblem, UNKNOWN } from './schema/problem.ts';

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
  return text === null ? NO_CONFIG : allowedPart(parseConfig(text, path), distrust([townRoot, path]), source);
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
    return { ...NO_CONFIG, path, agents, passedOver: saysMore ? `only its "agents" count: ${fault}` : null };
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

const KEYS = Object.keys(NO_CONFIG).filter((key) => key !== 'path' && key !== 'passedOver');

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
  const nameless = values.bystanders?.find((word) => !canBeTaught(word));
  if (nameless !== undefined)
    throw new Failure(
      'E_CONFIG',
      `${path}: "bystanders" must not name ${JSON.stringify(nameless)}: whatever it runs may be an agent`,
      'Put the code into a script, and name that.',
    );
  return { ...NO_CONFIG, ...values, path };
};

const STRING_OR_COMMENT = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/**
 * The text with its comments (`//` to the end of a line, or between slashes and stars) replaced by spaces, so that positions in
 * error messages stay right. Text inside strings is left alone. Nothing else is changed: other invalid JSON stays invalid.
 */
const withoutComments = (text: string): string =>
  text.replace(STRING_OR_COMMENT, (piece) => (piece.startsWith('"') ? piece : piece.replace(/[^\n]/g, ' ')));
