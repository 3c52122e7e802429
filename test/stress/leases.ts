/**
 * Stress of `exec --lease`: contenders on several machines (separate roots that share only etcd) run commands one after the other,
 * while etcd, doctors or whole machines are stopped, machines die, and leases are revoked by hand, at random. The commands look
 * for each other. One JSON line; exit code 1 if any overlapped, which `--on-lost warn` must show.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    lease: { type: 'boolean' },
    seconds: { type: 'string', default: '60' },
    /** If no overlap was seen by then, the run goes on for up to this many seconds: for the variant that must be caught. */
    'at-most': { type: 'string', default: '0' },
    contenders: { type: 'string', default: '4' },
    /** Seconds that a command lasts at most: one that outlasts a stopped etcd shows what `warn` does not prevent. */
    hold: { type: 'string', default: '12' },
    'on-lost': { type: 'string', default: 'stop' },
    doctor: { type: 'string', default: '' },
    command: { type: 'string', default: '' },
  },
});

const TTL = 5;
const WORKER = 'gastown/crew/ada';
/** Longer than etcd keeps a lease, with its grace period. */
const LONG_MS = (TTL + 3) * 1000;
/** How long a doctor may be stopped and still act in time: less than the lease lasts after its oldest request. */
const SHORT_MS = 2000;

const home = mkdtempSync(join(tmpdir(), 'stress-lease-'));
mkdirSync(join(home, 'slots'));
writeFileSync(join(home, 'store'), '0');

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

const client = `http://127.0.0.1:${await freePort()}`;
const peer = `http://127.0.0.1:${await freePort()}`;
const etcd = spawn(
  'etcd',
  [
    ...['--data-dir', join(home, 'etcd'), '--initial-cluster', `default=${peer}`],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
  ],
  { stdio: 'ignore' },
);

const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
  const signal = AbortSignal.timeout(2000);
  const answer = await fetch(`${client}/v3/${path}`, { method: 'POST', body: JSON.stringify(body), signal });
  return (await answer.json()) as Record<string, unknown>;
};

for (let tries = 0; ; tries += 1) {
  try {
    await post('kv/range', { key: 'AA==' });
    break;
  } catch (error) {
    if (tries > 100) throw error;
    await sleep(200);
  }
}

const roots = Array.from({ length: Number(values.contenders) }, (_each, at) => join(home, `machine${at}`));
for (const root of roots) {
  mkdirSync(join(root, WORKER), { recursive: true });
  mkdirSync(join(root, 'mayor'));
  writeFileSync(join(root, 'mayor/town.json'), '{"type":"town","version":1,"name":"stress"}');
}

let finishing = false;
const running: ChildProcess[] = [];
const codes = new Map<number | string, number>();

const startAt = (at: number): void => {
  const seconds = Math.random() < 0.5 ? Math.random() / 2 : 2 + (Number(values.hold) - 2) * Math.random();
  const lease = `etcd://${client.slice('http://'.length)}/gt`;
  const child = spawn(
    process.execPath,
    [
      ...[values.doctor, 'exec', WORKER, '--town', roots[at] ?? '', '--wait', '600', '--lease', lease],
      ...['--ttl', String(TTL), '--on-lost', values['on-lost'], '--'],
      ...['perl', values.command, home, String(at), String(seconds)],
    ],
    // Its own process group, so that doctor and command stop and die together, as on a real machine.
    { stdio: 'ignore', detached: true, env: { PATH: process.env.PATH, HOME: home, TMUX_TMPDIR: home } },
  );
  running[at] = child;
  child.once('exit', (code, signal) => {
    const how = code ?? signal ?? 'unknown';
    codes.set(how, (codes.get(how) ?? 0) + 1);
    setTimeout(() => {
      if (!finishing) startAt(at);
    }, 50);
  });
};

const counts = {
  etcdFrozen: 0,
  etcdFrozenLong: 0,
  doctorsFrozen: 0,
  machinesFrozen: 0,
  machinesKilled: 0,
  revoked: 0,
};
/** Epochs whose holder is protected only by the epoch; their overlaps are counted separately. */
const revoked = new Set<string>();
const frozen = new Set<string>();

const signal = (pid: number | undefined, name: NodeJS.Signals): void => {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch {
    // It has ended.
  }
};

interface Holder {
  readonly at: number;
  readonly epoch: string;
  readonly lease: string;
}

