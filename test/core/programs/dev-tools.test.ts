/** How the tools of a developer's day are classified by what the kernel, their titles and their arguments show. */
import { describe, expect, test } from '@jest/globals';
import { roleByArguments, roleOfPrompt } from '../../../src/core/programs/by-arguments.ts';
import { classifier } from '../../../src/core/programs/classify.ts';
import type { ProcessInfo } from '../../../src/core/types/evidence.ts';
import { givenArguments, processNames } from '../../../src/evidence/processes/process-names.ts';

const HOME = '/town/gastown/crew/ada';

interface Shown {
  readonly argv: readonly string[];
  /** The kernel's name; that of the program where it is left out. */
  readonly comm?: string;
  readonly cwd?: string;
  readonly executable?: string;
}

const describeOne = ({ argv, comm, cwd = HOME, executable }: Shown, at: number): ProcessInfo => {
  const kernel = comm ?? argv[0]?.split('/').at(-1) ?? '';
  const names = processNames(kernel, argv, () => executable ?? null);
  const role = roleByArguments(names, givenArguments(kernel, argv));
  return {
    pid: 100 + at,
    ppid: 99 + at,
    uid: 1000,
    names,
    startToken: null,
    startedAtMs: null,
    environment: null,
    ...(role === undefined ? {} : { role }),
    cwd: { seen: true, value: cwd },
  };
};

/** The class of the last of these, of which each was started by the one before. */
const classOf = (...line: readonly Shown[]): string => {
  const processes = line.map(describeOne);
  const last = processes.at(-1);
  if (last === undefined) throw new Error('no process');
  return classifier(new Map(processes.map((one) => [one.pid, one])), { agents: [] })(last).class;
};

const words = (line: string): Shown => ({ argv: line.split(' ') });

/** Of a program that runs under node or ruby and writes a title over its arguments, and over its kernel's name or not. */
const titled = (title: string, runtime: string): readonly Shown[] => [
  { argv: [title], comm: title.slice(0, 15), executable: `/usr/bin/${runtime}` },
  { argv: [title], comm: runtime, executable: `/usr/bin/${runtime}` },
];

describe('titles that servers and test runners write', () => {
  test.each([
    ['node (vitest)', 'node'],
    ['node (vitest 3)', 'node'],
    ['puma 6.4.2 (tcp://localhost:3000) [app]', 'ruby'],
    ['puma: cluster worker 0: 71 [app]', 'ruby'],
    ['sidekiq 7.2.0 app [0 of 5 busy]', 'ruby'],
    ['PM2 v5.3.0: God Daemon (/root/.pm2)', 'node'],
  ])('%s → bystander', (title, runtime) => {
    expect(titled(title, runtime).map((one) => classOf(one))).toEqual(['bystander', 'bystander']);
  });

  test.each([
    ['node (agent)', 'node'],
    ['puma agent', 'ruby'],
    ['PM2 agent: thinking', 'node'],
  ])('%s → unknown', (title, runtime) => {
    expect(titled(title, runtime).map((one) => classOf(one))).toEqual(['unknown', 'unknown']);
  });
});

