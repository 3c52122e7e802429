/** Which commands are agents, and which merely stand around in a worker's directory. Facts: field notes of Gas Town. */

/** Agent commands seen in the wild. `node` and `bun` count only where the script they run names an agent. */
export const AGENT_COMMANDS: readonly string[] = [
  'claude',
  'codex',
  'gemini',
  'cursor-agent',
  'agent',
  'auggie',
  'amp',
  'opencode',
  'copilot',
  'pi',
  'omp',
  'vibe',
  'aider',
  'goose',
];

/** Script directories and files under which those agents are installed for interpreters, beside the plain names. */
export const AGENT_PACKAGES: readonly string[] = [
  'claude-code',
  'gemini-cli',
  'codex-cli',
  'opencode-ai',
  'copilot-cli',
  'aider-chat',
];

/** Interpreters whose script decides what they are. */
export const INTERPRETERS: readonly string[] = [
  'node',
  'nodejs',
  'bun',
  'deno',
  'python',
  'python3',
  'ruby',
  'perl',
  'bash',
  'sh',
  'zsh',
  'dash',
  'env',
  'npx',
];

/** Helpers that take a lock and end: their PID in a lock says nothing of the agent. */
export const LOCK_HELPERS: readonly string[] = ['gt', 'doctor', 'lock-doctor'];

/** A pane that shows one of these shows a shell. A leading `-` (login shell) is taken off before looking. */
export const SHELLS: readonly string[] = [
  'sh',
  'bash',
  'dash',
  'zsh',
  'fish',
  'ksh',
  'mksh',
  'ash',
  'tcsh',
  'csh',
  'nu',
  'pwsh',
  'xonsh',
  'elvish',
  'login',
];

/** People's tools: they are no agents, whatever session they run in. */
export const BYSTANDERS: readonly string[] = [
  'vi',
  'vim',
  'nvim',
  'view',
  'vimdiff',
  'emacs',
  'emacsclient',
  'nano',
  'pico',
  'micro',
  'hx',
  'helix',
  'kak',
  'ed',
  'joe',
  'code',
  'less',
  'more',
  'most',
  'man',
  'tail',
  'watch',
  'top',
  'htop',
  'btop',
  'tig',
  'lazygit',
  'vite',
  'webpack',
  'next',
  'next-server',
  'nodemon',
  'tsx',
  'jest',
  'vitest',
  'npm',
  'pnpm',
  'yarn',
  'cargo',
  'make',
];

/** Some agents are installed as a file named after their version; that is what the kernel and tmux then show. */
const VERSION_NAME = /^\d+\.\d+\.\d+([-+.][0-9A-Za-z.-]+)?$/;

/** True where one of the names is a known agent command. `extra`: names from configuration and GT_PROCESS_NAMES. */
export const isAgentCommand = (names: readonly string[], extra: readonly string[]): boolean =>
  names.some(
    (name) =>
      AGENT_COMMANDS.includes(name) ||
      AGENT_PACKAGES.includes(name) ||
      extra.includes(name) ||
      VERSION_NAME.test(name),
  );

/** The command names that a `GT_PROCESS_NAMES` value lists. */
export const namesIn = (list: string | undefined): readonly string[] =>
  (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

export const isLockHelper = (names: readonly string[]): boolean =>
  names.some((name) => LOCK_HELPERS.includes(name));

export const isShell = (command: string): boolean => SHELLS.includes(command.replace(/^-/, ''));

/** An editor, pager or dev server: named in the evidence, never an agent. */
export const isBystander = (command: string): boolean => BYSTANDERS.includes(command);
