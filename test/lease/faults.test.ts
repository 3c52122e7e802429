/**
 * `exec --lease` when etcd, clocks or holders fail. These tests mostly wait, so they run concurrently.
 * Runs in a PID namespace: leases and our own records name their holder by more than a PID.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, expect, jest, test } from '@jest/globals';
import { bareEnvironment, doctor, PROGRAM } from '../cli/run-cli.ts';
import { cleanUp, isRunning, startProcess, until } from '../support/index.ts';
import { type EtcdServer, startEtcd } from './etcd-server.ts';
import {
  ADA,
  at,
  execArgs,
  KEY,
  machine,
  runConcurrently as run,
  start,
  TTL,
  withEtcd,
} from './under-lease.ts';

afterAll(cleanUp);

// Several servers start at once, on slow machines too.
jest.setTimeout(60_000);

const wait = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000));

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Adds a user with this permission on the keys of the town, and the root user that etcd requires. */
const addUser = async (etcd: EtcdServer, permission: 'READ' | 'READWRITE'): Promise<void> => {
  for (const name of ['root', 'ada']) {
    await etcd.post('auth/user/add', { name, password: 'hunter2' });
    await etcd.post('auth/role/add', { name });
    await etcd.post('auth/user/grant', { user: name, role: name });
  }
  const perm = { permType: permission, key: base64('gt/'), range_end: base64('gt0') };
  await etcd.post('auth/role/grant', { name: 'ada', perm });
  await etcd.post('auth/enable', {});
};

const AS_ADA = { LOCK_DOCTOR_ETCD_USER: 'ada', LOCK_DOCTOR_ETCD_PASSWORD: 'hunter2' };

withEtcd('etcd', () => {
  test.concurrent('that is killed and restarted in time keeps the lease, and its holder runs on', async () => {
    const etcd = await startEtcd();
    const first = await start(machine(), at(etcd), ['--ttl', '15', '--on-lost', 'stop']);
    const pid = await first.command();
    await etcd.kill();
    await wait(1);
    await etcd.restart();
    await wait(6);
    expect(isRunning(pid)).toBe(true);
    expect(await etcd.keys()).toEqual([KEY]);
    expect((await run(machine(), at(etcd), ['true'])).status).toBe(20);
    expect(first.complaints()).toBe('');
    process.kill(first.pid, 'SIGTERM');
    expect(await first.ended).toBe(143);
    expect(await etcd.keys()).toEqual([]);
  });

  test.concurrent('of another cluster at the same address is not believed: --on-lost stop ends the command in time', async () => {
    const etcd = await startEtcd();
    const first = await start(machine(), at(etcd), ['--on-lost', 'stop']);
    const pid = await first.command();
    await etcd.kill();
    await etcd.restart('another');
    await until(() => !isRunning(pid), 'the end of the command', 20_000);
    expect(await first.ended).toBe(75);
    expect(first.complaints()).toContain('answers for another cluster');
  });

  test.concurrent('with read-only access refuses exec with 22, and still reports leases', async () => {
    const etcd = await startEtcd();
    await etcd.post('kv/put', { key: base64(`gt/gastown/crew/bob`), value: base64('x') });
    await addUser(etcd, 'READ');
    const town = machine();
    const refused = doctor(execArgs(town, at(etcd), [], ['touch', town.path('ran')]), { env: AS_ADA });
    expect([refused.status, refused.stderr]).toEqual([22, expect.stringContaining('permission denied')]);
    const { stdout } = doctor(['locks', '--lease', at(etcd), town.root], { env: AS_ADA });
    expect(stdout).toContain('lease gastown/crew/bob: lease held by another program than doctor');
  });

  test.concurrent('with write access below the town grants the lease, and the watch logs in too', async () => {
    const etcd = await startEtcd();
    await addUser(etcd, 'READWRITE');
    const town = machine();
    const onLost = ['--ttl', '60', '--on-lost', 'stop'];
    const { child } = await startProcess(
      process.execPath,
      [
        PROGRAM,
        ...execArgs(town, at(etcd), onLost, ['sh', '-c', `echo $$ > '${town.path('pid')}'; exec sleep 600`]),
      ],
      { env: bareEnvironment(AS_ADA) },
    );
    const ended = new Promise((resolve) => void child.once('exit', resolve));
    await until(
      () =>
        doctor(['preflight', ADA, '--lease', at(etcd), '--town', town.root], { env: AS_ADA }).status === 20,
      'the lease',
      20_000,
    );
    await until(() => readPid(town.path('pid')) > 0, 'the command', 20_000);
    const login = await etcd.post('auth/authenticate', { name: 'root', password: 'hunter2' });
    await etcd.post('kv/deleterange', { key: base64(KEY) }, { authorization: String(login.token) });
    // Long before the next renewal, which is due in 20 s.
    const before = performance.now();
    expect(await ended).toBe(75);
    expect(performance.now() - before).toBeLessThan(15_000);
  });
});

