/**
 * How many system calls a scan makes for each directory.
 * Runs beside others: its scanner walks its own tree, and nothing here lists processes.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { trustedDevice } from '../../../src/evidence/scan/leaf-rule.ts';
import { realDisk } from '../../../src/io/disk/disk.ts';
import { cleanUp, onCleanUp } from '../../support/index.ts';
import { bundleScanner } from './scanner-process.ts';

afterEach(cleanUp);

const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'calls-'));
  onCleanUp(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

/** A tree in which five of seven directories are leaves, as measured in real towns with packages. */
const makeTree = (root: string, branches: number): number => {
  let directories = 1;
  for (let index = 0; index < branches; index++) {
    for (const name of ['', '/dist', '/dist/types', '/dist/esm', '/dist/cjs', '/lib', '/docs']) {
      mkdirSync(`${root}/b${index}${name}`);
      for (let file = 0; file < 4; file++) writeFileSync(`${root}/b${index}${name}/file${file}`, '');
      directories++;
    }
  }
  return directories;
};

/** System calls of the scanning thread during a scan of `root`, including its start. */
const countCalls = (root: string): number => {
  const trace = join(newDirectory(), 'trace');
  const { status } = spawnSync('strace', ['-o', trace, process.execPath, bundleScanner(), root, 'deep']);
  expect(status).toBe(0);
  return readFileSync(trace, 'latin1').split('\n').length;
};

const hasStrace = spawnSync('strace', ['-V']).status === 0;
const trusted = trustedDevice(realDisk, tmpdir()) !== null;
const why = !hasStrace
  ? ' (skipped: no strace)'
  : trusted
    ? ''
    : ' (skipped: link counts are not trusted here)';
const countTest = why === '' ? test : test.skip;

countTest(`a full scan makes at most three system calls per directory${why}`, () => {
  const [small, large] = [newDirectory(), newDirectory()];
  const extra = makeTree(large, 400) - makeTree(small, 1);
  const calls = countCalls(large) - countCalls(small);
  expect(calls / extra).toBeLessThanOrEqual(3.0);
});
