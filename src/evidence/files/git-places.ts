/** Finds the repository that a directory belongs to, as a git that works there sees it. Reads only, and never throws. */
import { readlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { remembering } from '../../core/remembering.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type { LockGitDir } from '../../core/types/evidence.ts';
import { baseName, displayPath, showsBytes } from '../../io/disk/disk-path.ts';
import { realOrSame, realPaths } from '../../io/disk/real-path.ts';
import { readdirSync } from '../../io/file-systems/servers.ts';
import { tryOr } from '../../io/try-or.ts';
import { commonDirectoryOf, gitDirectoryAround } from '../git/git-directory.ts';
import { treePathIn } from '../git/linked-tree.ts';
import { repositoryFinder } from '../git/repository.ts';

export interface GitPlaces {
  /**
   * The git directory of the working tree around this directory; the directory itself where there is none, or it is closed to
   * us. A git directory that says this is its working tree is added: a git that has begun goes on there, whatever `.git` leads
   * to by now. So is the directory itself where its path is not UTF-8: then only what lies around it can be looked at.
   */
  readonly ofTree: (directory: string) => readonly string[];
  /** The git directory that this path names, also by a file in it or by a `.git` file that leads to it. */
  readonly ofGitDir: (path: string) => readonly string[];
}

/** Prepares the two questions; `gitDirs` are the git directories of the locks in question. */
export const gitPlaces = (gitDirs: readonly LockGitDir[]): GitPlaces => {
  const find = repositoryFinder();
  const whereShared = remembering(sharedPartsOf);
  const withShared = (gitDir: string): readonly string[] => [gitDir, ...whereShared(gitDir)];
  let elsewhere: readonly TreeOf[] | undefined;
  return {
    ofTree: (directory) => {
      const real = realOrSame(directory);
      const found = find(real);
      const around = gitDirectoryAround(real, found?.top ?? '/');
      const gitDir = around ?? found?.gitDir ?? null;
      const top = gitDir === null ? '/' : (around ?? found?.top ?? '/');
      elsewhere ??= treesElsewhere(gitDirs);
      return [
        ...(gitDir === null ? [] : withShared(realOrSame(gitDir))),
        ...(gitDir === null || showsBytes(real) ? [real] : []),
        // Another repository inside of such a tree has its own git directory.
        ...elsewhere
          .filter(({ tree }) => relativeTo(tree, real) !== null && relativeTo(top, tree) !== null)
          .map(({ path }) => path),
      ];
    },
    ofGitDir: (path) => {
      const real = realOrSame(path);
      // A temporary file may have no real path, but its directory has one.
      const itself = real === path ? `${realOrSame(dirname(path))}/${baseName(path)}` : real;
      const led = path.endsWith('/.git') ? find(dirname(real))?.gitDir : null;
      return led == null ? withShared(itself) : [itself, ...withShared(realOrSame(led))];
    },
  };
};

interface TreeOf {
  /** A git directory, and the working tree that it keeps elsewhere. */
  readonly path: string;
  readonly tree: string;
}

/** Those of these repositories, by what is recorded in their own files. */
const treesElsewhere = (gitDirs: readonly LockGitDir[]): readonly TreeOf[] => {
  const realOf = realPaths();
  const linked = [...new Set(gitDirs.map(({ main }) => `${main}/worktrees`))].flatMap((directory) =>
    tryOr(() => readdirSync(directory), []).map((name) => `${directory}/${name}`),
  );
  return [
    ...gitDirs.flatMap(({ path, tree }) => (tree === null || tree === dirname(path) ? [] : [{ path, tree }])),
    ...linked.flatMap((path) => {
      const recorded = treePathIn(path);
      if (recorded === null) return [];
      const tree = displayPath(recorded);
      return [{ path, tree: join(realOf(dirname(tree)), baseName(tree)) }];
    }),
  ];
};

/** Directories of a git directory in which single entries may be symlinks; it is one itself. */
const WITH_LINKS = ['', '/refs', '/logs'] as const;

/**
 * Where a git of this git directory writes outside of it: behind symlinks, as git-new-workdir and repo make them, and in the repository
 * of a linked working tree that does not keep its files there. Such a tree is named as if it did: it leaves the other trees' alone.
 */
const sharedPartsOf = (gitDir: string): readonly string[] => {
  const common = realOrSame(commonDirectoryOf(gitDir));
  const linked = WITH_LINKS.flatMap((part) => tryOr(() => linksIn(`${gitDir}${part}`), []));
  return [
    ...(relativeTo(common, gitDir) === null ? [`${common}/worktrees/${baseName(gitDir)}`] : []),
    ...linked.filter((path) => relativeTo(gitDir, path) === null),
  ];
};

/** Where the symlinks in a directory lead, even if nothing is there yet. */
const linksIn = (directory: string): readonly string[] =>
  readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isSymbolicLink())
    .map(({ name }) => {
      const target = resolve(directory, readlinkSync(`${directory}/${name}`));
      return realOrSame(`${realOrSame(dirname(target))}/${baseName(target)}`);
    });
