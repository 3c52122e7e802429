/**
 * `npm run stress -- --go`: Gas Town's own lock package (rewritten in `go/main.go`, in its original form and with a guard) and
 * ours use the same workers while both are killed at random. One table with one row per pairing. Exit code 1 if two of ours
 * held one worker, or if ours and a guarded writer did although the record showed a live process. With `--window`, overlaps
 * beside the original without a guard are expected and shown.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    go: { type: 'boolean' },
    source: { type: 'string', default: '' },
    doctor: { type: 'string', default: '' },
    /** Seconds per pairing. */
    seconds: { type: 'string', default: '10' },
    kills: { type: 'string', default: '4' },
    /** Rows of the table by index, separated by commas; default all. */
    only: { type: 'string', default: '' },
    /** Milliseconds that the original waits at most between check and action, to make rare overlaps frequent. */
    window: { type: 'string', default: '0' },
    /** Print how the first overlap of each pairing happened. */
    trace: { type: 'boolean', default: false },
  },
});

interface Pairing {
  readonly go: number;
  readonly protocol: 'seed' | 'guarded';
  readonly exec: number;
  readonly library: number;
  readonly record: 'process' | 'helper';
}

const pair = (
  protocol: Pairing['protocol'],
  go: number,
  [exec, library]: readonly [exec: number, library: number],
  record: Pairing['record'] = 'process',
): Pairing => ({ go, protocol, exec, library, record });

const PAIRINGS: readonly Pairing[] = [
  pair('seed', 4, [0, 0]),
  pair('guarded', 4, [0, 0]),
  pair('seed', 1, [3, 0]),
  pair('seed', 1, [0, 3]),
  pair('guarded', 1, [3, 0]),
  pair('guarded', 1, [0, 3]),
  pair('seed', 1, [3, 0], 'helper'),
  pair('guarded', 1, [3, 0], 'helper'),
  pair('seed', 0, [3, 2], 'helper'),
];

const contender = join(dirname(fileURLToPath(import.meta.url)), 'beside-go-contender.mjs');

/** Runs one pairing and counts its events. */
const run = async (pairing: Pairing, goWriter: string) => {
  const home = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'beside-go-'));
  const town = join(home, 'town');
  const workers = ['w0', 'w1'];
  for (const worker of workers) {
    mkdirSync(join(town, worker, '.runtime'), { recursive: true });
    mkdirSync(join(home, `slots-${worker}`));
  }
  const commandOf = (at: number): readonly string[] => {
    if (at < pairing.go) return [goWriter, town, home, pairing.protocol];
    if (at < pairing.go + pairing.library) return [process.execPath, contender, 'library', town, home];
    const worker = workers[Math.floor(Math.random() * workers.length)] ?? '';
    const exec = [
      process.execPath,
      values.doctor,
      'exec',
      '--town',
      town,
      '--record',
      pairing.record,
      worker,
    ];
    return [...exec, '--', process.execPath, contender, 'hold', town, home, worker];
  };
  const running: ChildProcess[] = [];
  let finishing = false;
  const start = (at: number): void => {
    const [program = '', ...args] = commandOf(at);
    const env = {
      ...process.env,
      STRESS_WINDOW_MS: values.window,
      ...(values.trace ? { STRESS_TRACE: '1' } : {}),
    };
    const child = spawn(program, args, { stdio: 'ignore', cwd: '/', env });
    running[at] = child;
    child.once('exit', () => {
      if (!finishing) start(at);
    });
  };
  const size = pairing.go + pairing.exec + pairing.library;
  for (let at = 0; at < size; at += 1) start(at);
  let kills = 0;
  const endsAt = performance.now() + Number(values.seconds) * 1000;
  while (performance.now() < endsAt) {
    await sleep((2000 / Number(values.kills)) * Math.random());
    if (running[Math.floor(Math.random() * size)]?.kill('SIGKILL')) kills += 1;
  }
  finishing = true;
  await Promise.all(
    running.map((child) => new Promise((done) => child.once('exit', done) && child.kill('SIGKILL'))),
  );
  await sleep(500); // lets commands whose doctor was killed end
  const read = (name: string): string =>
    existsSync(join(home, name)) ? readFileSync(join(home, name), 'utf8') : '';
  const details = read('details').split('\n');
  const count = (pattern: RegExp): number => details.filter((line) => pattern.test(line)).length;
  const ours = count(/^overlaps: \S+-ours and \S+-ours /);
  const go = count(/^overlaps: \S+-go and \S+-go /);
  const row = {
    go: pairing.go === 0 ? '-' : `${pairing.go} ${pairing.protocol}`,
    exec: pairing.exec === 0 ? '-' : `${pairing.exec} (${pairing.record})`,
    library: pairing.library || '-',
    kills,
    'holds go': read('holds-go').length,
    'holds ours': read('holds-ours').length,
    'overlaps go/go': go,
    'go/ours': count(/^overlaps: /) - ours - go,
    'ours/ours': ours,
    'lost go': count(/^lost: \S+-go /),
    'lost ours': count(/^lost: \S+-ours /),
    errors: count(/^(error|go could not): /),
  };
  if (values.trace)
    for (const isTold of [isOfBoth, isOfOurs])
      console.log(storyOf(details.filter(isTold), read('trace').split('\n'), pairing));
  rmSync(home, { recursive: true, force: true });
  return row;
};

