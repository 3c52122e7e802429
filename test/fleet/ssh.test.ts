/** Two machines by real ssh: two sshd on loopback, with keys made for the test. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { MachineConfig } from '../../src/config.ts';
import type { Report } from '../../src/core/types/report.ts';
import { doctor, documentOf, PROGRAM } from '../cli/run-cli.ts';
import { cleanUp, makeTown, onCleanUp, startProcess, type TestTown, until } from '../support/index.ts';
import { canUnshare, hasSshd, onSsh, type SshMachine, sshNet } from './sshd.ts';

afterEach(cleanUp);

const ADA = 'gastown/crew/ada';
const NASTY = 'it\'s a $(touch owned) `town` \\ "x"; & é';

/** Skipped if OpenSSH's server is not installed. */
const withSshd = hasSshd ? describe : describe.skip;
/** Skipped if namespaces cannot be created, as without root. */
const withNamespaces = hasSshd && canUnshare ? describe : describe.skip;

const configure = (town: TestTown, machines: Readonly<Record<string, MachineConfig>>): void => {
  town.write('lock-doctor.json', JSON.stringify({ machines }));
};

const ask = (town: TestTown, ...words: readonly string[]): Report =>
  documentOf<Report>(doctor([...words, '--json', town.root]).stdout);

const rowOf = (report: Report, name: string) => report.machines?.find((machine) => machine.name === name);

/** A town with a path that a shell would split and expand. */
const nastyTown = (): TestTown => {
  const around = makeTown({ marked: false, workers: [] });
  return makeTown({ root: around.path(NASTY) });
};

withSshd('two machines by ssh', () => {
  test('are queried, repaired and undone together, whatever the paths of their towns', async () => {
    const net = sshNet();
    const [mini1, mini2] = [await net.start('mini1'), await net.start('mini2')];
    const [one, two] = [makeTown(), nastyTown()];
    const locks = [one.lock(ADA), two.lock(ADA)];
    const town = makeTown();
    configure(town, {
      mini1: onSsh(mini1, { towns: [one.root] }),
      mini2: onSsh(mini2, { towns: [two.root] }),
    });
    const report = ask(town);
    expect(report.machines).toMatchObject([
      { name: 'here' },
      { name: 'mini1', status: 'ok', towns: [one.root], locks: 1, clockDifferenceMs: 0 },
      { name: 'mini2', status: 'ok', towns: [two.root], locks: 1, clockDifferenceMs: 0 },
    ]);
    expect(report.locks.map(({ machine, state, path }) => [machine, state, path])).toEqual([
      ['mini1', 'stale', locks[0]],
      ['mini2', 'stale', locks[1]],
    ]);
    const fixed = documentOf<Report>(doctor(['--fix', '--yes', '--on', 'mini2', '--json', town.root]).stdout);
    expect(fixed).toMatchObject({ exitCode: 0, summary: { fixed: 1 } });
    expect(locks.map(existsSync)).toEqual([true, false]);
    const [[, , run = ''] = []] = fixed.findings.flatMap(({ next }) => next);
    expect(doctor(['undo', run, '--on', 'mini2', '--town', town.root]).stdout).toMatch(/^restored mini2:/);
    expect(locks.map(existsSync)).toEqual([true, true]);
    expect(readdirSync(two.path('..'))).toEqual([NASTY]);
  });

  test('answer doctor machines, and the one-file collector needs no doctor there', async () => {
    const net = sshNet();
    const mini1 = await net.start('mini1');
    const one = makeTown();
    one.lock(ADA);
    const town = makeTown();
    configure(town, { mini1: { reach: mini1.reach, towns: [one.root] } });
    // There is no `doctor` in the PATH there.
    expect(rowOf(ask(town), 'mini1')?.reason).toMatch(/^there is no doctor there/);
    expect(rowOf(ask(town, '--send'), 'mini1')).toMatchObject({ status: 'ok', locks: 1 });
    const { status, stdout } = doctor(['machines', '--send', '--town', town.root]);
    expect([status, stdout.split('\n')[1]]).toEqual([0, expect.stringMatching(/^ok mini1: .*lock-doctor/)]);
  });

  test('that are down, refuse or are someone else give rows and doubt, without a prompt', async () => {
    const net = sshNet();
    const mini1 = await net.start('mini1');
    const stranger = await net.start('stranger');
    await mini1.stop();
    const mute = createServer((socket) => socket.on('error', () => {}));
    const port = await new Promise<number>((resolve) => {
      mute.listen(0, '127.0.0.1', () => {
        const address = mute.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    onCleanUp(() => void mute.close());
    const town = makeTown();
    configure(town, {
      down: onSsh(mini1, {}),
      other: onSsh({ reach: net.pretend('other', stranger.port).with(-1, 'other') }, {}),
      mute: onSsh({ reach: net.pretend('mute', port) }, {}),
      keyless: onSsh(
        { reach: [...stranger.reach.slice(0, 3), '-o', 'PubkeyAuthentication=no', 'stranger'] },
        {},
      ),
    });
    const report = ask(town, '--deadline', '5');
    expect(rowOf(report, 'down')).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/refused/),
    });
    expect(rowOf(report, 'mute')).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/timed out|did not answer/i),
    });
    expect(rowOf(report, 'keyless')).toMatchObject({
      status: 'failed',
      reason: expect.stringMatching(/Permission denied/),
    });
    expect(report).toMatchObject({ exitCode: 22, complete: false });
  });
});

