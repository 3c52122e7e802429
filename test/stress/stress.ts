/**
 * Stress: real processes take, hold, release, take over and fix locks while they are killed and stopped at random; an oracle
 * looks for two holders at once and for lost live locks. One JSON line; exit code 1 if it finds any. `--protocol naive` runs the
 * original protocol, which must fail.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Lock } from '../../src/lock/agent-lock.ts';
import type { ContenderConfig } from './contender.ts';
import { EVENTS, type EventName } from './oracle.ts';
import { quickJudge } from './quick-judge.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    /** If too little has happened by then, as on a busy machine, the run goes on for up to this many seconds. */
    'at-most': { type: 'string', default: '0' },
    processes: { type: 'string', default: '8' },
    workers: { type: 'string', default: '3' },
    /** Where the town is created; default: in memory, if there is /dev/shm. `disk` is the temporary directory. */
    on: { type: 'string', default: existsSync('/dev/shm') ? '/dev/shm' : 'disk' },
    protocol: { type: 'string', default: 'guarded' },
    /** Foreign writers beside ours, which lock like the newer Go release. */
    foreign: { type: 'string', default: '0' },
    kills: { type: 'string', default: '8' },
    stops: { type: 'string', default: '8' },
    'foreign-writer': { type: 'string', default: '' },
  },
});

const seconds = Number(values.seconds);
const protocol = values.protocol === 'naive' ? 'naive' : 'guarded';
const base = values.on === 'disk' ? tmpdir() : values.on;
const home = mkdtempSync(join(base, 'stress-'));
const town = join(home, 'town');
const oracle = join(home, 'oracle');
const workers = Array.from({ length: Number(values.workers) }, (_each, at) => `w${at}`);
for (const worker of workers) mkdirSync(join(town, worker, '.runtime'), { recursive: true });
for (const worker of workers) mkdirSync(join(oracle, `slots-${worker}`), { recursive: true });

const contender = join(dirname(fileURLToPath(import.meta.url)), 'contender.mjs');
const running: ChildProcess[] = [];
/** Those that have begun: before that nothing is at stake, and a busy machine starts processes slowly. */
const begun = new Set<ChildProcess>();
let finishing = false;

const start = (at: number): void => {
  const foreign = at >= Number(values.processes);
  const role = at % 4 === 3 ? 'doctor' : 'agent';
  const config: ContenderConfig = { town, oracle, protocol, role, realJudge: at === 0 };
  const child = foreign
    ? spawn('perl', [values['foreign-writer'], town, oracle], { stdio: ['ignore', 'inherit', 'inherit'] })
    : spawn(process.execPath, [contender, JSON.stringify(config)], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        cwd: '/',
      });
  running[at] = child;
  if (foreign) begun.add(child);
  else child.once('message', () => begun.add(child));
  child.once('exit', () => {
    begun.delete(child);
    if (!finishing) start(at);
  });
};

const count = Number(values.processes) + Number(values.foreign);
for (let at = 0; at < count; at += 1) start(at);

const pick = (): ChildProcess | undefined => [...begun][Math.floor(Math.random() * begun.size)];
let kills = 0;
let stops = 0;
const startedAt = performance.now();
const endsAt = startedAt + seconds * 1000;
const latestEndAt = Math.max(endsAt, startedAt + Number(values['at-most']) * 1000);

const readCounts = (): Record<EventName, number> => {
  const path = join(oracle, 'events');
  const events = existsSync(path) ? readFileSync(path, 'latin1') : '';
  return Object.fromEntries(
    Object.entries(EVENTS).map(([name, letter]) => [name, events.split(letter).length - 1]),
  ) as Record<EventName, number>;
};

/** True once enough has happened for the result to mean something. */
const isTelling = (): boolean => {
  const { acquired, batches, overlaps, lost } = readCounts();
  if (protocol === 'naive') return overlaps + lost > 0;
  return kills > 20 && stops > 20 && acquired > 0 && batches > 0;
};

const isOver = (): boolean => {
  const now = performance.now();
  return now >= latestEndAt || (now >= endsAt && isTelling());
};

/** Waits a random time, `1 / perSecond` seconds on average; false when the run is over. */
const nextTurn = async (perSecond: number): Promise<boolean> => {
  // On a busy machine few live long enough to do something, so that later ones are disturbed less.
  const calm = performance.now() < endsAt ? 1 : 8;
  await sleep(((2000 * calm) / perSecond) * Math.random());
  return !isOver();
};

const killAtRandom = async (): Promise<void> => {
  while (await nextTurn(Number(values.kills))) {
    if (pick()?.kill('SIGKILL')) kills += 1;
  }
};

const stopAtRandom = async (): Promise<void> => {
  while (await nextTurn(Number(values.stops))) {
    const child = pick();
    if (!child?.kill('SIGSTOP')) continue;
    stops += 1;
    setTimeout(() => child.kill('SIGCONT'), 80 * Math.random());
  }
};

await Promise.all([killAtRandom(), stopAtRandom()]);
const endedAt = performance.now();
finishing = true;
await Promise.all(
  running.map(async (child) => {
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null)
      await new Promise((done) => child.once('exit', done));
  }),
);

/** Finally, every lock can be taken and released, and only kept copies and guards remain. */
const takeAll = async (): Promise<{ readonly takable: number; readonly leftovers: readonly string[] }> => {
  let takable = 0;
  for (const worker of workers) {
    const lock = new Lock(join(town, worker), { judge: quickJudge });
    try {
      await lock.acquire();
      await lock.release();
      takable += 1;
    } catch (error) {
      process.stderr.write(`${worker}: ${String(error)}\n`);
    }
  }
  const leftovers = workers.flatMap((worker) =>
    readdirSync(join(town, worker, '.runtime')).filter(
      // Another tool's staged file is left until it is a minute old.
      (name) => !/^agent\.lock\.(flock|tmp|released-.*)$/.test(name),
    ),
  );
  return { takable, leftovers };
};

const { takable, leftovers } = await takeAll();
const counted = readCounts();
const details = existsSync(join(oracle, 'details')) ? readFileSync(join(oracle, 'details'), 'utf8') : '';
if (details !== '') process.stderr.write(details.slice(0, 4000));
rmSync(home, { recursive: true, force: true });

/** A machine so busy that nothing was taken or released shows nothing. */
const isIdle = protocol === 'guarded' && (counted.acquired === 0 || counted.batches === 0);
if (isIdle)
  process.stderr.write(
    'Too little happened to tell anything: run it for longer (--seconds), or with fewer --kills.\n',
  );
const ok =
  !isIdle &&
  counted.overlaps === 0 &&
  counted.lost === 0 &&
  counted.error === 0 &&
  leftovers.length === 0 &&
  takable === workers.length;
const { protocol: _given, on, processes, foreign } = values;
process.stdout.write(
  `${JSON.stringify({
    protocol,
    on,
    processes: Number(processes),
    foreign: Number(foreign),
    seconds: Math.round((endedAt - startedAt) / 1000),
    kills,
    stops,
    ...counted,
    takable,
    leftovers: leftovers.length,
    ok,
  })}\n`,
);
process.exitCode = ok ? 0 : 1;
