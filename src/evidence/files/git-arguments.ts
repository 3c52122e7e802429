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

/** Programs that run the program named behind them: the loader of the C library, and emulators of another processor. */
const RUNS_ANOTHER = /^(?:ld-.+|ld\.so|qemu-.+|rosetta)$/;

/** Arguments as git itself sees them, where a loader or an emulator runs it. */
const ofGitItself = (argv: readonly string[]): readonly string[] => {
  if (!RUNS_ANOTHER.test(baseName(argv[0] ?? ''))) return argv;
  const isName = (word: string): boolean => GIT_LIKE.test(baseName(word));
  const at = argv.findIndex(isName);
  if (at < 0) return argv;
  // Some give the program's path, and then its own name.
  return argv.slice(isName(argv[at + 1] ?? '') ? at + 1 : at);
};

/** True for the name of git, or of a program that writes the same files. */
export const isGitName = (name: string): boolean => GIT_LIKE.test(name);

/** True for git and for programs that write the same files, by the kernel's name or the program's. */
export const isGitLike = (comm: string, argv: readonly string[]): boolean =>
  isGitName(comm) || isGitName(baseName(ofGitItself(argv)[0] ?? ''));

/** A hook of a repository, by its place or its name: `/bin/sh .git/hooks/pre-commit`. */
export const isHook = (comm: string, argv: readonly string[]): boolean =>
  argv.slice(0, 3).some((argument) => /(?:^|\/)hooks\/[^/]+$/.test(argument) && !argument.startsWith('-')) ||
  (HOOK.test(comm) && HOOK.test(baseName(argv[1] ?? argv[0] ?? '')));

interface CommandLine {
  /** Options before the command, each with its value: in one word with it, or else the next word. */
  readonly options: readonly { readonly name: string; readonly value: string }[];
  /** `commit` of `git -C x commit`, `index-pack` of `git-index-pack`; null where there is none. */
  readonly command: string | null;
}

const commandLineOf = (argv: readonly string[]): CommandLine => {
  const own = ofGitItself(argv);
  const [, helper] = /^git-(.+)$/.exec(baseName(own[0] ?? '')) ?? [];
  if (helper !== undefined) return { options: [], command: helper };
  const options: { name: string; value: string }[] = [];
  for (let at = 1; at < own.length; at += 1) {
    const word = own[at] ?? '';
    if (!word.startsWith('-')) return { options, command: word === '' ? null : word };
    const [, name = word, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
    const isNext = value === undefined && WITH_VALUE.has(name);
    if (isNext) at += 1;
    options.push({ name, value: isNext ? (own[at] ?? '') : (value ?? '') });
  }
  return { options, command: null };
};

/** True for a git that takes no lock. `optionalLocks`: what its variable `GIT_OPTIONAL_LOCKS` says. */
export const takesNoLock = (argv: readonly string[], optionalLocks: string | undefined): boolean => {
  const { options, command } = commandLineOf(argv);
  if (command === null) return false;
  if (TAKES_NONE.has(command)) return true;
  return (
    MAY_TAKE_NONE.has(command) &&
    (optionalLocks === '0' || options.some(({ name }) => name === '--no-optional-locks'))
  );
};

/** What arguments name, as written. */
export interface NamedByArguments {
  /** Where git goes before it does anything, each seen from the one before. */
  readonly starts: readonly string[];
  /** The last one counts. */
  readonly gitDirs: readonly string[];
  readonly trees: readonly string[];
}

export const namedByArguments = (argv: readonly string[]): NamedByArguments => {
  const { options } = commandLineOf(argv);
  const valuesOf = (option: string): readonly string[] =>
    options.filter(({ name }) => name === option).map(({ value }) => value);
  return { starts: valuesOf('-C'), gitDirs: valuesOf('--git-dir'), trees: valuesOf('--work-tree') };
};