/** Takes a worker's lock on a machine, with a process there; resolves with its PID there. */
const takeLock = async ({ reach }: SshMachine, town: TestTown, worker: string): Promise<number> => {
  const [program = '', ...words] = reach;
  const line = `exec '${process.execPath}' '${PROGRAM}' exec ${worker} --town '${town.root}' --record process -- sleep 600`;
  await startProcess(program, [...words, line]);
  const lock = town.path(worker, '.runtime/agent.lock');
  await until(
    () => existsSync(lock) && readFileSync(lock, 'utf8').includes('"pid"'),
    `the lock of ${worker}`,
  );
  return (JSON.parse(readFileSync(lock, 'utf8')) as { readonly pid: number }).pid;
};

/** Kills the doctor that would release the lock and then the holder, by their PIDs there. */
const killHolder = ({ reach }: SshMachine, pid: number): void => {
  const [program = '', ...words] = reach;
  execFileSync(program, [...words, `kill -9 $(ps -o ppid= -p ${pid}) ${pid}`]);
};

withNamespaces('two machines with their own host names and PIDs', () => {
  const states = (report: Report) =>
    Object.fromEntries(
      report.locks.map(({ worker, state, machine }) => [worker.slice(13), `${state} by ${machine}`]),
    );
  const WORKERS = ['dead', 'live', 'gone'].map((name) => `gastown/crew/${name}`);

  test('each judge the locks that they took in a shared directory', async () => {
    const net = sshNet();
    const alpha = await net.start('alpha', { host: 'alpha' });
    const beta = await net.start('beta', { host: 'beta' });
    const town = makeTown({ workers: WORKERS });
    killHolder(alpha, await takeLock(alpha, town, 'gastown/crew/dead'));
    await takeLock(beta, town, 'gastown/crew/live');
    town.lock('gastown/crew/gone', { hostname: 'gamma' });
    const shared = { towns: [town.root], shared: true };
    configure(town, { alpha: onSsh(alpha, shared), beta: onSsh(beta, shared) });
    const report = ask(town);
    expect(states(report)).toEqual({ dead: 'stale by alpha', gone: 'foreign by here', live: 'held by beta' });
    expect(report.locks[0]).toMatchObject({ witnesses: ['here', 'alpha', 'beta'] });
    expect(report.machines?.map(({ host }) => host)).toEqual([expect.any(String), 'alpha', 'beta']);
    expect(report.collisions).toEqual([]);

    // A repair here leaves the lock to the machine that took it, and that machine releases it.
    const dead = town.path('gastown/crew/dead/.runtime/agent.lock');
    const here = doctor(['--fix', '--yes', '--on', 'here', '--on', 'beta', town.root]);
    expect(here.stdout).not.toContain('fixed');
    expect(existsSync(dead)).toBe(true);
    const there = documentOf<Report>(doctor(['--fix', '--yes', '--on', 'alpha', '--json', town.root]).stdout);
    expect(there).toMatchObject({ summary: { fixed: 1 } });
    expect(existsSync(dead)).toBe(false);
    expect(existsSync(town.path('gastown/crew/live/.runtime/agent.lock'))).toBe(true);
  });

  test('prove no death while one that shares the directory is down', async () => {
    const net = sshNet();
    const alpha = await net.start('alpha', { host: 'alpha' });
    const beta = await net.start('beta', { host: 'beta' });
    const town = makeTown({ workers: WORKERS });
    killHolder(alpha, await takeLock(alpha, town, 'gastown/crew/dead'));
    const shared = { towns: [town.root], shared: true };
    configure(town, { alpha: onSsh(alpha, shared), beta: onSsh(beta, shared) });
    expect(states(ask(town))).toEqual({ dead: 'stale by alpha' });
    await beta.stop();
    const report = ask(town);
    expect(states(report)).toEqual({ dead: 'unknown by alpha' });
    expect(report.exitCode).toBe(22);
    expect(doctor(['--fix', '--yes', '--on', 'alpha', town.root]).stdout).not.toContain('fixed');
    expect(existsSync(town.path('gastown/crew/dead/.runtime/agent.lock'))).toBe(true);
  });

  test('include a container that is reached by entering its namespaces', async () => {
    const town = makeTown({ workers: WORKERS });
    // Its init sleeps; a process that enters it has its host name and its PIDs.
    const init = await startProcess('unshare', [
      ...['--uts', '--pid', '--fork', '--kill-child', '--mount-proc'],
      ...['sh', '-c', 'hostname box; printf init >/proc/1/comm; sleep 600; exit'],
    ]);
    const children = `/proc/${init.pid}/task/${init.pid}/children`;
    const inside = await until(() => readFileSync(children, 'utf8').trim(), 'the container');
    const reach = ['nsenter', '--target', inside, '--uts', '--pid', '--mount'];
    await until(
      () =>
        execFileSync(reach[0] ?? '', [...reach.slice(1), 'hostname'], { encoding: 'utf8' }).trim() === 'box',
      'its host name',
    );
    await takeLock(
      { name: 'box', port: 0, reach: [...reach, 'sh', '-c'], stop: async () => {} },
      town,
      'gastown/crew/live',
    );
    configure(town, { box: onSsh({ reach }, { towns: [town.root], shared: true }) });
    const report = ask(town);
    expect(states(report)).toEqual({ live: 'held by box' });
    expect(rowOf(report, 'box')).toMatchObject({ status: 'ok', host: 'box' });
  });
});
