/**
 * `doctor`, `locks` and `explain` with leases in a real etcd: who holds which lease, and which locks contradict them.
 * Runs in a PID namespace: leases and our own records name their holder by more than a PID.
 */
import { existsSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterAll, expect, jest, test } from '@jest/globals';
import type { PreflightReport, Report } from '../../src/core/types/report.ts';
import { doctor, documentOf, PROGRAM } from '../cli/run-cli.ts';
import { cleanUp, isRunning, makeTown, type TestTown, until } from '../support/index.ts';
import { type EtcdServer, startEtcd } from './etcd-server.ts';
import { ADA, at, KEY, machine, run, start, withEtcd } from './under-lease.ts';

afterAll(cleanUp);

// Several servers start at once, on slow machines too.
jest.setTimeout(60_000);

const BOB = 'gastown/crew/bob';

const report = (town: TestTown, etcd: EtcdServer, ...args: readonly string[]): Report =>
  documentOf<Report>(doctor(['--json', '--lease', at(etcd), ...args, '--town', town.root]).stdout);

const leaseFindings = ({ findings }: Report) =>
  findings
    .filter(({ check }) => check === 'lease')
    .map(({ severity, worker, lock, message, machine: on }) => ({
      ...{ severity, worker, lock, message },
      ...(on === undefined ? {} : { machine: on }),
    }));

const wait = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000));

const kill = async (...pids: readonly number[]): Promise<void> => {
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await until(() => !pids.some(isRunning), `the end of ${pids}`);
};

