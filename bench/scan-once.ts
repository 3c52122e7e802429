/**
 * One scan in a fresh process, timed inside it to exclude Node's start: prints a JSON line with milliseconds, peak memory in MiB
 * and the paths found.
 *
 *   node scan-once.mjs ROOT default|deep|quick [1|2|auto] [read]
 */
import { readFileSync } from 'node:fs';
import { readLocks } from '../src/evidence/locks/read-locks.ts';
import { type ScanOptions, scanTown } from '../src/evidence/scan/scan.ts';
import { displayPath } from '../src/io/disk/disk-path.ts';

/** On Linux `maxRSS` of a program includes the peak of the process that started it. */
const peakKiB = (): number =>
  process.platform === 'linux'
    ? Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
    : process.resourceUsage().maxRSS;

const [root = '.', mode = 'default', threads = '1', read] = process.argv.slice(2);
const begin = performance.now();
const { locks, directories } = await scanTown({
  root,
  mode: mode as ScanOptions['mode'],
  threads: threads === 'auto' ? 'auto' : threads === '2' ? 2 : 1,
});
if (read === 'read') readLocks(locks, root);
const ms = performance.now() - begin;
process.stdout.write(
  JSON.stringify({
    ms,
    peakMiB: peakKiB() / 1024,
    directories,
    paths: locks.map(({ path }) => displayPath(path)).sort(),
  }),
);
