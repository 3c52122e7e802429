/** How the tools of a developer's day are classified by what the kernel, their titles and their arguments show. */
import { describe, expect, test } from '@jest/globals';
import { roleByArguments } from '../../../src/core/programs/by-arguments.ts';
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
