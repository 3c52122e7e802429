import { chmodSync, mkdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { findCommand, findProgram, findSystemProgram } from '../../../src/io/programs/find-program.ts';
import { cleanUp, makeTown, onCleanUp } from '../../support/index.ts';

describe('findProgram', () => {
  afterEach(cleanUp);

  test('returns the first executable file in PATH, not a directory or a plain file of that name', () => {
    const { path, write } = makeTown();
    mkdirSync(path('a', 'tool'), { recursive: true });
    write('b/tool', 'plain');
    chmodSync(write('c/tool', '#!/bin/sh'), 0o755);
    chmodSync(write('d/tool', '#!/bin/sh'), 0o755);
    const PATH = ['a', 'b', 'c', 'd'].map((name) => path(name)).join(':');
    expect(findProgram('tool', { PATH })).toBe(path('c', 'tool'));
    expect(findProgram('other', { PATH })).toBeNull();
  });

  test('searches the usual directories if PATH is not set', () => {
    expect(findProgram('env', {})).toMatch(/^\/(usr\/)?bin\/env$/);
  });
});

describe('the search path', () => {
  afterEach(cleanUp);

  const withTool = () => {
    const { path, write } = makeTown();
    chmodSync(write('bin/tool', '#!/bin/sh'), 0o755);
    return { here: path('bin'), tool: path('bin', 'tool') };
  };

  test('contains no relative or empty element of PATH', () => {
    const { here } = withTool();
    const before = process.cwd();
    onCleanUp(() => process.chdir(before));
    process.chdir(here);
    for (const PATH of ['.', '', ':', '../bin', './', `:/nowhere:`])
      expect(findProgram('tool', { PATH })).toBeNull();
  });

  test('is the one that a shell would use for a command that the caller names', () => {
    const { here, tool } = withTool();
    for (const PATH of ['.', '', '/nowhere:', '../bin'])
      expect(findCommand('tool', { PATH }, here)).toBe(tool);
  });

  test('begins with the directories of the system for its own programs', () => {
    const { here } = withTool();
    expect(findSystemProgram('sh', { PATH: here })).toMatch(/^\/(usr\/)?bin\/sh$/);
    expect(findSystemProgram('tool', { PATH: here })).toBe(`${here}/tool`);
    expect(findSystemProgram('tool', { PATH: '.' })).toBeNull();
  });
});
