/**
 * One scan in a fresh process, timed inside it so that Node's own start is left out: prints a JSON line with
 * milliseconds, peak memory in MiB and the paths found.
 *
 *   node scan-once.mjs ROOT default|deep|quick [1|2|auto] [read]
 */
import { readFileSync } from 'node:fs';
import { readLocks } from '../src/evidence/locks/read-locks.ts';
import { type ScanOptions, scanTown } from '../src/evidence/scan/scan.ts';
import { displayPath } from '../src/io/disk/disk-path.ts';

const [root = '.', mode = 'default', threads = '1', read] = process.argv.slice(2);
const begin = performance.now();
const { locks, directories } = scanTown({
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

/** Linux counts the peak of whoever started a program into the program's own `maxRSS`. */
function peakKiB(): number {
  return process.platform === 'linux'
    ? Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
    : process.resourceUsage().maxRSS;
}
