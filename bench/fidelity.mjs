// Checks that a scan finds the same locks as find, and counts its system calls.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { findLocks, succeeds } from './contenders.mjs';

/** Compares the locks of each way of scanning with those of find. */
export const checkFidelity = ({ town, bundle, env }) => {
  const list = (args) =>
    execFileSync('find', args, { env, maxBuffer: 1e9 })
      .toString()
      .split('\n')
      .filter((path) => path.endsWith('/.runtime/agent.lock'))
      .sort();
  const expected = { deep: list(findLocks(town, false)), default: list(findLocks(town, true)) };
  let directories = 0;
  const different = [];
  for (const [mode, paths] of Object.entries(expected)) {
    for (const threads of ['1', '2']) {
      const output = execFileSync(process.execPath, [bundle, town, mode, threads], { env, maxBuffer: 1e9 });
      const result = JSON.parse(output.toString());
      if (JSON.stringify(result.paths) !== JSON.stringify(paths))
        different.push(`${mode}, ${threads} threads`);
      if (mode === 'deep') directories = result.directories;
    }
  }
  return { equal: different.length === 0, different, locks: expected.deep.length, directories };
};

/** System calls per directory of a full scan, without Node's start; undefined without strace. */
export const countSystemCalls = ({ town, bundle, env, scratch, paths }, directories) => {
  if (!succeeds('strace', ['-V'])) return undefined;
  const count = (root) => {
    const summary = join(scratch, 'strace.txt');
    execFileSync('strace', ['-c', '-o', summary, process.execPath, bundle, root, 'deep', '1'], {
      env,
      maxBuffer: 1e9,
    });
    const total = execFileSync('tail', ['-n', '1', summary]).toString().trim().split(/\s+/);
    return Number(total[3] ?? Number.NaN);
  };
  return [(count(town) - count(paths.EMPTY)) / directories];
};
