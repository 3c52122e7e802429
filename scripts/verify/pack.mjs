// Packs what npm would publish.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Parses the output of `npm pack --json`: npm 12 prints an object by name, older releases a list. */
export const readPacked = (text) => {
  const [{ filename, files }] = Object.values(JSON.parse(text));
  return { filename, files: files.map(({ path }) => path) };
};

/** Writes the tarball into the directory; returns its path and the files in it. dist/ is packed as it is. */
export const packInto = (directory) => {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory];
  const text = execFileSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const { filename, files } = readPacked(text);
  return { path: join(directory, filename), files };
};