/** The current holder of the lease; null if there is none or etcd does not answer. */
const holder = async (): Promise<Holder | null> => {
  try {
    const key = Buffer.from(`gt/${WORKER}`).toString('base64');
    const { kvs } = await post('kv/range', { key });
    const [found] = kvs as Record<string, string>[];
    const record = JSON.parse(Buffer.from(found?.value ?? '', 'base64').toString('utf8')) as { root: string };
    return { at: roots.indexOf(record.root), epoch: found?.create_revision ?? '', lease: found?.lease ?? '' };
  } catch {
    return null;
  }
};

const freezeEtcd = async (ms: number): Promise<void> => {
  signal(etcd.pid, 'SIGSTOP');
  await sleep(ms);
  signal(etcd.pid, 'SIGCONT');
};

const disturb = async (): Promise<void> => {
  const dice = Math.random();
  if (dice < 0.2) {
    counts.etcdFrozen += 1;
    return freezeEtcd(SHORT_MS * Math.random());
  }
  if (dice < 0.45) {
    counts.etcdFrozenLong += 1;
    return freezeEtcd(LONG_MS);
  }
  const held = await holder();
  const child = held === null ? undefined : running[held.at];
  if (held === null || child?.pid === undefined) return;
  if (dice < 0.6) {
    counts.doctorsFrozen += 1;
    signal(child.pid, 'SIGSTOP');
    await sleep(SHORT_MS * Math.random());
    signal(child.pid, 'SIGCONT');
  } else if (dice < 0.75) {
    counts.machinesFrozen += 1;
    frozen.add(held.epoch);
    signal(-child.pid, 'SIGSTOP');
    await sleep(LONG_MS);
    signal(-child.pid, 'SIGCONT');
  } else if (dice < 0.85) {
    counts.machinesKilled += 1;
    signal(-child.pid, 'SIGKILL');
  } else {
    counts.revoked += 1;
    revoked.add(held.epoch);
    await post('lease/revoke', { ID: held.lease }).catch(() => {});
  }
};

const lines = (name: string): readonly string[] => {
  const path = join(home, name);
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
};
/** Pairs of commands that ran at once, as they reported. */
const overlapsSoFar = (): readonly (readonly [string, string])[] =>
  lines('events').flatMap((line) => {
    const [what, one = '', other = ''] = line.split(' ');
    return what === 'overlap' ? [[one, other] as const] : [];
  });

const epochOf = (slot: string): string => slot.split('-')[3] ?? '';

/** Overlaps by what happened to the older command. */
const count = (): {
  readonly unprotected: number;
  readonly afterRevoke: number;
  readonly afterFreeze: number;
} => {
  const older = overlapsSoFar().map(
    ([one, other]) => [epochOf(one), epochOf(other)].sort((a, b) => Number(a) - Number(b))[0] ?? '',
  );
  const afterFreeze = older.filter((epoch) => frozen.has(epoch)).length;
  const afterRevoke = older.filter((epoch) => revoked.has(epoch) && !frozen.has(epoch)).length;
  return { afterFreeze, afterRevoke, unprotected: older.length - afterFreeze - afterRevoke };
};

const isOver = (): boolean => {
  const seconds = (performance.now() - startedAt) / 1000;
  if (seconds < Number(values.seconds)) return false;
  return seconds >= Number(values['at-most']) || count().unprotected > 0;
};

for (let at = 0; at < roots.length; at += 1) startAt(at);
const startedAt = performance.now();
while (!isOver()) {
  await disturb();
  await sleep(1500 * Math.random());
}
finishing = true;
for (const child of running)
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    signal(-child.pid, 'SIGKILL');
    signal(-child.pid, 'SIGCONT');
  }
signal(etcd.pid, 'SIGKILL');
await sleep(300);

const events = lines('events');
const overlaps = count();
const written = lines('written').map(Number);
const result = {
  onLost: values['on-lost'],
  seconds: Math.round((performance.now() - startedAt) / 1000),
  contenders: roots.length,
  ...counts,
  begun: events.filter((event) => event.startsWith('begun ')).length,
  ended: Object.fromEntries([...codes].sort(([a], [b]) => String(a).localeCompare(String(b)))),
  overlaps: overlaps.unprotected,
  overlapsAfterRevoke: overlaps.afterRevoke,
  overlapsAfterFreeze: overlaps.afterFreeze,
  /** By the store, from commands with an old epoch. */
  refused: events.filter((event) => event.startsWith('refused ')).length,
  /** Writes that were accepted out of order. */
  outOfOrder: written.filter((epoch, at) => epoch < (written[at - 1] ?? 0)).length,
};
const isFine = result.overlaps === 0 && result.outOfOrder === 0 && result.begun > 0;
process.stdout.write(`${JSON.stringify({ ...result, ok: isFine })}\n`);
rmSync(home, { recursive: true, force: true });
process.exitCode = isFine ? 0 : 1;
