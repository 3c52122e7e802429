/**
 * The programs that the doctor knows by name, each group with the reason for its class. The list is a convenience: a program
 * that is not in it is doubt (`classify.ts`), so no lock becomes stale because a name is missing here.
 */

export interface KnownPrograms {
  /** With its article, for a sentence: `vim, an editor, runs here`. */
  readonly why: string;
  /** Lines of names with a space between them. They stay as they are: a list of all names takes too long to make at each start. */
  readonly names: readonly string[];
  /** What it starts is a part of it. Left out for programs that start whatever they are told: shells, editors, package managers. */
  readonly startsOnlyItsOwn?: true;
  /** Some run under node, python or ruby and write their own name over its name. */
  readonly mayBeTitle?: true;
}

/** True where the line has this name as a whole. */
const hasName = (line: string, name: string): boolean => {
  for (let at = line.indexOf(name); at >= 0; at = line.indexOf(name, at + 1)) {
    const end = at + name.length;
    if ((at === 0 || line[at - 1] === ' ') && (end === line.length || line[end] === ' ')) return true;
  }
  return false;
};

/** True where one of these lines of words has the word. */
export const isIn = (lines: readonly string[], name: string): boolean =>
  name !== '' && !name.includes(' ') && lines.some((line) => hasName(line, name));

/** The last of these groups that has the name. */
export const groupWith = (name: string, groups: readonly KnownPrograms[]): KnownPrograms | undefined =>
  groups.findLast(({ names }) => isIn(names, name));

const known = (why: string, ...names: readonly string[]): KnownPrograms => ({ why, names });

/** Programs that start whatever a project or a person tells them. */
const starters = (why: string, ...names: readonly string[]): KnownPrograms => ({
  ...known(why, ...names),
  mayBeTitle: true,
});

/** Programs whose children are a part of them. */
const tools = (why: string, ...names: readonly string[]): KnownPrograms => ({
  ...starters(why, ...names),
  startsOnlyItsOwn: true,
});

/** Coding agents, by the names of their commands and packages. */
export const AGENT_PROGRAMS: readonly KnownPrograms[] = [
  known('Claude Code', 'claude claude.exe claude-code extensions/anthropic.claude-code'),
  known('Codex', 'codex codex-cli'),
  known('Gemini CLI', 'gemini gemini-cli'),
  known('Cursor Agent', 'cursor-agent'),
  known('Auggie', 'auggie'),
  known('Amp', 'amp'),
  known('OpenCode', 'opencode opencode-ai'),
  known('GitHub Copilot CLI', 'copilot copilot-cli'),
  known('Pi', 'pi omp'),
  known('Mistral Vibe', 'vibe'),
  known('Aider', 'aider aider-chat'),
  known('Goose', 'goose'),
  known('Kiro', 'kiro kiro-cli kiro-cli-chat'),
  known('Crush', 'crush'),
  known('Qwen Code', 'qwen qwen-code'),
  known('Droid', 'droid'),
  known('Kimi', 'kimi'),
  known('Grok', 'grok'),
  known('Cline', 'cline'),
  known('Kilo Code', 'kilo kilocode @kilocode/cli'),
  known('Forge', 'forge'),
  known('Hermes', 'hermes'),
  known('OpenHands', 'openhands'),
  known('Devin', 'devin'),
  known('Amazon Q', 'q'),
  known('Codebuff', 'codebuff'),
  known('Plandex', 'plandex'),
  known('gptme', 'gptme'),
  known('LLxprt', 'llxprt'),
  known('Continue', 'cn'),
  known('Antigravity', 'agy'),
  known('Every Code', '@just-every/code'),
];

/** A pane that shows one of these shows a shell. A leading `-` (login shell) is taken off before looking. */
const SHELLS = ['sh bash dash zsh fish ksh mksh ash tcsh csh nu pwsh xonsh elvish login'];

/** True for the name of a shell, without the `-` of a login shell. */
export const isShell = (name: string): boolean => isIn(SHELLS, name);

/** Helpers that take a lock and end: their PID in a lock says nothing about the agent. */
const LOCK_HELPERS = ['gt doctor lock-doctor'];

/**
 * Interpreters: the script that they run decides their class; without one, their own name does. `npx` and `env` are replaced by
 * what they start.
 */
export const INTERPRETERS: readonly string[] =
  'node nodejs bun deno python python3 ruby perl bash sh zsh dash ksh mksh ash fish tcsh csh nu pwsh xonsh elvish dotnet java php ts-node ts-node-dev tsx awk gawk mawk emacs nvim env npx'.split(
    ' ',
  );

