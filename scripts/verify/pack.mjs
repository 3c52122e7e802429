// Packs what npm would publish.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** What `npm pack --json` says of the one package: npm 12 prints an object by names, older ones a list. */
export const readPacked = (text) => {
  const [{ filename, files }] = Object.values(JSON.parse(text));
  return { filename, files: files.map(({ path }) => path) };
};

/** Writes the tarball into the directory and answers its path and the files in it. dist/ is taken as it is. */
export const packInto = (directory) => {
  const words = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory];
  const text = execFileSync('npm', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const { filename, files } = readPacked(text);
  return { path: join(directory, filename), files };
};
