// Makes repositories with many linked worktrees to measure on, with real git.
//
//   node bench/make-repositories.mjs DIR worktrees-500|clones-50
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LOCKED_AT = new Date('2026-03-29T12:33:08.793Z');

/**
 * The number of clones, of linked worktrees in each, of directories in each checkout, and of files in each directory. A single
 * clone is the root itself; several clones are put into a Gas Town.
 */
export const REPOSITORIES = {
  'worktrees-500': { clones: 1, worktrees: 500, directories: 1, files: 10 },
  // Half as many directories as this repository has; the number of files in them costs next to nothing.
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
export const makeRepositories = (root, size) => {
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
};

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
 * Runs a function while every tenth worktree of a repository is locked as Claude Code does it. The PIDs are above Linux's
 * highest, so that they are dead everywhere.
 */
export const whileLocked = (repository, run) => {
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
};

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
