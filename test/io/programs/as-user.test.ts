/** A program that root starts as another user inherits nothing from root. */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import { canBecomeOthers, cleanUp, OTHER_UID, onCleanUp } from '../../support/index.ts';

afterEach(cleanUp);

/** Skipped, visibly, where the tests cannot start processes as another user. */
const asRoot = canBecomeOthers && process.platform === 'linux' ? test : test.skip;

/** Prints everything that a child can inherit from its parent. */
const LOOK = [
  'echo "uid $(id -u) gid $(id -g) groups $(id -G)"',
  'pwd',
  'env',
  'for f in /proc/self/fd/*; do readlink $f; done | grep -c secret',
  '[ "$(cut -d" " -f6 /proc/$$/stat)" = $$ ] && echo leads its session',
].join('\n');

const QUESTION = `
  import { runCommand } from './src/io/programs/command.ts';
  const result = await runCommand('/bin/sh', ['-c', process.argv[2]], {
    timeoutMs: 10000, env: { ONLY: 'this' }, as: ${OTHER_UID}, few: process.argv[3] || undefined,
  });
  process.stdout.write(String(result.stdout));
  process.stderr.write(String(result.stderr));
`;

/** The output of a program started by a doctor whose own parent left it open descriptors, low and high. */
const answerOf = (few: '' | 'waiting' | 'listening'): readonly string[] => {
  const folder = mkdtempSync(join(tmpdir(), 'as-user-'));
  onCleanUp(() => rmSync(folder, { recursive: true, force: true }));
  const script = join(folder, 'ask.mjs');
  buildSync({
    stdin: { contents: QUESTION, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile: script,
    banner: {
      js: "import { createRequire as $cr } from 'node:module'; const require = $cr(import.meta.url);",
    },
  });
  const secret = openSync(join(folder, 'secret'), 'w', 0o600);
  const stdio = Array.from({ length: 90 }, (_, at) =>
    [3, 40, 89].includes(at) ? secret : at < 3 ? 'pipe' : 'ignore',
  );
  const { stdout, stderr } = spawnSync(process.execPath, [script, LOOK, few], {
    stdio: stdio as 'pipe'[],
    encoding: 'utf8',
    cwd: folder,
  });
  closeSync(secret);
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
};

describe('a program that root starts as another user (skipped without root)', () => {
  asRoot.each(['', 'waiting', 'listening'] as const)('inherits nothing from root (few: "%s")', (few) => {
    const lines = answerOf(few);
    expect(lines).toContain(`uid ${OTHER_UID} gid ${OTHER_UID} groups ${OTHER_UID}`);
    expect(lines).toContain('/');
    expect(lines).toContain('0');
    expect(lines).toContain('leads its session');
    expect(lines.filter((line) => /^(HOME|PATH|SSH_|USER)/.test(line))).toEqual([]);
    expect(lines).toContain('ONLY=this');
  });
});
