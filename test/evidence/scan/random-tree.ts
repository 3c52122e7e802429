import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';

/** Usual names and unexpected ones, as bytes if they are not UTF-8. */
const NAMES: readonly (string | Buffer)[] = [
  'src',
  'crew',
  'node_modules',
  '.hidden',
  '..two-dots',
  '.git',
  '.repo.git',
  '.dolt-data',
  '.gitignore.d',
  '.runtime',
  '.gastown',
  'runtime',
  'agent.lock',
  '町',
  'Zoë',
  'Zoe\u0308',
  '\u{1f512}',
  'has \ufffd in it',
  'with space',
  'new\nline',
  '-rf',
  '*',
  'quote\'"',
  'back\\slash',
  Buffer.from([0x63, 0x61, 0x66, 0xe9]),
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0x2e, 0xc3]),
  Buffer.from([0xed, 0xa0, 0x80]),
];

/**
 * Creates a tree of some hundred directories below `root`, always the same for one seed: locks of every file type in
 * likely and unlikely places, symlinked directories, leaves, and names that are not text.
 */
export const growTree = (root: string, seed: number): void => {
  const random = generator(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const join = (directory: Buffer, name: string | Buffer): Buffer =>
    Buffer.concat([directory, Buffer.from('/'), Buffer.from(name as string)]);
  const attempt = (make: () => void): void => {
    try {
      make();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  };
  const addLock = (home: Buffer): void => {
    const path = join(home, 'agent.lock');
    const kind = random();
    if (kind < 0.6) attempt(() => writeFileSync(path, '{}', { flag: 'wx' }));
    else if (kind < 0.7) attempt(() => mkdirSync(path));
    else if (kind < 0.8) attempt(() => symlinkSync('/nowhere', path));
    else if (kind < 0.9) attempt(() => symlinkSync('..', path));
    else writeFileSync(join(home, 'agent.lock.tmp'), '');
  };
  const grow = (directory: Buffer, depth: number): void => {
    mkdirSync(directory, { recursive: true });
    for (let index = Math.floor(random() * 4); index > 0; index--)
      writeFileSync(join(directory, `file${index}`), '');
    if (random() < 0.4) {
      const home = join(directory, pick(['.runtime', '.runtime', '.gastown']));
      mkdirSync(home, { recursive: true });
      addLock(home);
    }
    if (random() < 0.1) attempt(() => symlinkSync(pick([root, '.', '/nowhere']), join(directory, 'link')));
    if (random() < 0.05) attempt(() => symlinkSync(root, join(directory, '.runtime')));
    if (depth === 0) return;
    for (const name of new Set([pick(NAMES), pick(NAMES), pick(NAMES)])) {
      if (random() < 0.8) attempt(() => grow(join(directory, name), depth - 1));
    }
  };
  grow(Buffer.from(root), 6);
  execFileSync('mkfifo', [`${root}/fifo`]);
  mkdirSync(`${root}/pipes/.runtime`, { recursive: true });
  execFileSync('mkfifo', [`${root}/pipes/.runtime/agent.lock`]);
};

/** A small linear congruential generator (constants of Numerical Recipes): numbers in [0, 1). */
const generator = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};