/** Bystanders that are modules of Python: any other module that `python3 -m` runs may be a file in the worker's directory. */
export const PYTHON_MODULES =
  'pytest tox nox mypy black isort ruff flake8 pylint pip pipx uv poetry pdm conda flask uvicorn gunicorn hypercorn mkdocs pylsp celery streamlit fastapi jupyter ipykernel_launcher';

const STARTS_NOTHING = [
  'sleep cp mv rm mkdir rmdir ln chmod chown dd touch sync ping ping6 vmstat iostat free bc date seq yes stat',
  'ss netstat ip uptime who w nvidia-smi sensors squeue lsblk basename dirname',
];

/** Viewers that start nothing but what an option names. */
const READERS = [
  'tail head cat bat tee top htop btop atop glances iotop ps pstree lsof journalctl dmesg tree ncdu glow jq yq grep',
  'egrep fgrep rg ag ack find fd sort uniq wc cut tr ls du df diff column lnav',
];

const FETCHERS = 'curl wget gzip gunzip xz zstd unzip ctags inotifywait fswatch';

const ISSUE_TRACKER = 'bd beads dolt';

/** Words of the shell's own, and clients of services: what those start runs elsewhere. */
const HARMLESS_WORDS =
  ': true false [ [[ test echo printf cd pwd read set export local shift break continue exit return wait in done fi oc helm aws gcloud az systemctl clear';

/** Those of which any command can start no agent, unless an option makes it start what it is told. */
export const HARMLESS_PROGRAMS: readonly string[] = [
  HARMLESS_WORDS,
  ...STARTS_NOTHING,
  ...READERS,
  FETCHERS,
  ...LOCK_HELPERS,
  ISSUE_TRACKER,
];

