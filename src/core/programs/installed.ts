/**
 * Whether a program with a tool's name is that tool. `watch` and `go` are also what people call scripts of their own, and an agent
 * may be called like an editor: the name counts where the program lies in a place in which tools are installed. Pure.
 */
import { classifyNames, isInterpreter, type NamedClass } from './by-name.ts';
import { isIn, MCP_SERVER, PYTHON_MODULES } from './known-programs.ts';

const NO_WORDS = { agents: [] };

/** What a name proves about a program that may have been given it by chance; null for an agent's name, which always counts. */
const harmless = (name: string): NamedClass | null => {
  const known = classifyNames([name], NO_WORDS);
  return known === null || known.class === 'agent' || known.why === MCP_SERVER.why ? null : known;
};

/** The system's own directories in `/`. Lists of words here and below, because V8 takes up to half a millisecond for a pattern of them. */
const SYSTEM = ['usr bin sbin opt nix gnu snap app run Applications Library'];

const isOfSystem = (script: string, [start, top = '', ...below]: readonly string[]): boolean =>
  script.startsWith('/home/linuxbrew/') ||
  (start === '' && below.length > 0 && isIn(SYSTEM, top) && !script.startsWith('/usr/src/'));

/** Directories in which tools for one user or one project are installed. */
const OF_TOOLS = [
  '.local .venv .tox .nox .direnv .cargo .rustup .nvm .fnm .nodenv .volta .bun .deno .npm-global .pnpm .yarn .pyenv .rbenv .rvm',
  '.asdf .mise .rye .uv .pixi .sdkman .dotnet .composer .gem .opam .stack .ghcup .cache',
];

/** Where editors keep themselves and their extensions, language servers among them. */
const OF_EDITORS =
  /\/(\.?vscode[^/]*|\.(cursor|windsurf)[^/]*\/(bin|extensions)|visual-studio-code[^/]*|VSCode-[^/]+|Visual Studio Code[^/]*\.app|[^/]*-vscode-\d[^/]*)\//;

/** A part of every such path: without one, the pattern need not be compiled. */
const WORDS_OF_EDITORS = [
  'vscode',
  'VSCode',
  'Visual Studio Code',
  'visual-studio-code',
  '.cursor',
  '.windsurf',
];

const isInEditor = (path: string): boolean =>
  WORDS_OF_EDITORS.some((word) => path.includes(word)) && OF_EDITORS.test(path);

/** The same, of names that only the system's own directories have. */
const OF_AN_INSTALLED_EDITOR = /^\/(usr|opt|snap|nix|app|var\/lib\/(flatpak|snapd))\/(.*\/)?code(-oss)?\//;

/** VS Code's command, and that of an agent (Every Code). */
const EDITOR_OR_AGENT = 'code';

const BIN = ['bin', 'sbin', '.bin', 'libexec', 'shims', 'Scripts'];

/** Directories below which the packages of an interpreter lie, each in a directory of its own. */
const PACKAGE_HOMES = ['node_modules', 'site-packages', 'dist-packages'];

/** Scopes whose packages are called as the tools that they are. */
const SCOPES_OF_TOOLS = ['@angular', '@biomejs', '@pnpm', '@vue', '@yarnpkg'];

const directoryOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

const fileOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** `@acme/next` need not be Next.js. */
const isToolsPackage = (scope: string, inner: string): boolean =>
  SCOPES_OF_TOOLS.includes(scope) || harmless(inner) === null;

/**
 * The packages and products that a path passes through: the directory below `node_modules/` (with its scope and without),
 * and the one above `versions/`, for products whose command is called `agent` or `1.2.3`. A scope that anybody can have
 * does not lend its package the name of a tool. What holds the commands of all packages is none: `.bin`, and a version manager.
 */
export const packagesIn = (path: string): readonly string[] => {
  const parts = path.split('/').filter((part) => part !== '');
  const isInBin = BIN.includes(parts.at(-2) ?? '');
  const extension = extensionIn(path);
  const packages = parts.flatMap((part, index) => {
    const next = parts[index + 1] ?? '';
    if (next === 'versions' && index + 3 < parts.length)
      return part.startsWith('.') || isInBin || harmless(part) !== null ? [] : [part];
    if (!PACKAGE_HOMES.includes(part) || next.startsWith('.')) return [];
    const inner = parts[index + 2] ?? '';
    if (!next.startsWith('@')) return [next];
    return isToolsPackage(next, inner) ? [inner, `${next}/${inner}`] : [`${next}/${inner}`];
  });
  return extension === null ? packages : [...packages, `extensions/${extension}`];
};

/** Where VS Code and its like keep extensions, each in a directory of its own: `~/.vscode-server/extensions/golang.go-0.41.4/`. */
const IN_AN_EXTENSION = /\/\.(?:vscode|cursor|windsurf)[^/]*\/extensions\/([\w-]+\.[\w-]+?)-\d+\.[^/]*\//;

