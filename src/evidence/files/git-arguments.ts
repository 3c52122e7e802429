/** Reads a git's arguments: its command, and the repository that they name. Pure. */
import { baseName } from '../../io/disk/disk-path.ts';

/**
 * git and its helpers (`git-remote-https`), git behind a wrapper (`git.real`, `.git-wrapped`), and others that write the same files
 * without keeping them open.
 */
const GIT_LIKE = /^(?:\.?git(?:[-.].+)?|jj|sl|gix|ein|scalar)$/;

/** Hooks, which git runs for its user and which may outlive a killed git. */
const HOOK =
  /^(?:applypatch-msg|pre-applypatch|post-applypatch|pre-commit|pre-merge-commit|prepare-commit-msg|commit-msg|post-commit|pre-rebase|post-checkout|post-merge|pre-push|pre-receive|update|proc-receive|post-receive|post-update|reference-transaction|push-to-checkout|pre-auto-gc|post-rewrite|sendemail-validate|post-index-change)$/;

/** Commands that take no lock; some run for long: they watch a tree, keep passwords, or answer questions. */
const TAKES_NONE: ReadonlySet<string> = new Set([
  'fsmonitor--daemon',
  'credential-cache--daemon',
  'credential-cache',
  'daemon',
  'cat-file',
  'check-attr',
  'check-ignore',
  'for-each-ref',
  'ls-files',
  'ls-remote',
  'ls-tree',
  'merge-base',
  'rev-list',
  'rev-parse',
  'upload-archive',
  'upload-pack',
  'var',
  'version',
]);

/** Commands that take the index lock unless they are told not to, as editors that poll do. */
const MAY_TAKE_NONE: ReadonlySet<string> = new Set([
  'status',
  'diff',
  'diff-index',
  'diff-files',
  'describe',
]);

/** Options before the command whose value is the next argument. */
const WITH_VALUE: ReadonlySet<string> = new Set([
  '-C',
  '-c',
  '--git-dir',
  '--work-tree',
  '--namespace',
  '--exec-path',
  '--super-prefix',
  '--config-env',
  '--attr-source',
  '--list-cmds',
]);

/** True for git and for programs that write the same files, by the kernel's name or the program's. */
export const isGitLike = (comm: string, argv: readonly string[]): boolean =>
  GIT_LIKE.test(comm) || GIT_LIKE.test(baseName(argv[0] ?? ''));

/** A hook of a repository, by its place or its name: `/bin/sh .git/hooks/pre-commit`. */
export const isHook = (comm: string, argv: readonly string[]): boolean =>
  argv.slice(0, 3).some((argument) => /(?:^|\/)hooks\/[^/]+$/.test(argument) && !argument.startsWith('-')) ||
  (HOOK.test(comm) && HOOK.test(baseName(argv[1] ?? argv[0] ?? '')));

/** `commit` of `git -C x commit`, `index-pack` of `git-index-pack`; null where there is none. */
const gitCommandOf = (argv: readonly string[]): string | null => {
  const [, helper] = /^git-(.+)$/.exec(baseName(argv[0] ?? '')) ?? [];
  if (helper !== undefined) return helper;
  for (let at = 1; at < argv.length; at += 1) {
    const argument = argv[at] ?? '';
    if (!argument.startsWith('-')) return argument === '' ? null : argument;
    if (WITH_VALUE.has(argument)) at += 1;
  }
  return null;
};

/** True for a git that takes no lock. `optionalLocks`: what its variable `GIT_OPTIONAL_LOCKS` says. */
export const takesNoLock = (argv: readonly string[], optionalLocks: string | undefined): boolean => {
  const command = gitCommandOf(argv);
  if (command === null) return false;
  if (TAKES_NONE.has(command)) return true;
  return (
    MAY_TAKE_NONE.has(command) &&
    (optionalLocks === '0' || argv.slice(1, argv.indexOf(command)).includes('--no-optional-locks'))
  );
};

/** Working trees and git directories that arguments name, as written. */
export const namedByArguments = (
  argv: readonly string[],
): readonly { readonly path: string; readonly isGitDir: boolean }[] =>
  argv.flatMap((argument, at) => {
    if (argument === '-C' || argument === '--work-tree')
      return [{ path: argv[at + 1] ?? '.', isGitDir: false }];
    if (argument === '--git-dir') return [{ path: argv[at + 1] ?? '.', isGitDir: true }];
    const [, option, path] = /^--(git-dir|work-tree)=(.+)$/s.exec(argument) ?? [];
    return path === undefined ? [] : [{ path, isGitDir: option === 'git-dir' }];
  });