describe('scripts of a project that a package manager or a runtime starts', () => {
  test.each([
    ...['bun run dev', 'bun dev', 'bun test --watch', 'bun --cwd web run dev', 'bun --filter web dev'],
    ...['bun --bun run dev', 'deno task dev', 'deno task --cwd web dev', 'deno test'],
    ...['npm --prefix web run dev', 'npm --workspace web run dev', 'npm -w web test', 'npm run -w web dev'],
    ...['pnpm --filter web dev', 'pnpm -r dev', 'pnpm -C web run dev', 'pnpm --filter=web test:watch'],
    ...['yarn workspace web dev', 'yarn --cwd web dev', 'npm run dev --workspace web'],
  ])('%s → bystander, and what it starts is a part of it', (line) => {
    const manager = /^(bun|deno)/.test(line) ? words(line) : words(`node /usr/bin/${line}`);
    expect([classOf(manager), classOf(manager, words('node server.js'))]).toEqual(['bystander', 'bystander']);
  });

  test.each([
    ...[
      'bun agent.ts dev',
      'bun run agent.ts',
      'bun agent',
      'bun x new-agent',
      'bun run dev:agent',
      'bun ./dev',
    ],
    ...['deno run dev', 'deno agent.ts test', 'deno task agent'],
  ])('%s → unknown', (line) => {
    expect(classOf(words(line))).toBe('unknown');
  });

  test.each([
    ...['npm --prefix dev exec agent', 'npm --workspace test run agent', 'pnpm --filter dev agent'],
    ...['pnpm -w agent dev', 'yarn workspace dev agent', 'yarn --cwd dev agent'],
  ])('what %s starts → unknown', (line) => {
    expect(classOf(words(`node /usr/bin/${line}`), words('node server.js'))).toBe('unknown');
  });
});

describe('tools of other languages', () => {
  test.each([
    ...['docker compose up', 'docker compose -f all.yml logs -f', 'docker-compose up', 'docker stats'],
    ...['kubectl port-forward svc/web 8080:80', 'kubectl -n web logs -f pod/web'],
    ...['php artisan serve', 'php -S localhost:8000 -t public', 'php -d memory_limit=-1 artisan queue:work'],
    ...[
      'python3 -m celery worker',
      '/v/bin/python3 /v/bin/fastapi dev',
      '/v/bin/python /v/bin/streamlit run app.py',
    ],
    ...[
      '/v/bin/python /v/bin/jupyter-lab',
      '/v/bin/python -m ipykernel_launcher -f k.json',
      'terraform apply',
    ],
    'java -classpath /m/boot/plexus-classworlds-2.8.jar -Dmaven.home=/m org.codehaus.plexus.classworlds.launcher.Launcher package',
    'java --add-opens java.base/java.lang=ALL-UNNAMED -cp g.jar org.gradle.launcher.daemon.bootstrap.GradleDaemon 8.5',
    'java -cp gradle/wrapper/gradle-wrapper.jar org.gradle.wrapper.GradleWrapperMain build',
  ])('%s → bystander', (line) => {
    expect(classOf(words(line))).toBe('bystander');
  });

  test.each([
    ...[
      'docker run -it image',
      'docker compose run agent',
      'docker compose -f up exec agent',
      'docker exec -it box agent',
    ],
    ...[
      'kubectl exec -it pod -- agent',
      'kubectl run agent',
      'php agent.php',
      'php artisan agent',
      'php serve',
    ],
    ...[
      'java -jar agent.jar',
      'java -cp org.gradle.launcher.daemon.bootstrap.GradleDaemon Agent',
      'python3 celery',
    ],
    ...['python3 streamlit.py', 'python3 jupyter-lab'],
    // They run it again and again, and between two runs nothing else shows it.
    ...['node /p/node_modules/.bin/nodemon --exec agent', 'node /p/node_modules/.bin/nodemon agent.js'],
    ...[
      'node /p/node_modules/.bin/tsx watch agent.ts',
      'tsx agent.ts',
      'reflex agent',
      'cargo-watch watch -x run',
    ],
  ])('%s → unknown', (line) => {
    expect(classOf(words(line))).toBe('unknown');
  });

  test('what a notebook, a queue or terraform starts counts by itself', () => {
    for (const line of [
      '/v/bin/python /v/bin/celery worker',
      '/v/bin/python /v/bin/jupyter-lab',
      'terraform apply',
    ])
      expect([line, classOf(words(line), words('new-agent'))]).toEqual([line, 'unknown']);
  });

  test('a jar and a main class are names that can be taught', () => {
    expect(processNames('java', ['java', '-Xmx1g', '-jar', 'lib/indexer.jar'])).toContain('indexer.jar');
    expect(processNames('java', ['java', '-cp', 'a.jar', 'com.acme.Indexer'])).toContain('com.acme.Indexer');
  });
});

