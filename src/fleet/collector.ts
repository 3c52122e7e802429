/**
 * The one-file collector, sent to `node -` on a machine that has no doctor: gathers the evidence of a town there and writes it
 * to standard output. It judges nothing and writes nothing else.
 */
import { hostname } from 'node:os';
import { messageOf } from '../core/failure.ts';
import { tableFor } from '../kinds-of.ts';
import { look, townOf } from '../look.ts';
import { readConfig } from '../read-config.ts';
import { VERSION } from '../version.ts';

const wordAfter = (words: readonly string[], option: string): string | undefined => {
  const at = words.indexOf(option);
  return at < 0 ? undefined : words[at + 1];
};

/** The releases of Node that package.json allows. */
const isKnownNode = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return (major === 20 && minor >= 19) || (major === 22 && minor >= 3) || major > 22;
};

const collect = async (words: readonly string[]): Promise<object> => {
  const { node } = process.versions;
  if (!isKnownNode(node))
    return { failure: `its Node is ${node}: 20.19, or 22.3 and newer, can collect evidence` };
  if (words.includes('--about'))
    return { host: hostname(), version: VERSION, clock: new Date().toISOString() };
  const scan = words.includes('--deep') ? 'deep' : words.includes('--quick') ? 'quick' : 'default';
  const town = townOf(wordAfter(words, '--town'), {});
  const config = readConfig(town.root, town.source);
  const snapshot = await look(town, scan, [], { table: tableFor(config, town) }, config);
  return { ...snapshot, version: VERSION };
};

/** Asks, and answers with one JSON document whatever happens: `failure` says what went wrong. */
const main = async (): Promise<void> => {
  const words = process.argv.slice(2);
  const document = await collect(words).catch((error: unknown) => ({
    failure: messageOf(error),
  }));
  process.stdout.write(`${JSON.stringify(document)}\n`);
};

void main();
