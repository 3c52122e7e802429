/**
 * `exec --lease` with a real etcd: one agent per identity. What depends on a lease's lifetime is in lost-lease.test.ts.
 * Runs in a PID namespace: leases and our own records name their holder by more than a PID.
 */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readAddress } from '../../src/lease/address.ts';
import { etcdEngine } from '../../src/lease/etcd.ts';
import { bareEnvironment, type CliResult, doctor, PROGRAM } from '../cli/run-cli.ts';
import { cleanUp, makeTown, startProcess, type TestTown, until } from '../support/index.ts';
import { hasOpenssl, makeCertificates, startEtcd, startSecureEtcd } from './etcd-server.ts';
import { ADA, at, KEY, machine, run, start, TTL, withEtcd } from './under-lease.ts';

afterEach(cleanUp);

const withTls = hasOpenssl ? test : test.skip;

withEtcd('exec --lease', () => {
  test('gives its command the key and a growing epoch, and gives the lease back', async () => {
    const etcd = await startEtcd();
    const town = machine();
    const tell = ['sh', '-c', 'echo "$LOCK_DOCTOR_EPOCH $LOCK_DOCTOR_LEASE_KEY"'];
    const said = [1, 2].map(() => run(town, at(etcd), tell).stdout.trim().split(' '));
    expect(said.map(([, key]) => key)).toEqual([KEY, KEY]);
    expect(Number(said[1]?.[0])).toBeGreaterThan(Number(said[0]?.[0]));
    expect(await etcd.keys()).toEqual([]);
    expect(run(town, at(etcd), ['sh', '-c', 'exit 7']).status).toBe(7);
    expect(existsSync(town.path(ADA, '.runtime/agent.lock'))).toBe(false);
  });

  test('starts no agent elsewhere while the lease is held, and says who holds it and since when', async () => {
    const etcd = await startEtcd();
    const [one, two] = [machine(), machine()];
    const first = await start(one, at(etcd));
    await first.command();
    const { status, stderr } = run(two, at(etcd), ['touch', two.path('ran')]);
    expect(status).toBe(20);
    expect(stderr).toMatch(`its lease is held on ${hostname()} by doctor (pid ${first.pid}), since 20`);
    expect(existsSync(two.path('ran'))).toBe(false);
    expect(existsSync(two.path(ADA, '.runtime/agent.lock'))).toBe(false);
    const { stdout } = run(two, at(etcd), ['true'], ['--json']);
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: 20, results: [{ answer: 'held' }] });
    process.kill(first.pid, 'SIGTERM');
    expect(await first.ended).toBe(143);
    expect(run(two, at(etcd), ['true']).status).toBe(0);
  });

  test('exits with 22 if etcd does not answer, and starts and locks nothing', () => {
    const town = machine();
    const { status, stderr } = run(town, 'etcd://127.0.0.1:1/gt', ['touch', town.path('ran')]);
    expect([status, stderr]).toEqual([22, expect.stringContaining('its lease could not be taken')]);
    expect(existsSync(town.path('ran'))).toBe(false);
    expect(existsSync(town.path(ADA, '.runtime/agent.lock'))).toBe(false);
  });

  test('exits with 22 if etcd is out of quota', async () => {
    const etcd = await startEtcd(['--quota-backend-bytes', '65536']);
    const value = Buffer.alloc(40_000).toString('base64');
    // The quota applies to what the server has written to disk, which happens a little later.
    await until(
      async () => 'error' in (await etcd.post('kv/put', { key: 'aw==', value })),
      'a server that is full',
      20_000,
    );
    const town = machine();
    expect(run(town, at(etcd), ['touch', town.path('ran')])).toMatchObject({
      status: 22,
      stderr: expect.stringMatching(/database space exceeded/),
    });
    expect(existsSync(town.path('ran'))).toBe(false);
  });
});

withEtcd('a lost lease', () => {
  test('is noticed by the next request too, because a watch may receive nothing', async () => {
    const etcd = await startEtcd();
    const engine = etcdEngine(readAddress(at(etcd), false, {}));
    const record = { worker: ADA, hostname: 'h', bootId: null, pidNamespace: null, root: '/', pid: 1 };
    const more = { startToken: null, sessionId: '', acquiredAt: new Date().toISOString(), nonce: 'n' };
    const taken = await engine.take(KEY, { ...record, ...more }, TTL);
    if (taken.status !== 'taken') throw new Error(taken.status);
    expect(await engine.keep(taken.lease, 5000)).toEqual({ status: 'kept' });
    await etcd.post('kv/deleterange', { key: Buffer.from(KEY).toString('base64') });
    expect(await engine.keep(taken.lease, 5000)).toMatchObject({
      status: 'lost',
      why: expect.stringContaining('its key'),
    });
    expect(await engine.giveBack(taken.lease)).toBeNull();
    expect(await engine.keep(taken.lease, 5000)).toMatchObject({
      status: 'lost',
      why: 'the server no longer has this lease',
    });
  });
});

