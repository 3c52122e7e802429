// Makes a town to measure on: rigs of full clones with .git, node_modules and nested sources, as agents leave them. The same
// arguments always give the same tree. Files that nothing reads are names of one empty file: a third of the time to make and remove.
//
//   node bench/make-town.mjs DIR small|medium|large|locks-50|locks-1000|locks-10000
import { linkSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';

const TAKEN_AT = new Date('2026-03-29T12:33:08.793Z');

/** Some file systems allow no more names of a file: ext4 65,000, btrfs 65,535. */
const MAX_NAMES = 60_000;

/** Rigs, workers in each, and packages in the node_modules of each worker; workers of `locks` towns contain only a lock. */
export const SIZES = {
  small: { rigs: 2, workers: 3, packages: 4, gitFanOut: 8 },
  medium: { rigs: 5, workers: 10, packages: 250, gitFanOut: 256 },
  large: { rigs: 14, workers: 12, packages: 250, gitFanOut: 256 },
  'locks-50': { rigs: 5, workers: 10, packages: 0, gitFanOut: 0 },
  'locks-1000': { rigs: 10, workers: 100, packages: 0, gitFanOut: 0 },
  'locks-10000': { rigs: 20, workers: 500, packages: 0, gitFanOut: 0 },
};

/** Makes the town and returns its size: `{ entries, directories, locks }`. */
export const makeTown = (root, size) => {
  const { rigs, workers, packages, gitFanOut } = SIZES[size];
  const tree = newTree();
  tree.directory(root);
  tree.directory(`${root}/mayor`);
  const names = Array.from({ length: rigs }, (_, index) => `rig${index}`);
  writeFileSync(`${root}/mayor/town.json`, '{"type":"town","version":2,"name":"bench"}');
  writeFileSync(
    `${root}/mayor/rigs.json`,
    JSON.stringify({
      version: 1,
      rigs: Object.fromEntries(names.map((name) => [name, { beads: { prefix: name } }])),
    }),
  );
  tree.directory(`${root}/deacon`);
  for (const rig of names) {
    const home = `${root}/${rig}`;
    for (const each of ['', '/crew', '/polecats', '/witness', '/refinery', '/mayor'])
      tree.directory(home + each);
    if (gitFanOut > 0) makeRepository(tree, `${home}/.repo.git`, gitFanOut, 3);
    for (let index = 0; index < workers; index++) {
      const isCrew = index % 2 === 0;
      const outer = isCrew ? `${home}/crew/crew${index}` : `${home}/polecats/cat${index}`;
      tree.directory(outer);
      const worker = isCrew ? outer : `${outer}/${rig}`;
      if (!isCrew) tree.directory(worker);
      if (packages > 0) makeClone(tree, worker, packages, gitFanOut, isCrew ? null : `${home}/.repo.git`);
      tree.lock(worker, 40_000_000 + tree.counts.locks);
    }
  }
  return tree.counts;
};

const newTree = () => {
  const counts = { entries: 0, directories: 0, locks: 0 };
  const directory = (path) => {
    mkdirSync(path);
    counts.entries++;
    counts.directories++;
  };
  /** The empty file, and how many names it has. */
  let [empty, names] = ['', MAX_NAMES];
  const file = (path, text) => {
    if (text === undefined && names < MAX_NAMES) linkSync(empty, path);
    else writeFileSync(path, text ?? '', { flag: 'wx' });
    if (text === undefined) [empty, names] = names < MAX_NAMES ? [empty, names + 1] : [path, 1];
    counts.entries++;
  };
  /** A record with a PID above Linux's highest, which is dead everywhere. */
  const lock = (worker, pid) => {
    directory(`${worker}/.runtime`);
    const record = {
      pid,
      acquired_at: TAKEN_AT.toISOString(),
      session_id: `%${counts.locks}`,
      hostname: hostname(),
    };
    writeFileSync(`${worker}/.runtime/agent.lock`, JSON.stringify(record, null, 2));
    // A fresh file would be treated with more care than most.
    utimesSync(`${worker}/.runtime/agent.lock`, TAKEN_AT, TAKEN_AT);
    counts.entries++;
    counts.locks++;
  };
  return { counts, directory, file, lock };
};

/** A working tree: sources, documents, packages, and its own repository or a link into a shared one. */
const makeClone = (tree, home, packages, gitFanOut, shared) => {
  if (shared === null) makeRepository(tree, `${home}/.git`, gitFanOut, 2);
  else linkWorktree(tree, home, shared);
  tree.file(`${home}/.gitignore`, '.runtime/\n');
  for (let index = 0; index < 12; index++) tree.file(`${home}/document-${index}.md`);
  tree.directory(`${home}/src`);
  for (let area = 0; area < 16; area++) {
    const path = `${home}/src/area-${area}`;
    tree.directory(path);
    for (let part = 0; part < 8; part++) {
      tree.directory(`${path}/part-${part}`);
      for (let index = 0; index < 18; index++) tree.file(`${path}/part-${part}/module-${index}.ts`);
    }
  }
  tree.directory(`${home}/node_modules`);
  for (let index = 0; index < packages; index++)
    makePackage(tree, `${home}/node_modules/package-${index}`, index);
};

/** One installed package: every third is flat, the others contain built files in two or three levels. */
const makePackage = (tree, path, index) => {
  const fill = (home, files) => {
    tree.directory(home);
    for (let file = 0; file < files; file++) tree.file(`${home}/build-${file}.js`);
  };
  tree.directory(path);
  for (const name of ['package.json', 'README.md', 'LICENSE', 'index.js', 'index.d.ts'])
    tree.file(`${path}/${name}`);
  if (index % 3 === 0) return;
  fill(`${path}/dist`, 8);
  fill(`${path}/dist/types`, 9);
  fill(`${path}/dist/esm`, 9);
  if (index % 2 === 1) fill(`${path}/lib`, 10);
};

/** A repository that git accepts, with nothing tracked and with files that are named like loose objects. */
const makeRepository = (tree, path, fanOut, objects) => {
  const directories = [
    '',
    '/objects',
    '/objects/pack',
    '/objects/info',
    '/refs',
    '/refs/heads',
    '/hooks',
    '/logs',
    '/info',
  ];
  for (const each of directories) tree.directory(path + each);
  tree.directory(`${path}/worktrees`);
  tree.file(`${path}/HEAD`, 'ref: refs/heads/main\n');
  tree.file(`${path}/config`, '[core]\n\trepositoryformatversion = 0\n');
  for (const name of ['description', 'FETCH_HEAD', 'ORIG_HEAD']) tree.file(`${path}/${name}`);
  for (let index = 0; index < 13; index++) tree.file(`${path}/hooks/hook-${index}.sample`);
  for (let fan = 0; fan < fanOut; fan++) {
    const home = `${path}/objects/${fan.toString(16).padStart(2, '0')}`;
    tree.directory(home);
    for (let index = 0; index < objects; index++) tree.file(`${home}/${`${fan}${index}`.padStart(38, 'a')}`);
  }
};

/** The files that `git worktree add` creates: .git, and its counterpart in the repository. */
const linkWorktree = (tree, home, repository) => {
  const back = `${repository}/worktrees/worktree${tree.counts.locks}`;
  tree.directory(back);
  tree.file(`${back}/HEAD`, 'ref: refs/heads/work\n');
  tree.file(`${back}/commondir`, '../..\n');
  tree.file(`${back}/gitdir`, `${home}/.git\n`);
  tree.file(`${home}/.git`, `gitdir: ${back}\n`);
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [root, size = 'small'] = process.argv.slice(2);
  if (root === undefined || !(size in SIZES)) {
    process.stderr.write(`usage: node bench/make-town.mjs DIR ${Object.keys(SIZES).join('|')}\n`);
    process.exitCode = 2;
  } else {
    process.stdout.write(`${JSON.stringify({ root, size, ...makeTown(root, size) })}\n`);
  }
}
