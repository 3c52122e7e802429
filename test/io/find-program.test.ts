import { chmodSync, mkdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { findProgram } from '../../src/io/find-program.ts';
import { cleanUp, makeTown } from '../support/index.ts';

describe('looking for a program', () => {
  afterEach(cleanUp);

  test('takes the first executable file in PATH, and neither directories nor plain files of its name', () => {
    const { path, write } = makeTown();
    mkdirSync(path('a', 'tool'), { recursive: true });
    write('b/tool', 'plain');
    chmodSync(write('c/tool', '#!/bin/sh'), 0o755);
    chmodSync(write('d/tool', '#!/bin/sh'), 0o755);
    const PATH = ['a', 'b', 'c', 'd'].map((name) => path(name)).join(':');
    expect(findProgram('tool', { PATH })).toBe(path('c', 'tool'));
    expect(findProgram('other', { PATH })).toBeNull();
  });

  test('knows the usual places where PATH is not set', () => {
    expect(findProgram('env', {})).toMatch(/^\/(usr\/)?bin\/env$/);
  });
});