withEtcd('an etcd with access control', () => {
  test('accepts a password that appears in no command line and in no record', async () => {
    const etcd = await startEtcd();
    await etcd.post('auth/user/add', { name: 'root', password: 'hunter2' });
    await etcd.post('auth/role/add', { name: 'root' });
    await etcd.post('auth/user/grant', { user: 'root', role: 'root' });
    await etcd.post('auth/enable', {});
    const town = machine();
    const lease = at(etcd).replace('etcd://', 'etcd://root@');
    expect(run(town, lease, ['true']).status).toBe(22);
    expect(run(town, lease, ['true'], [], { LOCK_DOCTOR_ETCD_PASSWORD: 'wrong' }).status).toBe(22);
    expect(run(town, lease, ['true'], [], { LOCK_DOCTOR_ETCD_PASSWORD: 'hunter2' })).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
    const typed = run(town, lease.replace('root@', 'root:hunter2@'), ['true']);
    expect([typed.status, typed.stderr]).toEqual([2, expect.stringContaining('can be read by everybody')]);
  });

  withTls('accepts a client certificate and refuses requests without it', async () => {
    const made = makeCertificates();
    const lease = `etcds://${await startSecureEtcd(made)}/gt`;
    const shown = {
      LOCK_DOCTOR_ETCD_CA: made.cert,
      LOCK_DOCTOR_ETCD_CERT: made.cert,
      LOCK_DOCTOR_ETCD_KEY: made.key,
    };
    const town = machine();
    await until(() => run(town, lease, ['true'], [], shown).status === 0, 'etcd with TLS', 30_000);
    expect(run(town, lease, ['true']).status).toBe(22);
    const { LOCK_DOCTOR_ETCD_CA } = shown;
    expect(run(town, lease, ['true'], [], { LOCK_DOCTOR_ETCD_CA }).status).toBe(22);
    expect(run(town, lease, ['true'], [], { LOCK_DOCTOR_ETCD_CA: '/no/such' }).status).toBe(2);
  });
});

withEtcd('a lease in the configuration', () => {
  const configure = (town: TestTown, address: string): void => {
    town.write('lock-doctor.json', JSON.stringify({ lease: { address, ttl: TTL } }));
  };

  test('is taken by plain exec, and read by preflight on every machine', async () => {
    const etcd = await startEtcd();
    const [one, two] = [machine(), machine()];
    for (const town of [one, two]) configure(town, at(etcd));
    const preflight = (town: TestTown): CliResult => doctor(['preflight', ADA, '--town', town.root]);
    expect(preflight(two)).toMatchObject({ status: 0 });
    const { child } = await startProcess(
      process.execPath,
      [PROGRAM, 'exec', ADA, '--town', one.root, '--', 'sleep', '600'],
      { env: bareEnvironment() },
    );
    await until(async () => (await etcd.keys()).length === 1, 'the lease', 20_000);
    expect(preflight(two)).toMatchObject({
      status: 20,
      stdout: expect.stringMatching(
        `its lease is held on ${hostname()} .*; if that one has died, the lease expires by itself within \\d+ s`,
      ),
    });
    expect(doctor(['exec', ADA, '--town', two.root, '--', 'true']).status).toBe(20);
    const ended = new Promise((resolve) => void child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    expect(preflight(two).status).toBe(0);
    await etcd.kill();
    expect(preflight(two)).toMatchObject({
      status: 22,
      stdout: expect.stringContaining('could not be read'),
    });
    expect(doctor(['exec', ADA, '--town', two.root, '--', 'true']).status).toBe(22);
  });

  test('is ignored in a directory that was not named as the town', async () => {
    const etcd = await startEtcd();
    const town = makeTown({ marked: false, workers: [ADA] });
    configure(town, at(etcd));
    const { status, stderr } = doctor(['exec', ADA, '--', 'sh', '-c', 'echo "$LOCK_DOCTOR_EPOCH" >&2'], {
      cwd: town.root,
    });
    expect([status, stderr]).toEqual([0, '\n']);
  });
});

describe('an address', () => {
  test.each([
    ['etcd://localhost:2379'],
    ['etcd://localhost:2379/'],
    ['http://localhost:2379/gt'],
    ['etcd://-x/gt'],
    ['etcd://a b/gt'],
    ['etcd:///gt'],
    ['etcd://localhost:99999/gt'],
    ['etcd://[:::]:2379/gt'],
    ['etcd://50%@localhost:2379/gt'],
  ])('%s is refused', (address) => {
    const town = machine();
    expect(run(town, address, ['true']).status).toBe(2);
  });

  test('is required by options that depend on it', () => {
    const town = machine();
    expect(doctor(['exec', ADA, '--ttl', '9', '--town', town.root, '--', 'true']).status).toBe(2);
    expect(run(town, 'etcd://127.0.0.1:1/gt', ['true'], ['--ttl', '1']).status).toBe(2);
  });
});