withEtcd('leases in a report', () => {
  test.concurrent('are shown with holder, machine, time and epoch, on the machine that holds them and elsewhere', async () => {
    const etcd = await startEtcd();
    const [one, two] = [makeTown({ workers: [ADA, BOB] }), machine()];
    const first = await start(one, at(etcd));
    await first.command();
    const [lease] = report(one, etcd).leases ?? [];
    expect(lease).toEqual({
      worker: ADA,
      key: KEY,
      state: 'held',
      machine: 'here',
      holder: {
        hostname: hostname(),
        pid: first.pid,
        sessionId: null,
        acquiredAt: expect.stringMatching(/^20.*Z$/),
      },
      epoch: expect.stringMatching(/^\d+$/),
      expires: true,
      expiresInSeconds: null,
      lock: `agent:${ADA}`,
    });
    const elsewhere = report(two, etcd);
    expect(elsewhere).toMatchObject({ exitCode: 0, leases: [{ ...lease, machine: null, lock: null }] });
    expect(doctor(['locks', '--lease', at(etcd), two.root]).stdout).toBe(
      `lease ${ADA}: lease held on ${hostname()} by doctor (pid ${first.pid}), since ${lease?.holder?.acquiredAt}, epoch ${lease?.epoch}\n`,
    );
    const page = doctor(['explain', ADA, '--lease', at(etcd), '--town', two.root]).stdout;
    expect(page).toMatch(new RegExp(`## Lease\n\nLease held on ${hostname()} .*doctor preflight says so`));
    const topic = doctor(['explain', ADA, '--json', '--lease', at(etcd), '--town', two.root]).stdout;
    expect(JSON.parse(topic)).toMatchObject({ lease: { epoch: lease?.epoch } });
    // With --worker only that worker's leases, and none at all without --lease.
    expect(report(one, etcd, '--worker', BOB).leases).toEqual([]);
    expect(documentOf<Report>(doctor(['--json', two.root]).stdout)).not.toHaveProperty('leases');
    expect(doctor(['preflight', ADA, '--lease', at(etcd), '--town', two.root]).status).toBe(20);
  });

  test.concurrent('that a live lock lacks, or that another machine holds for its worker, are findings', async () => {
    const etcd = await startEtcd();
    const [one, two] = [machine(), machine()];
    two.lock(ADA, { pid: process.pid }, { ageSeconds: 600 });
    const without = report(two, etcd);
    expect(leaseFindings(without)).toEqual([
      {
        severity: 'warning',
        worker: ADA,
        lock: `agent:${ADA}`,
        message: 'its agent runs without a lease: another machine may start one as well',
      },
    ]);
    expect(without.exitCode).toBe(1);
    expect(leaseFindings(report(two, etcd, '--skip', 'lease'))).toEqual([]);
    const first = await start(one, at(etcd));
    await first.command();
    const both = report(two, etcd);
    expect(leaseFindings(both)).toMatchObject([
      { severity: 'error', message: expect.stringContaining(`and its lease is held on ${hostname()}`) },
    ]);
    expect(both.exitCode).toBe(1);
  });

  test.concurrent('are not missed while the lock is younger than the list of leases', async () => {
    const etcd = await startEtcd();
    const town = machine();
    town.lock(ADA, { pid: process.pid }, { ageSeconds: 1 });
    expect(leaseFindings(report(town, etcd))).toEqual([]);
  });

  test.concurrent('of a dead holder are stale, with a finding', async () => {
    const etcd = await startEtcd();
    const town = machine();
    const first = await start(town, at(etcd), ['--ttl', '60']);
    const pid = await first.command();
    await kill(first.pid, pid);
    const dead = report(town, etcd);
    expect(dead.leases).toMatchObject([
      { state: 'stale', machine: 'here', lock: `agent:${ADA}`, expiresInSeconds: expect.any(Number) },
    ]);
    expect(leaseFindings(dead)).toMatchObject([
      {
        severity: 'info',
        message: expect.stringMatching(/^the holder of its lease is dead; .*within \d+ s$/),
      },
    ]);
    // It still blocks others: nobody can take it before it expires.
    expect(run(machine(), at(etcd), ['true']).status).toBe(20);
  });

  test.concurrent('of a dead holder are revoked by force after a second look; those of a live one are not', async () => {
    const etcd = await startEtcd();
    const [town, other] = [machine(), machine()];
    const force = (at_: TestTown, ...args: readonly string[]) =>
      doctor(['--fix', '--force', '--worker', ADA, '--lease', at(etcd), ...args, '--town', at_.root]);
    const first = await start(town, at(etcd), ['--ttl', '600']);
    const pid = await first.command();
    // The lease is held, as far as this machine can tell; another machine cannot tell at all.
    expect(force(town, '--dry-run').stderr).toBe('');
    expect(force(other, '--yes').stderr).toBe('');
    await kill(first.pid, pid);
    expect(force(other, '--yes').stderr).toBe('');
    expect(force(town).status).toBe(2);
    const byLock = ['--fix', '--force', '--lock', `agent:${ADA}`, '--dry-run', '--lease', at(etcd)];
    expect(doctor([...byLock, '--town', town.root])).toMatchObject({
      stdout: expect.stringContaining('would release'),
      stderr: '',
    });
    expect(force(town, '--dry-run').stderr).toMatch(
      /^doctor: would revoke the lease of gastown\/crew\/ada: /,
    );
    expect(await etcd.keys()).toEqual([KEY]);
    expect(existsSync(town.path('.runtime/lock-doctor/journal.jsonl'))).toBe(false);
    expect(force(town, '--yes').stderr).toMatch(
      /^doctor: revoked the lease of .*, epoch \d+; doctor undo cannot restore it\n$/,
    );
    expect(await etcd.keys()).toEqual([]);
    const { events } = JSON.parse(doctor(['log', '--json', '--town', town.root]).stdout) as {
      events: readonly { deed: string; worker: string; reason: string | null }[];
    };
    expect(events.map(({ deed, worker }) => [deed, worker])).toEqual([
      ['released', ADA],
      ['lease-revoked', ADA],
    ]);
    expect(doctor(['log', '--town', town.root]).stdout).toContain(`lease ${KEY}, epoch `);
    expect(run(other, at(etcd), ['true']).status).toBe(0);
    expect(doctor(['undo', '--town', town.root]).status).toBe(0);
    expect(await etcd.keys()).toEqual([]);
  });

  test.concurrent('whose lock was deleted are a finding once the holder cannot be starting anymore', async () => {
    const etcd = await startEtcd();
    const town = machine();
    const first = await start(town, at(etcd));
    await first.command();
    rmSync(town.path(ADA, '.runtime/agent.lock'));
    expect(leaseFindings(report(town, etcd))).toEqual([]);
    await wait(10.5);
    expect(leaseFindings(report(town, etcd))).toMatchObject([
      {
        severity: 'warning',
        lock: null,
        message: expect.stringMatching(/^its lease is held on .*, but its lock is gone$/),
      },
    ]);
    expect(leaseFindings(report(machine(), etcd))).toEqual([]);
    // The suggested command repeats --lease; without it, it would report that all is well.
    const [, , ...explain] = report(town, etcd)
      .findings.flatMap(({ next }) => next)
      .flat();
    expect(explain).toEqual([ADA, '--town', town.root, '--lease', at(etcd)]);
    expect(doctor(['explain', ...explain]).stdout).toContain('## Lease');
    const { results } = JSON.parse(
      doctor(['preflight', ADA, '--json', '--lease', at(etcd), '--town', machine().root]).stdout,
    ) as PreflightReport;
    expect(results[0]).toMatchObject({
      answer: 'held',
      next: [['doctor', 'explain', ADA, '--town', expect.any(String), '--lease', at(etcd)]],
    });
    const configured = machine();
    configured.write('lock-doctor.json', JSON.stringify({ lease: { address: at(etcd) } }));
    expect(doctor(['preflight', ADA, '--town', configured.root]).stdout).toContain(
      `(next: doctor explain ${ADA} --town ${configured.root})`,
    );
  });

  test.concurrent('are judged by the machine that has the lock, and none is stale because that machine does not answer', async () => {
    const etcd = await startEtcd();
    const [here, there] = [machine(), machine()];
    const configure = (reach: readonly string[], hosts: readonly string[]): void => {
      const mini = { reach, hosts, doctor: [process.execPath, PROGRAM], towns: [there.root] };
      here.write('lock-doctor.json', JSON.stringify({ lease: { address: at(etcd) }, machines: { mini } }));
    };
    const look = (): Report => documentOf<Report>(doctor(['--json', here.root]).stdout);
    configure(['env'], [hostname()]);
    const first = await start(there, at(etcd), ['--ttl', '60']);
    const pid = await first.command();
    expect(look().leases).toMatchObject([{ state: 'held', machine: 'mini', lock: `agent:${ADA}` }]);
    await kill(first.pid, pid);
    const dead = look();
    expect(dead.leases).toMatchObject([{ state: 'stale', machine: 'mini' }]);
    expect(leaseFindings(dead)).toMatchObject([{ severity: 'info', machine: 'mini' }]);
    // A machine speaks only for the host names that the configuration gives it.
    configure(['env'], ['other']);
    expect(look().leases).toMatchObject([{ state: 'held', machine: 'mini' }]);
    configure(['false'], [hostname()]);
    const silent = look();
    expect(silent.leases).toMatchObject([{ state: 'held', machine: null, lock: null }]);
    expect([silent.exitCode, leaseFindings(silent)]).toEqual([22, []]);
  });

  test.concurrent('that another program wrote are reported as such, whatever their bytes are', async () => {
    const etcd = await startEtcd();
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    for (const [name, value] of [
      [ADA, 'by hand'],
      ['gastown/crew/\u001b[31mevil', '{"hostname":1}'],
      ['x', '{"hostname":"h\\u001b]0;x\\u0007","acquiredAt":"then","nonce":"n","pid":1,"root":7}'],
    ] as const)
      await etcd.post('kv/put', { key: base64(`gt/${name}`), value: base64(value) });
    const town = machine();
    const told = report(town, etcd);
    expect(told.leases).toMatchObject([
      { worker: 'gastown/crew/\u001b[31mevil', holder: null, expires: false },
      { worker: ADA, holder: null, expires: false },
      { worker: 'x', holder: { pid: 1, acquiredAt: 'then' }, expires: false },
    ]);
    const { stdout } = doctor(['locks', '--lease', at(etcd), town.root]);
    expect(stdout).toContain(`lease ${ADA}: lease held by another program than doctor`);
    for (const control of ['\u0007', '\u001b']) expect(stdout).not.toContain(control);
    expect(run(town, at(etcd), ['true']).status).toBe(20);
  });

  test.concurrent('that cannot be read are a gap: 22, unless something worse is found', async () => {
    const town = machine();
    const nowhere = ['--lease', 'etcd://127.0.0.1:1/gt', '--town', town.root];
    const { status, stdout } = doctor(['--json', ...nowhere]);
    const { complete, gaps, leases } = documentOf<Report>(stdout);
    expect([status, complete, leases]).toEqual([22, false, []]);
    expect(gaps).toContainEqual({
      what: 'lease:127.0.0.1:1/gt',
      why: expect.stringMatching(/could not be reached: .*ECONNREFUSED/),
      asked: ['--lease', 'etcd://127.0.0.1:1/gt'],
    });
    expect(doctor(['locks', ...nowhere]).status).toBe(22);
    expect(doctor(['explain', ADA, ...nowhere]).stdout).toContain(
      'Leases at 127.0.0.1:1/gt could not be read',
    );
    town.lock(ADA, '');
    expect(doctor(nowhere).status).toBe(1);
    expect(doctor(['--from-snapshot', 'x', '--lease', 'etcd://127.0.0.1:1/gt']).status).toBe(2);
  });
});