/** People's tools and what they start: they do not count, whatever session they run in. */
export const BYSTANDER_PROGRAMS: readonly KnownPrograms[] = [
  known('a shell', ...SHELLS),
  known('a helper that takes locks', ...LOCK_HELPERS),
  known(
    'an editor',
    'vi vim vim.basic vim.tiny vim.nox vim.gtk3 nvim view vimdiff gvim emacs emacsclient nano pico micro hx helix kak kakoune ed ex joe jed mcedit ne',
    'code code-insiders codium vscodium code-server bootstrap-fork server-main zed zed-editor subl gedit kate idea webstorm pycharm goland clion',
    'rubymine phpstorm rider',
  ),
  known(
    'a viewer',
    ...READERS,
    'less more most pager man watch ranger nnn lf mc yazi vifm broot fzf awk gawk mawk sed multitail',
  ),
  known('a tool that starts nothing', ...STARTS_NOTHING),
  // Aliases, hooks, extensions and `bisect run` can make it start any program.
  known(
    'version control',
    'git tig lazygit gitui hg svn jj gh glab git-lfs git-remote-http git-remote-https delta gpg gpg2 pinentry',
  ),
  tools(
    'a language server',
    'tsserver tsserver.js typescript typescript-language-server vtsls gopls rust-analyzer clangd ccls pyright',
    'pyright-langserver basedpyright basedpyright-langserver pylsp python-lsp-server jedi-language-server ruff-lsp',
    'lua-language-server bash-language-server yaml-language-server vscode-langservers-extracted',
    'vscode-json-language-server vscode-html-language-server vscode-css-language-server',
    'vscode-eslint-language-server vscode-markdown-language-server copilot-language-server solargraph ruby-lsp jdtls',
    'omnisharp haskell-language-server elixir-ls zls nil nixd terraform-ls marksman texlab taplo svelteserver',
    'vue-language-server tailwindcss-language-server intelephense eslint_d prettierd typingsInstaller.js',
    'eslintServer.js sourcekit-lsp kotlin-language-server OmniSharp.dll Microsoft.CodeAnalysis.LanguageServer.dll rzls.dll',
    'cpptools cpptools-srv jsonServerMain cssServerMain htmlServerMain serverWorkerMain',
  ),
  tools(
    'a compiler',
    'cc gcc g++ c++ cpp cc1 cc1plus collect2 as ld lld clang clang++ rustc rustdoc tsc swc esbuild babel sass javac',
    'kotlinc scalac swiftc swift-build ghc protoc ccache sccache VBCSCompiler.dll csc.dll vbc.dll fsc.dll',
  ),
  tools(
    'a test runner',
    'jest jest-worker vitest mocha ava karma cypress playwright pytest py.test rspec minitest phpunit ctest bats',
    'vstest.console.dll testhost.dll datacollector.dll',
  ),
  tools(
    'a linter',
    'eslint prettier biome stylelint mypy dmypy flake8 pylint black isort ruff shellcheck golangci-lint rubocop knip',
  ),
  // A project tells them what to start.
  starters('a commit hook', 'pre-commit lint-staged'),
  starters('a process manager', 'PM2 pm2 foreman overmind honcho'),
  tools(
    'a dev server',
    'vite webpack webpack-dev-server next next-server nuxt nuxi astro remix gatsby parcel rollup http.server',
    'http-server live-server browser-sync storybook react-scripts vue-cli-service ng expo metro wrangler jekyll hugo',
    'mkdocs uvicorn gunicorn hypercorn puma unicorn sidekiq fastapi',
  ),
  // Their commands may be an application's own, and their servers need no other program.
  starters('a dev server', 'flask django-admin manage.py streamlit celery'),
  // What a person types into a notebook counts by itself.
  starters('a notebook', 'jupyter jupyter-lab jupyter-notebook jupyter-server ipykernel_launcher'),
  starters(
    'a package manager',
    'npm npx pnpm pnpx yarn yarnpkg corepack bunx pip pip3 pipx uv uvx poetry pdm conda mamba gem bundle bundler',
    'composer brew apt apt-get dpkg dnf yum pacman apk nix mise asdf direnv',
  ),
  // A project tells them what to start: a compiler, a server, an agent.
  starters(
    'a build tool',
    'make gmake just rake cargo go zig dotnet dotnet-watch.dll stack cabal ts-node ts-node-dev turbo nx lerna',
    'concurrently npm-run-all entr tox nox ninja cmake bazel buck2 gradle gradlew mvn sbt msbuild MSBuild.dll xcodebuild terraform tofu',
    'org.codehaus.plexus.classworlds.launcher.Launcher org.gradle.wrapper.GradleWrapperMain',
    'org.gradle.launcher.daemon.bootstrap.GradleDaemon worker.org.gradle.process.internal.worker.GradleWorkerMain',
  ),
  known(
    'a tool for files, the network or tracing',
    FETCHERS,
    'tar zip strace ltrace perf gdb lldb dlv tcpdump nc socat',
    'pbcopy pbpaste xclip xsel wl-copy wl-paste xdg-open nginx caddy ngrok cloudflared',
  ),
  // The command that they start counts by itself.
  known(
    'a wrapper around another command',
    'timeout nice ionice time xargs stdbuf nohup unbuffer caffeinate asciinema watchexec flock bwrap firejail unshare',
    'nsenter setsid setpriv taskset chrt',
  ),
  {
    why: "fish's search for completions",
    names: ['create_manpage_completions.py'],
    startsOnlyItsOwn: true,
  },
  known(
    'a terminal',
    'gnome-terminal gnome-terminal-server konsole kitty alacritty wezterm wezterm-gui foot xterm urxvt rxvt terminator',
    'tilix ghostty xfce4-terminal iTerm2 Terminal screen zellij dtach abduco script ttyd sudo su doas',
  ),
  {
    why: 'a browser',
    names: ['firefox chrome google-chrome chromium chromium-browser brave safari msedge'],
    startsOnlyItsOwn: true,
  },
  {
    why: 'a database',
    names: [
      'postgres mysqld mariadbd redis-server valkey-server mongod memcached clickhouse-server etcd minio',
    ],
    startsOnlyItsOwn: true,
  },
  // They have a shell: `\!` in psql, `.shell` in sqlite3.
  known("a database's client", 'sqlite3 psql mysql redis-cli'),
  known('a remote shell', 'ssh mosh mosh-client scp sftp rsync telnet autossh sshd mosh-server'),
];

/** Long-lived helpers with a name of their own; those known by their arguments only are in `INFRASTRUCTURE_ARGUMENTS`. */
export const INFRASTRUCTURE_PROGRAMS: readonly KnownPrograms[] = [
  known('tmux itself', 'tmux'),
  known("Gas Town's issue tracker", ISSUE_TRACKER),
  known("the Codex plug-in's broker", 'app-server-broker app-server-broker.mjs'),
  known(
    'a background service',
    'ssh-agent gpg-agent scdaemon dirmngr keyboxd dbus-daemon watchman adb git-credential-cache--daemon systemd init launchd docker-init tini dumb-init',
    'catatonit containerd containerd-shim containerd-shim-runc-v2 dockerd supervisord',
  ),
];

/**
 * How MCP servers are named and packaged: `mcp-server-git`, `@playwright/mcp`, `context7-mcp`. Agents start them as tools, and
 * often leave them running.
 */
export const MCP_SERVER = {
  class: 'infrastructure',
  why: 'an MCP server',
  names: /^mcp-(server-.+|remote)$|[-/]mcp(-server)?$|^@modelcontextprotocol\//,
} as const;

