import { expect, test } from '@jest/globals';
import { classifyNames } from '../../../src/core/programs/by-name.ts';

const classOf = (...names: string[]) => classifyNames(names, { agents: [] })?.class ?? null;

/** As the kernel has it: cut after 15 bytes. */
const titled = (title: string) => classOf(title.slice(0, 15), title);

test.each([
  ...['code agent: thinking', 'go agent', 'next agent', 'git assistant', 'make: working', 'npm: thinking'],
  ...[
    'npm agent: thinking',
    'node (agent)',
    'next-server agent',
    'vim agent',
    'mcp-server-x agent',
    'ed: gpt',
  ],
])('the title %j proves nothing by its first word', (title) => {
  expect(titled(title)).toBeNull();
});

test.each([
  ['npm run dev', 'bystander'],
  ['npm exec vite --port 0', 'bystander'],
  ['ng serve', 'bystander'],
  ['next-server (v15.1.0)', 'bystander'],
  ['node (vitest 12)', 'bystander'],
  ['gunicorn: master [app]', 'bystander'],
  ['tmux: server', 'infrastructure'],
  ['claude agent: thinking', 'agent'],
])('the title %j is one that a known program writes: %s', (title, kind) => {
  expect(titled(title)).toBe(kind);
});

test('a program that keeps its kernel name may write anything over its arguments', () => {
  expect(classOf('postgres', 'postgres: checkpointer ')).toBe('bystander');
  expect(classOf('redis-server', 'redis-server *:6379')).toBe('bystander');
});

test.each(['fish', 'pwsh', 'tcsh', 'nu', 'xonsh', 'elvish', 'dotnet', 'ts-node', 'gawk', 'nvim', 'emacs'])(
  '%s is a bystander by itself, and with a script what the script is',
  (runtime) => {
    expect(classOf(runtime)).toBe('bystander');
    expect(classOf(runtime, 'ralph.x', 'ralph')).toBeNull();
    expect(classOf(runtime, 'claude')).toBe('agent');
  },
);

test('a wrapped runtime counts in the same way', () => {
  expect(classOf('.nvim-wrapped', 'nvim')).toBe('bystander');
  expect(classOf('.nvim-wrapped', 'nvim', 'agent.lua')).toBeNull();
});

test.each(['MSBuild.dll', 'VBCSCompiler.dll', 'OmniSharp.dll', 'testhost.dll', 'dotnet-watch.dll'])(
  "%s, one of .NET's own tools, stays a bystander",
  (tool) => {
    expect(classOf('dotnet', tool)).toBe('bystander');
  },
);