describe("VS Code's server for remote windows, and extensions", () => {
  const SERVER = '/home/ann/.vscode-server/cli/servers/Stable-1a2b3c/server';
  const EXTENSIONS = '/home/ann/.vscode-server/extensions';

  test.each([
    `${SERVER}/node ${SERVER}/out/server-main.js --accept-server-license-terms`,
    `${SERVER}/node ${SERVER}/out/bootstrap-fork --type=extensionHost`,
    `${SERVER}/node ${SERVER}/extensions/json-language-features/server/dist/node/jsonServerMain --node-ipc`,
    `${SERVER}/node ${EXTENSIONS}/dbaeumer.vscode-eslint-3.0.10/server/out/eslintServer.js --node-ipc`,
    `${SERVER}/node ${EXTENSIONS}/ms-python.vscode-pylance-2024.8.1/dist/server.bundle.js --node-ipc`,
    `/v/bin/python3 ${EXTENSIONS}/ms-python.isort-2023.10.1/bundled/tool/lsp_server.py`,
    `${EXTENSIONS}/ms-vscode.cpptools-1.20.5-linux-x64/bin/cpptools`,
    '/home/ann/.cursor-server/bin/linux-x64/1a2b/node /home/ann/.cursor-server/bin/linux-x64/1a2b/out/server-main.js',
    '/home/ann/.windsurf-server/bin/1a2b/node /home/ann/.windsurf-server/bin/1a2b/out/server-main.js',
  ])('%s → bystander', (line) => {
    expect(classOf(words(line))).toBe('bystander');
  });

  test.each([
    `${EXTENSIONS}/anthropic.claude-code-2.0.31-linux-x64/resources/native-binary/claude --output-format stream-json`,
    `${SERVER}/node ${EXTENSIONS}/anthropic.claude-code-1.0.90/resources/claude-code/cli.js`,
  ])('%s → agent', (line) => {
    expect(classOf(words(line))).toBe('agent');
  });

  test.each([
    `${SERVER}/node ${EXTENSIONS}/acme.new-agent-1.2.3/dist/agent.js`,
    `/v/bin/python3 ${EXTENSIONS}/ms-python.debugpy-2024.10.0/bundled/libs/debugpy/launcher 4711 -- agent.py`,
    'node /town/gastown/crew/ada/extensions/golang.go-0.41.4/agent.js',
    'node server-main.js',
    'python3 redhat.py',
    'node vue.agent.js',
    'node jsonServerMain',
  ])('%s → unknown', (line) => {
    expect(classOf(words(line))).toBe('unknown');
  });
});

describe("an interpreter's prompt", () => {
  const classAtTerminal = (line: string, child?: string): string => {
    const argv = line.split(' ');
    const kernel = argv[0] ?? '';
    const names = processNames(kernel, argv);
    const role = roleOfPrompt(names, givenArguments(kernel, argv), () => true);
    const prompt = { ...describeOne({ argv }, 0), ...(role === undefined ? {} : { role }) };
    const last = child === undefined ? prompt : describeOne(words(child), 1);
    return classifier(new Map([prompt, last].map((one) => [one.pid, one])), { agents: [] })(last).class;
  };

  test.each(['python3', 'python3.11 -q', 'node', 'irb', 'ipython'])('%s → bystander', (line) => {
    expect(classAtTerminal(line)).toBe('bystander');
  });

  test.each([
    'python3 -i agent.py',
    'python3 -c code',
    'node -r ./agent.js',
    'node -e code',
    'bun',
    'ipython agent.py',
  ])('%s → unknown', (line) => {
    expect(classAtTerminal(line)).toBe('unknown');
  });

  test('what it starts counts by itself', () => {
    expect(classAtTerminal('python3', 'new-agent')).toBe('unknown');
  });

  test('without a terminal it may read an agent from its input → unknown', () => {
    expect(classOf(words('python3'))).toBe('unknown');
  });
});