/**
 * Extensions of VS Code and its like, by publishers none of whose extensions is an agent. Debuggers, which start programs of the
 * user's, are left out where names are read.
 */
export const EXTENSION = {
  class: 'bystander',
  why: "an editor's extension",
  publishers: ['ms-python ms-vscode ms-dotnettools dbaeumer redhat esbenp bradlc vue svelte charliermarsh'],
} as const;

/** The prompts of interpreters, which take their orders from a person at the terminal. */
export const PROMPTS = 'node nodejs python irb pry ipython bpython ghci iex lua julia R'.split(' ');

/** Why the prompt of an interpreter does not count; what it starts counts by itself. */
export const A_PROMPT = "an interpreter's prompt";

/** Commands of a tool that start no program of the user's; its other commands may. */
export interface KnownCommands {
  readonly why: string;
  readonly of: readonly string[];
  /** The first words behind the options, with a space between them. */
  readonly commands: string;
  /** Options before the command whose value is the next argument. */
  readonly withValue?: readonly string[];
}

export const HARMLESS_COMMANDS: readonly KnownCommands[] = [
  {
    why: "a project's containers",
    of: ['docker', 'docker-compose', 'podman'],
    commands: 'up logs build pull push ps watch events top stats images',
    withValue: ['-f', '--file', '-p', '--profile'],
  },
  {
    why: 'a tool for clusters',
    of: ['kubectl'],
    commands: 'port-forward logs get describe top apply wait rollout proxy events',
    withValue: ['-n', '--context'],
  },
  { why: 'a dev server', of: ['artisan'], commands: 'serve queue:work queue:listen' },
  { why: 'a dev server', of: ['php'], commands: '-S' },
];

/** A helper that is started as a program which otherwise is an agent, or version control. */
export interface KnownArguments {
  readonly why: string;
  /** The program by any of its names. */
  readonly of: readonly string[];
  /** Its first arguments, exactly. */
  readonly begins: readonly string[];
}

/** It waits for a session; once it has one, the registry names it. */
export const SPARE_PROCESS = "Claude Code's spare process";

export const CLAUDE = ['claude', 'claude.exe', 'claude-code'];
const CODEX = ['codex', 'codex-cli'];

const helper = (why: string, of: readonly string[], ...begins: readonly string[]): KnownArguments => ({
  why,
  of,
  begins,
});

/** Helpers that these programs start and keep for themselves: they outlive every session and work for no agent. */
export const INFRASTRUCTURE_ARGUMENTS: readonly KnownArguments[] = [
  helper("Claude Code's daemon", CLAUDE, 'daemon', 'run'),
  helper("Claude Code's terminal host", CLAUDE, '--bg-pty-host'),
  helper(SPARE_PROCESS, CLAUDE, '--bg-spare'),
  helper("Claude Code's tools for others", CLAUDE, 'mcp', 'serve'),
  helper("Claude Code's browser bridge", CLAUDE, '--chrome-native-host'),
  helper("Cursor Agent's worker server", ['cursor-agent'], 'worker-server'),
  helper("Codex's app server", CODEX, 'app-server'),
  helper("git's file watcher", ['git'], 'fsmonitor--daemon'),
  helper("git's credential cache", ['git'], 'credential-cache--daemon'),
];

/** How an agent is told by its arguments to work in another directory than the one it was started in. */
export interface DirectoryArguments {
  readonly of: readonly string[];
  /** Options that the directory follows. */
  readonly options: readonly string[];
  /** The first argument may be the directory, unless it is one of these commands; lines of names. */
  readonly unlessCommands?: readonly string[];
}

export const DIRECTORY_ARGUMENTS: readonly DirectoryArguments[] = [
  { of: [...CODEX, '@just-every/code'], options: ['-C', '--cd'] },
  { of: ['copilot', 'copilot-cli'], options: ['-C'] },
  { of: ['crush', 'cline'], options: ['-c', '--cwd'] },
  { of: ['droid', 'grok'], options: ['--cwd'] },
  { of: ['cursor-agent'], options: ['--workspace'] },
  { of: ['kimi'], options: ['-w', '--work-dir'] },
  { of: ['kilo', 'kilocode', '@kilocode/cli'], options: ['--dir', '-w', '--workspace'] },
  { of: ['auggie'], options: ['-w', '--workspace-root'] },
  { of: ['gptme'], options: ['-w', '--workspace'] },
  { of: ['vibe'], options: ['--workdir'] },
  {
    of: ['opencode', 'opencode-ai'],
    options: ['--dir'],
    unlessCommands: ['acp agent attach auth mcp models pr run serve session web'],
  },
];
