/**
 * `exec --lease` with a real etcd: how a lease survives or expires. These tests mostly wait, so they run concurrently.
 * Runs in a PID namespace: leases and our own records name their holder by more than a PID.
 */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, expect, test } from '@jest/globals';
import { cleanUp, isRunning, until } from '../support/index.ts';
import { type EtcdServer, startCluster, startEtcd } from './etcd-server.ts';
import { at, KEY, machine, runConcurrently as run, start, TTL, withEtcd } from './under-lease.ts';

afterAll(cleanUp);

withEtcd('exec --lease', () => {
  test.concurrent('hands the lease to the next contender once its lifetime is over if holder and doctor are killed', async () => {
    const etcd = await startEtcd();
    const [one, two] = [machine(), machine()];
    const first = await start(one, at(etcd));
    const pid = await first.command();
    process.kill(first.pid, 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    expect((await run(two, at(etcd), ['true'])).status).toBe(20);
    expect((await run(two, at(etcd), ['true'], ['--wait', '15'])).status).toBe(0);
  });

  test.concurrent('survives an outage of the server that is shorter than the lease', async () => {
    const etcd = await startEtcd();
    const first = await start(machine(), at(etcd));
    await first.command();
    etcd.child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    etcd.child.kill('SIGCONT');
    expect(await etcd.keys()).toEqual([KEY]);
    process.kill(first.pid, 'SIGTERM');
    expect(await first.ended).toBe(143);
  });

  test.concurrent('survives the death of the leader of three servers', async () => {
    const cluster = await startCluster(3);
    // The two others may need seconds for their election.
    const first = await start(machine(), at(...cluster), ['--ttl', String(3 * TTL), '--on-lost', 'stop']);
    const pid = await first.command();
    const statuses = await Promise.all(
      cluster.map(
        async (server) =>
          (await server.post('maintenance/status', {})) as { leader: string; header: { member_id: string } },
      ),
    );
    const leader = cluster[statuses.findIndex(({ leader: id, header }) => id === header.member_id)];
    await leader?.kill();
    // Longer than the lease lasts without a renewal.
    await new Promise((resolve) => setTimeout(resolve, (3 * TTL + 1) * 1000));
    expect(isRunning(pid)).toBe(true);
    expect(first.complaints()).toBe('');
    process.kill(first.pid, 'SIGTERM');
    expect(await first.ended).toBe(143);
  });
});

withEtcd('a lost lease', () => {
  /** Makes the server unreachable for longer than the lease lasts. */
  const partition = async (etcd: EtcdServer): Promise<void> => {
    etcd.child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, (TTL + 1) * 1000));
    etcd.child.kill('SIGCONT');
  };

  test.concurrent('with --on-lost stop ends the command with 75 before anybody else can take the lease', async () => {
    const etcd = await startEtcd();
    const [one, two] = [machine(), machine()];
    const first = await start(one, at(etcd), ['--on-lost', 'stop']);
    const pid = await first.command();
    await partition(etcd);
    // The lease has expired by now, so whoever takes it must find the command gone.
    expect(isRunning(pid)).toBe(false);
    expect((await run(two, at(etcd), ['true'], ['--wait', '10'])).status).toBe(0);
    expect(await first.ended).toBe(75);
    expect(first.complaints()).toMatch(/its lease is being lost .*the command is told to end/);
  });

  test.concurrent('with --on-lost stop ends a command that ignores SIGTERM, too', async () => {
    const etcd = await startEtcd();
    const deaf = "trap '' TERM; while :; do sleep 0.1; done";
    const first = await start(machine(), at(etcd), ['--on-lost', 'stop'], deaf);
    const pid = await first.command();
    await partition(etcd);
    expect(isRunning(pid)).toBe(false);
    expect(await first.ended).toBe(75);
  });

  test.concurrent('with --on-lost warn lets two commands run at once, and reports it with 75', async () => {
    const etcd = await startEtcd();
    const [one, two] = [machine(), machine()];
    const first = await start(one, at(etcd));
    const pid = await first.command();
    await partition(etcd);
    const both = await run(two, at(etcd), ['sh', '-c', `kill -0 ${pid} && echo both`], ['--wait', '10']);
    expect(both.stdout).toBe('both\n');
    await until(() => first.complaints().includes('is lost'), 'the warning', 15_000);
    process.kill(pid, 'SIGTERM');
    expect(await first.ended).toBe(75);
    expect(first.complaints()).toMatch(/its lease is lost .*another agent may start elsewhere/);
  });

  const revokeAll = async (etcd: EtcdServer): Promise<void> => {
    const { leases = [] } = (await etcd.post('lease/leases', {})) as { leases?: { ID: string }[] };
    for (const { ID } of leases) await etcd.post('lease/revoke', { ID });
  };

  test.concurrent.each([
    ['the lease is revoked', revokeAll],
    [
      'its key is deleted',
      (etcd: EtcdServer) =>
        etcd.post('kv/deleterange', { key: Buffer.from(KEY).toString('base64') }).then(() => {}),
    ],
    [
      'its key is rewritten',
      async (etcd: EtcdServer) => {
        const key = Buffer.from(KEY).toString('base64');
        await etcd.post('kv/put', { key, value: 'AA==' });
      },
    ],
  ])('is noticed at once if %s by hand, and runs the --on-lost command', async (_how, lose) => {
    const etcd = await startEtcd();
    const town = machine();
    // Renewals are 20 s apart, so it is the watch that notices.
    const onLost = `echo "$LOCK_DOCTOR_LEASE_KEY" > '${town.path('told')}'`;
    const first = await start(town, at(etcd), ['--ttl', '60', '--on-lost', onLost]);
    const pid = await first.command();
    await lose(etcd);
    await until(
      () => existsSync(town.path('told')) && readFileSync(town.path('told'), 'utf8') !== '',
      'the word',
      15_000,
    );
    expect(readFileSync(town.path('told'), 'utf8')).toBe(`${KEY}\n`);
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, 'SIGTERM');
    expect(await first.ended).toBe(75);
    expect(first.complaints()).toMatch(/is lost \(its key was deleted, or is another one's\)/);
  });

  test.concurrent('is the result of an answer from another cluster', async () => {
    const [ours, other] = [await startEtcd(), await startEtcd()];
    const first = await start(machine(), at(ours, other), ['--on-lost', 'stop']);
    const pid = await first.command();
    await ours.kill();
    await until(() => !isRunning(pid), 'the end of the command', (TTL + 5) * 1000);
    expect(await first.ended).toBe(75);
    expect(first.complaints()).toMatch(/another cluster|ECONNREFUSED/);
  });
});