/** The extension to which a file belongs; null for a debugger's, which runs the user's own program. */
const extensionIn = (path: string): string | null =>
  path.includes('/extensions/') && !path.toLowerCase().includes('debug')
    ? (IN_AN_EXTENSION.exec(path)?.[1] ?? null)
    : null;

/** True where some directory on the way is called as the tool, or as the product of which it is a part. */
const isOnItsWay = (name: string, parts: readonly string[]): boolean =>
  parts.slice(0, -1).some((part) => part === name || part === name.split('-')[0]);

/** Of a relative path `bin` alone says nothing: every interpreter lies in a directory of that name. */
const isBelow = (directory: string, end: string): boolean =>
  directory === end || (end.includes('/') && !end.startsWith('/') && directory.endsWith(`/${end}`));

/** True for a file with this tool's name in a place where that tool is installed, such as the directory of its interpreter. */
const isInstalled = (name: string, script: string, interpreters: readonly string[]): boolean => {
  const parts = script.split('/');
  const home = parts.findLastIndex((part) => PACKAGE_HOMES.includes(part));
  if (home !== -1) {
    const [next = '', inner = ''] = parts.slice(home + 1);
    return (
      next === '.bin' ||
      (next.startsWith('@') ? isToolsPackage(next, inner) : isOnItsWay(name, parts.slice(home)))
    );
  }
  if (isInEditor(script) || script.includes(`/.${name}/`)) return true;
  // A virtual environment has its interpreter beside its tools; a relative path leads there from a directory above.
  const below = parts
    .slice(
      parts.findIndex((part) => part !== '.'),
      -1,
    )
    .join('/');
  if (below !== '' && interpreters.some((path) => isBelow(directoryOf(path), below))) return true;
  if (!isOfSystem(script, parts) && !parts.slice(0, -1).some((part) => isIn(OF_TOOLS, part))) return false;
  return BIN.includes(parts.at(-2) ?? '') || isOnItsWay(name, parts);
};

/** What runs a script, as far as paths tell. */
export interface Runner {
  /** What the interpreter is called, with the path where one is given. */
  readonly paths: readonly string[];
  /** Reads which file runs. */
  readonly executable?: () => string | null;
  /** Reads which file the script's path leads to. */
  readonly target?: () => string | null;
  /** The script is the name of a module (`python3 -m`). */
  readonly isModule?: boolean;
}

/** True where a script's name, or its name without an ending, tells what it is. */
export const isOwnName = (
  name: string,
  script: string,
  { paths, executable = () => null, isModule = false }: Runner,
): boolean => {
  if (harmless(name) === null) return true;
  if (isModule) return PYTHON_MODULES.split(' ').includes(name);
  // VS Code's command is a script of a shell, and Every Code's one of node.
  if (name === EDITOR_OR_AGENT && !isEditor(script) && !paths.some(isShellsPath)) return false;
  return isInstalled(name, script, paths) || isInstalled(name, script, [executable() ?? '']);
};

const isShellsPath = (path: string): boolean => ['sh', 'bash', 'dash', 'env'].includes(fileOf(path));

const isEditor = (path: string): boolean =>
  !path.includes('/node_modules/@') && (isInEditor(path) || OF_AN_INSTALLED_EDITOR.test(path));

/** Arguments with which only VS Code starts its parts: Electron's processes, and the server for remote windows. */
const isEditorsPart = (argv: readonly string[]): boolean =>
  argv[1] === 'tunnel' ||
  argv[1] === 'serve-web' ||
  argv.some((word) => word.startsWith('--type=') || word === '--ms-enable-electron-run-as-node');

/** `./micro`, and no title that ends with a path. */
const isRelativePath = (program: string): boolean =>
  program.includes('/') && !program.startsWith('/') && !program.includes(' ');

/**
 * True where the name that the kernel or `argv[0]` has of a program may be what it is: not for an editor's that runs under node, that
 * a relative path leads to, or that a program of another name gave to itself (prctl(2)).
 *
 * @param executable reads which file runs; null where that cannot be read
 */
export const isProgramsName = (
  name: string,
  argv: readonly string[],
  executable: () => string | null,
): boolean => {
  const known = harmless(name);
  if (known === null) return true;
  const [program = ''] = argv;
  if (name === EDITOR_OR_AGENT) return isEditorsPart(argv) || isEditor(executable() ?? program);
  if (isRelativePath(program) && !isInstalled(name, executable() ?? program, [])) return false;
  const path = executable() ?? '';
  const file = fileOf(path);
  // `vi` may be nvim, which runs scripts as well.
  if (harmless(file)?.why === known.why) return true;
  if (isInterpreter(file)) return known.mayBeTitle === true;
  if (file.startsWith(name) || name.startsWith(file)) return true;
  // `cc` may be x86_64-linux-gnu-gcc, and `less` a part of busybox; what `argv[0]` says, a program may have written itself.
  return fileOf(program) === name && !name.includes(' ') && isInstalled(name, path, []);
};