/** Lines shown before and after the arrival of the second holder. */
const LINES_BEFORE = 12;
const LINES_AFTER = 4;

const isOfOurs = (line: string): boolean => /^overlaps: \S+-ours and \S+-ours /.test(line);
const isOfBoth = (line: string): boolean =>
  line.startsWith('overlaps: ') && !isOfOurs(line) && /-ours /.test(line);

/** How the first of these overlaps happened, in the order of events at that worker. */
const storyOf = (details: readonly string[], trace: readonly string[], pairing: Pairing): string => {
  const title = `${pairing.go} ${pairing.protocol} beside exec ${pairing.exec} (${pairing.record}), library ${pairing.library}`;
  const first = /^overlaps: (\S+) and (\S+) both hold (\S+)$/.exec(details[0] ?? '');
  if (first === null) return `${title}: no such overlap`;
  const [, late = '', early = '', worker = ''] = first;
  const there = trace.filter((line) => line.startsWith(`${worker} `));
  // Both take the lock often: find the hold of the later one that began before the earlier one ended its own.
  const at = there.findIndex((line, index) => {
    if (!line.includes(` ${late} `) || !/holds it|has written/.test(line)) return false;
    const before = there.slice(0, index).filter((other) => other.includes(` ${early} `));
    return /holds it|has written/.test(before.at(-1) ?? '');
  });
  const shown = there.slice(Math.max(0, at - LINES_BEFORE), at + LINES_AFTER);
  return [`${title}: ${late} and ${early} both hold ${worker}`, ...shown.map((line) => `  ${line}`)].join(
    '\n',
  );
};

const main = async (): Promise<void> => {
  if (spawnSync('go', ['version']).status !== 0) {
    console.log('skipped: there is no go on this machine (Debian, Ubuntu: apt-get install golang-go)');
    return;
  }
  const build = mkdtempSync(join(tmpdir(), 'go-writer-'));
  try {
    const goWriter = join(build, 'go-writer');
    execFileSync('go', ['build', '-o', goWriter, values.source], { stdio: 'inherit' });
    const rows: { readonly pairing: Pairing; readonly row: Awaited<ReturnType<typeof run>> }[] = [];
    const only = values.only === '' ? null : values.only.split(',').map(Number);
    const chosen = only === null ? PAIRINGS : only.flatMap((index) => PAIRINGS[index] ?? []);
    for (const pairing of chosen) rows.push({ pairing, row: await run(pairing, goWriter) });
    console.table(rows.map(({ row }) => row));
    const isBroken = ({ pairing, row }: (typeof rows)[number]): boolean =>
      // The original removes any lock, ours too, after which two of ours may rarely meet.
      (row['ours/ours'] > 0 && (pairing.protocol === 'guarded' || values.window === '0')) ||
      (pairing.protocol === 'guarded' && pairing.record === 'process' && row['go/ours'] > 0);
    if (rows.some(isBroken)) process.exitCode = 1;
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
};

await main();
