// Makes repositories with many linked worktrees on disk to measure on, by real git.
//
//   node bench/make-repositories.mjs DIR worktrees-500|clones-50
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LOCKED_AT = new Date('2026-03-29T12:33:08.793Z');

/**
 * Clones, linked worktrees in each, and what is in every checkout: directories and files in each of them. A single clone is the
 * root itself; of many a Gas Town is made.
 */
export const REPOSITORIES = {
  'worktrees-500': { clones: 1, worktrees: 500, directories: 1, files: 10 },
  // Half as many directories as this repository has; how many files lie in them costs next to nothing.
  'clones-50': { clones: 50, worktrees: 10, directories: 120, files: 1 },
};

const ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  ...Object.fromEntries(
    ['AUTHOR', 'COMMITTER'].flatMap((who) => [
      [`GIT_${who}_NAME`, 'bench'],
      [`GIT_${who}_EMAIL`, 'bench@example.org'],
      [`GIT_${who}_DATE`, LOCKED_AT.toISOString()],
    ]),
  ),
};

/** Makes them below `root`, which must not exist yet. */
export function makeRepositories(root, size) {
  const { clones, worktrees } = REPOSITORIES[size];
  const git = (cwd, ...args) =>
    execFileSync('git', args, { cwd, env: { ...process.env, ...ENVIRONMENT }, stdio: 'ignore' });
  const source = `${root}-source`;
  makeSource(source, REPOSITORIES[size], git);
  if (clones > 1) makeTownAround(root);
  for (let index = 0; index < clones; index++) {
    const clone = clones > 1 ? `${root}/rig${index % 5}/crew/crew${index}` : root;
    mkdirSync(clone.slice(0, clone.lastIndexOf('/')), { recursive: true });
    git('/', 'clone', '-q', source, clone);
    for (let at = 0; at < worktrees; at++) {
      const name = `agent-${at}`;
      git(clone, 'worktree', 'add', '-q', '-b', name, `.claude/worktrees/${name}`);
    }
  }
}

const makeSource = (source, { directories, files }, git) => {
  mkdirSync(source);
  writeFileSync(`${source}/.gitignore`, '.claude/\n.runtime/\n');
  for (let index = 0; index < directories; index++) {
    const home = index === 0 ? source : `${source}/area-${index % 8}/part-${index}`;
    mkdirSync(home, { recursive: true });
    for (let file = 0; file < files; file++) writeFileSync(`${home}/module-${file}.ts`, `${index} ${file}\n`);
  }
  git(source, 'init', '-q', '-b', 'main');
  git(source, 'add', '-A');
  git(source, 'commit', '-q', '-m', 'first');
};

const makeTownAround = (root) => {
  mkdirSync(`${root}/mayor`, { recursive: true });
  writeFileSync(`${root}/mayor/town.json`, '{"type":"town","version":2,"name":"bench"}');
};

/**
 * Runs something while every tenth worktree of a repository is locked as Claude Code does it. The numbers are above Linux's
 * highest, so that the processes are dead everywhere.
 */
export function whileLocked(repository, run) {
  const home = `${repository}/.git/worktrees`;
  const files = readdirSync(home)
    .filter((_, index) => index % 10 === 0)
    .map((name) => ({ name, path: `${home}/${name}/locked` }));
  for (const [index, { name, path }] of files.entries()) {
    writeFileSync(path, `claude agent ${name} (pid ${40_000_000 + index})\n`);
    utimesSync(path, LOCKED_AT, LOCKED_AT);
  }
  try {
    return run();
  } finally {
    for (const { path } of files) rmSync(path);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [root, size] = process.argv.slice(2);
  if (root === undefined || !(size in REPOSITORIES)) {
    process.stderr.write(
      `usage: node bench/make-repositories.mjs DIR ${Object.keys(REPOSITORIES).join('|')}\n`,
    );
    process.exitCode = 2;
  } else {
    makeRepositories(root, size);
  }
}