const readPid = (path: string): number => {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    return 0;
  }
};

withEtcd('a holder', () => {
  test.concurrent.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])(
    'whose wall clock is set %s by an hour keeps its lease, and loses it in time if etcd stops answering',
    async (way, byMs) => {
      const etcd = await startEtcd();
      const town = machine();
      // The system clock cannot be set, because other processes depend on it; the program's view of it can.
      const step = town.path('step.cjs');
      writeFileSync(
        step,
        `const { now } = Date; const at = performance.now() + 2000;
      Date.now = () => now() + (performance.now() > at ? ${byMs} : 0);`,
      );
      const env = bareEnvironment({ NODE_OPTIONS: `--require ${step}` });
      const file = town.path('pid');
      const { child } = await startProcess(
        process.execPath,
        [
          PROGRAM,
          ...execArgs(
            town,
            at(etcd),
            ['--on-lost', 'stop'],
            ['sh', '-c', `echo $$ > '${file}'; exec sleep 600`],
          ),
        ],
        { env },
      );
      const ended = new Promise((resolve) => void child.once('exit', resolve));
      const pid = await until(() => readPid(file) || false, `the command (${way})`, 20_000);
      await wait(TTL + 3);
      expect(isRunning(Number(pid))).toBe(true);
      expect(await etcd.keys()).toEqual([KEY]);
      etcd.child.kill('SIGSTOP');
      await wait(TTL + 1);
      expect(isRunning(Number(pid))).toBe(false);
      etcd.child.kill('SIGCONT');
      expect(await ended).toBe(75);
    },
  );

  test.concurrent('that was stopped for longer than its lease notices, and its epoch is the smaller one', async () => {
    const etcd = await startEtcd();
    const [one, two] = [machine(), machine()];
    const first = await start(one, at(etcd), ['--on-lost', 'stop']);
    const pid = await first.command();
    const epochs = async (): Promise<string> => {
      const { kvs = [] } = (await etcd.post('kv/range', { key: base64(KEY) })) as {
        kvs?: { create_revision: string }[];
      };
      return kvs[0]?.create_revision ?? '';
    };
    const older = await epochs();
    process.kill(first.pid, 'SIGSTOP');
    process.kill(pid, 'SIGSTOP');
    const { status, stdout } = await run(
      two,
      at(etcd),
      ['sh', '-c', 'echo "$LOCK_DOCTOR_EPOCH"'],
      ['--wait', '30'],
    );
    expect([status, Number(stdout) > Number(older)]).toEqual([0, true]);
    process.kill(pid, 'SIGCONT');
    process.kill(first.pid, 'SIGCONT');
    expect(await first.ended).toBe(75);
    expect(isRunning(pid)).toBe(false);
  });

  test.concurrent('that is killed leaves the worker to the next one, and its surviving command is reported', async () => {
    const etcd = await startEtcd();
    const town = machine();
    const first = await start(town, at(etcd));
    const pid = await first.command();
    process.kill(first.pid, 'SIGKILL');
    await until(() => !isRunning(first.pid), 'the end of the doctor');
    // Its command lives, so the lock is held, while the lease expires.
    const other = machine();
    expect((await run(other, at(etcd), ['true'], ['--wait', '20'])).status).toBe(0);
    // It is reported once the lock is older than the list of leases may be.
    const found = await until(() => {
      const { status, stdout } = doctor(['--lease', at(etcd), town.root]);
      return stdout.includes('its agent runs without a lease') && { status };
    }, 'the finding');
    expect(found.status).toBe(1);
    process.kill(pid, 'SIGKILL');
  });
});
