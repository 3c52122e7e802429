import { describe, expect, test } from '@jest/globals';
import { isAgentCommand } from '../../../src/core/programs/by-name.ts';
import { processNames } from '../../../src/evidence/processes/process-names.ts';

const CLAUDE = '/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js';

describe('the names of a process', () => {
  test.each<[string, string[], string[]]>([
    ['sleep', ['/bin/sleep', '600'], ['sleep']],
    ['sleep', ['claude', '600'], ['sleep', 'claude']],
    ['bash', ['-bash'], ['bash']],
    ['2.1.29', ['claude', '--resume'], ['2.1.29', 'claude']],
    [
      'node',
      ['node', CLAUDE, '--print', 'secret'],
      ['node', 'cli.js', 'cli', 'claude-code', '@anthropic-ai/claude-code'],
    ],
    [
      'MainThread',
      ['/usr/bin/node', CLAUDE],
      ['MainThread', 'node', 'cli.js', 'cli', 'claude-code', '@anthropic-ai/claude-code'],
    ],
    ['node', ['node', '--max-old-space-size=4096', '-r', './hook.js', '/usr/bin/codex'], ['node', 'codex']],
    ['node', ['node', '/a/node_modules/opencode-ai/bin/run'], ['node', 'run', 'opencode-ai']],
    ['node', ['node', '-e', 'claude'], ['node']],
    ['node', ['node', '--', 'agent.mjs'], ['node', 'agent.mjs', 'agent']],
    ['python3.11', ['python3.11', '-u', '-m', 'aider', 'x'], ['python3.11', 'aider']],
    ['python3', ['python3', '-uc', 'import aider'], ['python3']],
    ['python3', ['/usr/bin/python3', '-W', 'ignore', '/usr/local/bin/aider'], ['python3', 'aider']],
    ['sh', ['sh', '-c', 'claude'], ['sh']],
    ['bash', ['bash', '-e', '/opt/bin/goose.sh'], ['bash', 'goose.sh', 'goose']],
    ['bash', ['bash', '-lc', 'claude'], ['bash']],
    ['bun', ['bun', 'run', '/x/opencode.ts'], ['bun', 'opencode.ts', 'opencode']],
    ['perl', ['perl', '-le', 'print'], ['perl']],
    [
      'node',
      ['node', '/x/node_modules/@kilocode/cli/main.js'],
      ['node', 'main.js', 'main', 'cli', '@kilocode/cli'],
    ],
    ['python3', ['python3', '/v/lib/site-packages/gptme/cli.py'], ['python3', 'cli.py', 'cli', 'gptme']],
    [
      'node',
      [
        '/home/u/.local/bin/agent',
        '--use-system-ca',
        '/home/u/.local/share/cursor-agent/versions/2025.09/index.js',
      ],
      ['node', 'agent', 'index.js', 'index', 'cursor-agent'],
    ],
    [
      'MainThread',
      ['agent', '/u/cursor-agent/versions/1/index.js'],
      ['MainThread', 'agent', 'index.js', 'index', 'cursor-agent'],
    ],
    ['MainThread', ['claude', 'a secret prompt'], ['MainThread', 'claude']],
    ['agent', ['/home/u/.local/share/cursor-agent/versions/2025.09/agent'], ['agent', 'cursor-agent']],
    ['agent', ['/opt/datadog/versions/agent'], ['agent']],
    // The directory of a version manager is not a product: the script decides.
    ['python3', ['/u/.pyenv/versions/3.11.2/bin/python3', 'agent.py'], ['python3', 'agent.py', 'agent']],
    ['node', ['/u/.nvm/versions/node/v20.1.0/bin/node', 'agent.js'], ['node', 'agent.js', 'agent']],
    // A script that is named like a tool is not the tool unless it is installed where the tool is.
    ['python3', ['python3', 'script.py'], ['python3', 'script.py']],
    ['node', ['node', '/w/watch.js'], ['node', 'watch.js']],
    ['node', ['node', '/src/clone/dist/bin/doctor.js', 'exec'], ['node', 'doctor.js', 'doctor']],
    ['node', ['node', '/usr/share/yarn/bin/yarn.js'], ['node', 'yarn.js', 'yarn']],
    ['node', ['node', '/w/.yarn/releases/yarn-4.5.0.cjs'], ['node', 'yarn-4.5.0.cjs', 'yarn']],
    ['node', ['node', '/w/node_modules/jest/bin/jest.js'], ['node', 'jest.js', 'jest']],
    // Runtimes and shells that run a script in their own process.
    ['fish', ['fish', 'ralph.fish'], ['fish', 'ralph.fish', 'ralph']],
    ['fish', ['fish', '-C', 'source x.fish', '--no-config'], ['fish']],
    ['fish', ['fish', '-c', 'claude'], ['fish']],
    ['tcsh', ['-tcsh'], ['tcsh']],
    ['csh', ['csh', '-f', './ralph.csh'], ['csh', 'ralph.csh', 'ralph']],
    ['ksh93', ['ksh93', 'ralph'], ['ksh93', 'ralph']],
    ['mksh', ['mksh', '-o', 'vi'], ['mksh']],
    ['pwsh', ['pwsh', '-NoLogo', '-ExecutionPolicy', 'Bypass'], ['pwsh']],
    ['pwsh', ['pwsh', '-NoProfile', '-File', '/w/x.ps1'], ['pwsh', 'x.ps1']],
    ['pwsh', ['pwsh', '-NoExit', '-Command', '. start.ps1'], ['pwsh']],
    ['nu', ['nu', '-e', 'source x.nu', '-m', 'light'], ['nu']],
    ['nu', ['nu', 'agent.nu'], ['nu', 'agent.nu', 'agent']],
    ['elvish', ['elvish', '-norc', 'agent.elv'], ['elvish', 'agent.elv', 'agent']],
    ['xonsh', ['python3', '/usr/bin/xonsh', 'agent.xsh'], ['xonsh', 'python3', 'agent.xsh', 'agent']],
    ['xonsh', ['python3', '/usr/bin/xonsh'], ['xonsh', 'python3']],
    ['dotnet', ['dotnet', 'my-agent.dll'], ['dotnet', 'my-agent.dll', 'my-agent']],
    ['dotnet', ['dotnet', 'exec', '--roll-forward', 'Major', '/w/a.dll'], ['dotnet', 'a.dll', 'a']],
    ['dotnet', ['dotnet', 'build', 'a.dll'], ['dotnet']],
    ['node', ['node', '/w/node_modules/.bin/ts-node', 'agent.ts'], ['node', 'ts-node', 'agent.ts', 'agent']],
    [
      'node',
      ['node', '/w/node_modules/ts-node-dev/lib/wrap.js', 'agent.ts'],
      ['node', 'wrap.js', 'wrap', 'ts-node-dev', 'agent.ts', 'agent'],
    ],
    ['gawk', ['gawk', '{ print $1 }', 'secret'], ['gawk']],
    ['gawk', ['gawk', '-f', 'agent.awk'], ['gawk', 'agent.awk', 'agent']],
    ['emacs', ['emacs', '--script', 'agent.el'], ['emacs', 'agent.el', 'agent']],
    ['nvim', ['nvim', 'notes.md'], ['nvim']],
    ['.nvim-wrapped', ['nvim', '-l', 'agent.lua'], ['.nvim-wrapped', 'nvim', 'agent.lua', 'agent']],
    ['kworker/0:1', [], ['kworker/0:1']],
    ['', [''], []],
  ])('of %s %j are %j', (comm, argv, names) => {
    expect(processNames(comm, argv)).toEqual(names);
  });

  const VENV = '/w/myenv/bin/python3';

  test.each<[string, string[], string[]]>([
    // A tool's name counts where tools are installed, and of any other program it proves nothing.
    ['python3', ['python3', './go'], ['python3', './go']],
    ['go', ['/usr/bin/python3', './go'], ['./go', 'python3']],
    ['bash', ['bash', 'go'], ['bash', './go']],
    ['bash', ['bash', '/town/gastown/crew/ada/bin/watch'], ['bash', './watch']],
    ['bash', ['bash', 'bin/watch'], ['bash', './watch']],
    ['sh', ['sh', 'supervisord'], ['sh', './supervisord']],
    ['python3', ['python3', '-m', 'watch'], ['python3', './watch']],
    ['node', ['node', '/w/watch/watch.js'], ['node', 'watch.js']],
    ['python3', ['python3', '-m', 'pytest'], ['python3', 'pytest']],
    ['python3', ['python3', '-m', 'http.server'], ['python3', 'http.server', 'http']],
    ['pytest', ['/w/.venv/bin/python3', '/w/.venv/bin/pytest'], ['pytest', 'python3']],
    ['pytest', ['/w/.venv/bin/python3', '.venv/bin/pytest'], ['pytest', 'python3']],
    ['pytest', [VENV, 'myenv/bin/pytest'], ['pytest', 'python3']],
    ['python3', [VENV, '/w/myenv/bin/tox'], ['python3', 'tox']],
    ['node', ['node', 'node_modules/.bin/vite'], ['node', 'vite']],
    ['node', ['node', '/home/ann/.nvm/versions/node/v20.1.0/bin/pnpm'], ['node', 'pnpm']],
    // The directory of all commands is nobody's name: who teaches it lets every program there pass.
    [
      'node',
      ['node', '/opt/nvm/versions/node/v20.1.0/bin/ts-node', 'x.ts'],
      ['node', 'ts-node', 'x.ts', 'x'],
    ],
    ['node', ['node', '/w/node_modules/.bin/new-agent'], ['node', 'new-agent']],
    ['node', ['node', 'node_modules/.pnpm/ai@1/node_modules/ai/x.js'], ['node', 'x.js', 'x', 'ai']],
    // A scope that anybody can have does not lend its package a tool's name.
    ['node', ['node', '/w/node_modules/@acme/next/index.js'], ['node', 'index.js', 'index', '@acme/next']],
    ['node', ['node', '/w/node_modules/@acme/next/bin/next'], ['node', './next', '@acme/next']],
    ['node', ['node', '/w/node_modules/next/dist/bin/next'], ['node', 'next']],
    ['node', ['node', '/w/node_modules/@biomejs/biome/bin/biome'], ['node', 'biome', '@biomejs/biome']],
    // VS Code, and an agent with the same name.
    ['node', ['node', '/usr/bin/code'], ['node', './code']],
    ['sh', ['sh', '/usr/bin/code', '--wait', 'x'], ['sh', 'code']],
    ['code', ['code'], ['./code']],
    ['code', ['/home/ann/.local/bin/code', 'exec'], ['./code']],
    ['code', ['/usr/share/code/code', '.'], ['code']],
    ['code', ['/proc/self/exe', '--type=utility'], ['code', 'exe']],
    ['code', ['code', 'tunnel'], ['code']],
    // What runs an agent again and again names it between two runs.
    ['watch', ['watch', '-n', '300', 'claude', '-p', 'go on'], ['watch', 'claude']],
    ['watch', ['watch', 'cd /w && A=b /opt/bin/codex exec | tee log'], ['watch', 'codex']],
    ['watch', ['watch', 'ls', 'claude'], ['watch']],
    ['watch', ['watch', '-n5', 'git log --author claude'], ['watch']],
    ['xargs', ['xargs', '-P', '4', '-I{}', 'claude', '-p', '{}'], ['xargs', 'claude']],
    ['entr', ['entr', '-r', 'codex', 'exec', 'x'], ['entr', 'codex']],
    ['watch', ['watch', './agent.sh', '--loop'], ['watch agent.sh']],
    ['watch', ['watch', 'sudo -E timeout 60 ./agent.sh'], ['watch agent.sh']],
    ['watch', ['watch', 'cd x; python3 -u agent.py'], ['watch agent.py']],
    ['xargs', ['xargs', '-n', '1', 'sh', '-c', 'claude -p "$0"'], ['sh -c']],
    ['watch', ['watch', './agent.sh | claude'], ['watch agent.sh', 'claude']],
    ['watch', ['watch', '-d', "ps aux | grep 'a|b'; kubectl get pods"], ['watch']],
    ['entr', ['entr', '-c', 'npx', 'tsc', '--noEmit'], ['entr']],
    ['xargs', ['xargs', '-0', 'rm'], ['xargs']],
    ['watch', ['watch', 'find . -name x -exec my-agent {} +'], ['watch find']],
    ['watch', ['watch', 'fd', '-x', 'my-agent'], ['watch fd']],
    ['watch', ['watch', 'git -c alias.x=!my-agent x'], ['watch git']],
    ['watch', ['watch', 'tmux new-window my-agent'], ['watch tmux']],
    ['watch', ['watch', "awk 'BEGIN { system(x) }'"], ['watch awk']],
    ['watch', ['watch', 'sed 1e my-agent'], ['watch sed']],
    ['watch', ['watch', 'vim -c !my-agent'], ['watch vim']],
    ['watch', ['watch', 'less +!my-agent x'], ['watch less']],
    ['watch', ['watch', 'tar -cf x --checkpoint-action=exec=my-agent .'], ['watch tar']],
    ['watch', ['watch', 'xargs my-agent'], ['watch xargs']],
    ['watch', ['watch', 'docker run my-agent'], ['watch docker']],
    ['watch', ['watch', 'sudo -u postgres my-agent'], ['watch my-agent']],
    ['entr', ['entr', 'npm', 'run', 'agent'], ['entr npm']],
    ['entr', ['entr', '-r', 'make'], ['entr make']],
    ['entr', ['entr', 'make', 'test', 'agent'], ['entr make']],
    ['watchexec', ['watchexec', '--', 'cargo', 'run'], ['watchexec cargo']],
    ['watch', ['watch', 'find . -name x | wc -l'], ['watch']],
    ['watch', ['watch', '-n5', 'git -C web status'], ['watch']],
    ['watch', ['watch', 'tmux ls; bd ready; doctor locks'], ['watch']],
    ['watch', ['watch', "ps aux | awk '{ print $2 }'"], ['watch']],
    ['watch', ['watch', 'ssh host uptime'], ['watch']],
    ['entr', ['entr', 'make', '-j4', 'test'], ['entr']],
    ['entr', ['entr', 'npm', 'test'], ['entr']],
    ['watchexec', ['watchexec', '-r', '--', 'cargo', 'test', 'name'], ['watchexec']],
    ['xargs', ['xargs'], ['xargs']],
    // What argv[0] alone says of an interpreter.
    ['node', ['vim', 'a.js'], ['node', 'a.js', 'a']],
  ])('of a tool or of what is only called so, %s %j, are %j', (comm, argv, names) => {
    expect(processNames(comm, argv)).toEqual(names);
  });

  test.each<[string, string[], string, string[]]>([
    ['code', ['code'], '/usr/share/code/code', ['code']],
    ['code', ['code'], '/home/ann/src/code/target/release/code', ['./code']],
    ['vim', ['vim'], '/usr/bin/node', ['./vim']],
    ['vi', ['vi'], '/usr/bin/nvim', ['vi']],
    ['vim', ['vim'], '/usr/bin/vim.basic', ['vim']],
    // Built here and called like a tool, or renamed by itself.
    ['micro', ['./micro'], '/town/gastown/crew/ada/micro', ['./micro']],
    ['go', ['target/debug/go'], '/town/gastown/crew/ada/target/debug/go', ['./go']],
    ['vim', ['./vim'], '/usr/bin/vim', ['vim']],
    [
      'esbuild',
      ['./node_modules/.bin/esbuild'],
      '/w/node_modules/@esbuild/linux-x64/bin/esbuild',
      ['esbuild'],
    ],
    ['ruff', ['.venv/bin/ruff'], '/w/.venv/bin/ruff', ['ruff']],
    ['vim', ['/opt/my-agent'], '/opt/my-agent', ['./vim', 'my-agent']],
    ['vim', ['an-editor'], '/usr/bin/vim.basic', ['vim', 'an-editor']],
    [
      'postgres',
      ['postgres: checkpointer'],
      '/usr/lib/postgresql/15/bin/postgres',
      ['postgres', 'postgres: checkpointer'],
    ],
    ['webpack', ['webpack'], '/usr/bin/node', ['webpack']],
    ['npm run dev', ['npm run dev'], '/usr/bin/node', ['npm run dev']],
    [
      'puma 6.4.2',
      ['puma 6.4.2 (tcp://[::]:3000) [app]'],
      '/usr/bin/ruby3.1',
      ['puma 6.4.2', 'puma 6.4.2 (tcp://[::]:3000) [app]'],
    ],
    ['cc', ['cc'], '/usr/bin/x86_64-linux-gnu-gcc-12', ['cc']],
    ['less', ['less'], '/bin/busybox', ['less']],
    ['npm run dev', ['npm run dev'], '/opt/my-agent', ['./npm run dev']],
    ['make', ['make'], '/srv/my-agent', ['./make']],
    ['tmux: server', ['tmux', 'new'], '/srv/my-agent', ['./tmux: server', './tmux']],
    ['node', ['node', '/data/node/bin/yarn'], '/data/node/bin/node', ['node', 'yarn']],
  ])('of %s %j in %s are %j', (comm, argv, executable, names) => {
    expect(processNames(comm, argv, () => executable)).toEqual(names);
  });

  test('never contain another argument, such as a secret or a prompt that mentions an agent', () => {
    const names = processNames('node', ['node', '/srv/app.js', 'claude', '--token=s3cret', '/usr/bin/codex']);
    expect(names).toEqual(['node', 'app.js', 'app']);
    expect(isAgentCommand(names, [])).toBe(false);
  });
});
