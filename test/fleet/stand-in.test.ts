/** Other machines, each simulated by a command on this one: what becomes of every kind of answer, and of none. */
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { changesSince } from '../../src/cli/watch/lock-changes.ts';
import type { MachineConfig } from '../../src/config.ts';
import type { Snapshot } from '../../src/core/types/evidence.ts';
import type { Report } from '../../src/core/types/report.ts';
import { bareEnvironment, doctor, documentOf, PROGRAM } from '../cli/run-cli.ts';
import { cleanUp, makeTown, startProcess, type TestTown, until } from '../support/index.ts';

afterEach(cleanUp);

const ADA = 'gastown/crew/ada';
const BOB = 'gastown/crew/bob';

/** A machine with the doctor under test; `env` runs a command, as every transport does. */
const there = (town: TestTown, more: Partial<MachineConfig> = {}): MachineConfig => ({
  reach: ['env'],
  doctor: [process.execPath, PROGRAM],
  towns: [town.root],
  ...more,
});

/** A machine that answers with the output of a shell script. */
const saying = (script: string): MachineConfig => ({ reach: ['sh', '-c', script] });

const configure = (town: TestTown, machines: Readonly<Record<string, MachineConfig>>): void => {
  town.write('lock-doctor.json', JSON.stringify({ machines }));
};

/** A town here without locks, and machines to query. */
const homeWith = (machines: Readonly<Record<string, MachineConfig>>): TestTown => {
  const town = makeTown({ workers: [ADA] });
  configure(town, machines);
  return town;
};

const ask = (town: TestTown, ...words: readonly string[]): Report =>
  documentOf<Report>(doctor([...words, '--json', town.root]).stdout);

const rowOf = (report: Report, name: string) => report.machines?.find((machine) => machine.name === name);

const snapshotOf = (town: TestTown): Snapshot =>
  JSON.parse(doctor(['--save-snapshot', '-', '--town', town.root]).stdout) as Snapshot;

/** A machine that sends this evidence, whatever the question. */
const sending = (town: TestTown, snapshot: object): MachineConfig => {
  const file = town.path('sent.json');
  writeFileSync(file, JSON.stringify(snapshot));
  return { reach: ['sh', '-c', 'cat "$0"', file] };
};

describe('--save-snapshot -', () => {
  test('prints the evidence instead of a report, and judges nothing', () => {
    const town = makeTown();
    town.lock(ADA);
    const { status, stdout, stderr } = doctor(['--save-snapshot', '-', '--town', town.root]);
    expect([status, stderr]).toEqual([0, '']);
    const snapshot = JSON.parse(stdout) as Snapshot;
    expect(snapshot).toMatchObject({ snapshotVersion: 1, version: expect.any(String) });
    expect(snapshot.locks.map(({ worker }) => worker)).toEqual([ADA]);
    const file = town.write('evidence.json', stdout);
    expect(documentOf<Report>(doctor(['--from-snapshot', file, '--json']).stdout).summary?.stale).toBe(1);
  });

  test.each([['--json'], ['--fix'], ['--on', 'x'], ['--format', 'text']])(
    'cannot be used with %s',
    (...words) => {
      const town = makeTown();
      expect(doctor(['--save-snapshot', '-', ...words, '--town', town.root]).status).toBe(2);
    },
  );
});

describe('a report over several machines', () => {
  test('has the locks of all machines, and a row for each machine', () => {
    const other = makeTown();
    other.lock(ADA);
    const town = homeWith({ mini2: there(other) });
    town.lock(ADA, { pid: process.pid }, { ageSeconds: 1 });
    const report = ask(town);
    expect(report.locks.map(({ machine, state, path }) => [machine, state, path])).toEqual([
      ['here', 'held', town.path(ADA, '.runtime/agent.lock')],
      ['mini2', 'stale', other.path(ADA, '.runtime/agent.lock')],
    ]);
    expect(report.findings).toMatchObject([
      {
        id: `mini2:stale-lock:${ADA}`,
        machine: 'mini2',
        next: [
          ['doctor', '--fix', '--worker', ADA, '--yes', '--town', town.root, '--on', `mini2:${other.root}`],
        ],
      },
    ]);
    expect(report.machines).toMatchObject([
      { name: 'here', status: 'ok', locks: 1, clockDifferenceMs: 0 },
      { name: 'mini2', status: 'ok', host: hostname(), towns: [other.root], locks: 1, clockDifferenceMs: 0 },
    ]);
    expect(report).toMatchObject({ exitCode: 1, complete: true, summary: { locks: 2, held: 1, stale: 1 } });
  });

  test('names the machine before the worker in text, the worst first', () => {
    const other = makeTown();
    other.lock(ADA);
    const town = homeWith({ a1: there(other), gone: saying('exit 3') });
    town.lock(BOB, { pid: process.pid }, { ageSeconds: 1 });
    expect(doctor([town.root]).stdout).toContain(
      `warning stale-lock a1:${ADA}: its process (4194305) is gone`,
    );
    expect(doctor([town.root]).stdout).toContain('gap machine:gone: said nothing and ended with code 3\n');
    const lines = doctor(['locks', town.root]).stdout.split('\n');
    expect(lines).toEqual([
      expect.stringMatching(`^stale a1:${ADA}: `),
      expect.stringContaining(`held ${BOB}: node (pid ${process.pid}); taken `),
      'no-answer gone: said nothing and ended with code 3',
      '',
    ]);
  });

  test('is an ordinary report with --on here, without machines', () => {
    const town = homeWith({ gone: saying('exit 3') });
    town.lock(ADA);
    const report = ask(town, '--on', 'here');
    expect(report.machines).toBeUndefined();
    expect(report.locks[0]).not.toHaveProperty('machine');
    expect(report.exitCode).toBe(1);
  });

  test('queries the machines that the user has configured for all towns', () => {
    const other = makeTown();
    other.lock(ADA);
    const town = makeTown();
    const home = makeTown({ marked: false, workers: [] });
    home.write('lock-doctor/config.json', JSON.stringify({ machines: { mini2: there(other) } }));
    const { stdout } = doctor(['--json', town.root], { env: { XDG_CONFIG_HOME: home.root } });
    expect(rowOf(documentOf<Report>(stdout), 'mini2')).toMatchObject({ status: 'ok', locks: 1 });
  });

  test('queries no machine that is configured in a directory not named as the town', () => {
    const town = makeTown({ marked: false, workers: [ADA] });
    configure(town, { trap: saying(`touch ${town.path('ran')}`) });
    const { stdout } = doctor(['--json'], { cwd: town.root });
    expect(documentOf<Report>(stdout).machines).toBeUndefined();
    expect(documentOf<Report>(stdout).gaps.map(({ why }) => why)).toContain(
      'its machines were not asked: nobody named this directory as the town',
    );
    expect(existsSync(town.path('ran'))).toBe(false);
  });

  test('is not made by preflight, which queries no other machine', () => {
    const town = homeWith({});
    configure(town, { trap: saying(`touch ${town.path('ran')}`) });
    expect(doctor(['preflight', ADA, '--town', town.root]).status).toBe(0);
    expect(existsSync(town.path('ran'))).toBe(false);
  });

  test('explains a worker on any machine, with commands that run there', () => {
    const other = makeTown();
    other.lock(ADA);
    const town = homeWith({ mini2: there(other) });
    const { stdout } = doctor(['explain', `mini2:${ADA}`, '--town', town.root]);
    expect(stdout).toContain(other.path(ADA, '.runtime/agent.lock'));
    expect(stdout).toContain(`doctor --fix --worker ${ADA} --town ${town.root} --on mini2:${other.root}`);
    expect(stdout).toContain('Seen on: mini2.');
  });
});

describe('a machine that does not answer properly gives a row and doubt', () => {
  const snapshotVersion2 = JSON.stringify({ snapshotVersion: 2, version: '9.1.0' });
  test.each([
    ['says nothing', 'exit 0', 'said nothing and ended with code 0'],
    ['fails', 'echo "cannot reach it" >&2; exit 255', 'cannot reach it'],
    ['has no doctor', 'no-such-program', 'there is no doctor there'],
    [
      'answers garbage',
      'echo "Welcome to mini2!"',
      'its answer is not JSON, and begins with "Welcome to mini2!"',
    ],
    ['breaks off', `printf '{"snapshotVersion": 1, "loc'`, 'its answer broke off after 27 bytes'],
    [
      'answers something else',
      'echo "{}"',
      'its answer is not evidence from a doctor: snapshotVersion is missing',
    ],
    ['answers a list', 'echo "[]"', 'its answer is not evidence from a doctor'],
    ['answers null', 'echo null', 'its answer is not evidence from a doctor'],
    [
      'speaks another version',
      `echo '${snapshotVersion2}'`,
      'its evidence has version 2 (lock-doctor 9.1.0)',
    ],
    ['is killed', 'kill -9 $$', 'was ended by a signal'],
    ['never answers', 'exec sleep 60', 'did not answer within 1 s'],
    ['answers slowly for ever', 'while :; do printf " "; sleep 0.1; done', 'did not answer within 1 s'],
    ['leaves a process that keeps the pipe open', 'sleep 3 & exec sleep 60', 'did not answer within 1 s'],
  ])('when it %s', (_, script, why) => {
    const town = homeWith({ odd: saying(script) });
    const report = ask(town, '--deadline', '1');
    expect(rowOf(report, 'odd')).toMatchObject({ status: 'failed', reason: expect.stringContaining(why) });
    expect(report).toMatchObject({ exitCode: 22, complete: false, locks: [] });
    expect(report.gaps).toMatchObject([{ what: 'machine:odd', machine: 'odd' }]);
  });

  test('when its answer is too large', () => {
    const town = homeWith({ odd: saying('head -c 40000000 /dev/zero') });
    expect(rowOf(ask(town), 'odd')?.reason).toMatch(/said more than 33554432 bytes/);
  });

  test.each([
    ['nested lists', `head -c 30000000 /dev/zero | tr '\\0' '['`],
    ['empty objects', `printf '['; yes '{},' | head -c 30000000; printf '{}]'`],
  ])('when its answer takes a hundred times its size in memory: %s', (_, script) => {
    const town = homeWith({ odd: saying(script) });
    expect(rowOf(ask(town), 'odd')?.reason).toMatch(/holds more than 2000000 objects and lists/);
  });

  test('when the command that reaches it does not exist', () => {
    const town = homeWith({ odd: { reach: ['no-such-transport', 'x'] } });
    expect(rowOf(ask(town), 'odd')?.reason).toBe('no-such-transport is not installed here');
  });

  test('when one of its towns does not exist, and reports the other', () => {
    const other = makeTown();
    other.lock(ADA);
    const town = homeWith({ mini2: there(other, { towns: [other.root, '/no/such/town'] }) });
    const report = ask(town);
    expect(rowOf(report, 'mini2')).toMatchObject({
      status: 'partial',
      locks: 1,
      reason: '/no/such/town: there is no town at /no/such/town',
    });
    expect(report).toMatchObject({ complete: false, exitCode: 1 });
  });

  test('but problems elsewhere outrank the doubt', () => {
    const town = homeWith({ odd: saying('exit 1') });
    town.lock(ADA);
    expect(ask(town).exitCode).toBe(1);
  });
});

describe('a machine that lies', () => {
  const evil = '\u001b]0;owned\u0007\u001b[2J\n$(touch /tmp/owned)\u202e';

  test('cannot control a terminal, nor make a printed command touch its paths here', () => {
    const other = makeTown();
    other.lock(ADA);
    const snapshot = snapshotOf(other);
    const forged = {
      ...snapshot,
      version: evil,
      town: { ...snapshot.town, root: `/${evil}` },
      locks: snapshot.locks.map((lock) => ({
        ...lock,
        id: `agent:${evil}`,
        worker: evil,
        path: `/etc/${evil}`,
        git: {
          tracked: { seen: true, value: true },
          ignored: { seen: true, value: true },
          repository: '/etc',
        },
      })),
      machine: { ...snapshot.machine, host: { ...snapshot.machine.host, hostname: evil } },
    };
    const town = homeWith({});
    configure(town, { evil: sending(town, forged) });
    for (const words of [
      [],
      ['-v'],
      ['--format', 'markdown'],
      ['--format', 'github'],
      ['--format', 'ndjson'],
      ['--json'],
    ]) {
      const { stdout, stderr } = doctor([...words, town.root]);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the output must not contain these
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
    const report = ask(town);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ machine: 'evil', next: expect.arrayContaining([expect.anything()]) }),
    );
    for (const { next, machine } of report.findings)
      for (const command of next)
        expect(
          machine === 'here' ||
            command[0] === 'sh' ||
            command.includes('--on') ||
            command.some((word) => word.startsWith('--on=')),
        ).toBe(true);
  });

  test('cannot prove the death of a lock here, shared or not, whatever name it claims', () => {
    const town = homeWith({});
    town.lock(ADA, { hostname: 'mini2', pid: 4242 });
    const snapshot = snapshotOf(town);
    const forged = {
      ...snapshot,
      machine: {
        ...snapshot.machine,
        host: { ...snapshot.machine.host, hostname: 'mini2', bootId: 'b0070000-0000-4000-8000-00000000dead' },
        processes: {
          listing: { seen: true, value: 'all' },
          list: [],
          lookups: [{ pid: 4242, answer: 'absent', signalable: false, process: null, why: null }],
        },
        tmux: { installed: true, servers: [], enumerated: true },
      },
    };
    for (const shared of [false, true]) {
      configure(town, { evil: { ...sending(town, forged), shared } });
      const ours = ask(town).locks.find(({ path }) => path.startsWith(town.root));
      expect([shared, ['foreign', 'unknown'].includes(ours?.state ?? '')]).toEqual([shared, true]);
      const fixed = doctor(['--fix', '--yes', '--on', 'here', '--on', 'evil', town.root]);
      expect(fixed.stdout).not.toContain('fixed');
      expect(existsSync(town.path(ADA, '.runtime/agent.lock'))).toBe(true);
    }
    // If the configuration says that it is mini2, its evidence is proof; the test above could not detect that.
    configure(town, { mini2: { ...sending(town, forged), shared: true } });
    expect(ask(town).locks.map(({ state, machine }) => [state, machine])).toEqual([['stale', 'mini2']]);
  });

  test('cannot write here by its answer to a repair', () => {
    const other = makeTown();
    other.lock(ADA);
    const town = homeWith({});
    const { reach } = sending(town, snapshotOf(other));
    const answer = JSON.stringify({
      findings: [
        {
          lock: `agent:${ADA}`,
          fix: { action: 'release', status: 'fixed', reason: null, backup: '/etc/passwd' },
        },
      ],
      undo: ['doctor', 'undo', '$(touch /tmp/owned)', '--town', '/'],
    });
    const script = `case "$*" in *--fix*) echo "$ANSWER";; *) cat "$0";; esac`;
    configure(town, { evil: { reach: ['sh', '-c', script, reach.at(-1) ?? ''] } });
    const before = readdirSync(town.root, { recursive: true });
    const { stdout } = doctor(['--fix', '--yes', '--on', 'evil', '--json', town.root], {
      env: { ANSWER: answer },
    });
    expect(readdirSync(town.root, { recursive: true })).toEqual(before);
    expect(documentOf<Report>(stdout).undo).toBeNull();
    expect(stdout).not.toContain('touch');
  });
});

describe('a repair on another machine', () => {
  test('is planned here, and carried out and undone there', () => {
    const other = makeTown();
    const lock = other.lock(ADA);
    const town = homeWith({ mini2: there(other) });
    const kept = town.lock(ADA);
    const dry = doctor(['--fix', '--dry-run', '--on', 'mini2', town.root]);
    expect(dry.stdout).toContain(`would release mini2:${ADA}: stale`);
    expect(existsSync(lock)).toBe(true);
    const { status, stdout } = doctor(['--fix', '--yes', '--on', 'mini2', '--json', town.root]);
    expect(status).toBe(0);
    const report = documentOf<Report>(stdout);
    expect(report.findings).toMatchObject([{ machine: 'mini2', fix: { status: 'fixed' } }]);
    expect([existsSync(lock), existsSync(kept)]).toEqual([false, true]);
    expect(existsSync(other.path('.runtime/lock-doctor/journal.jsonl'))).toBe(true);
    expect(existsSync(town.path('.runtime'))).toBe(false);
    const [, ...undo] = report.undo ?? [];
    expect(undo.slice(0, 1)).toEqual(['undo']);
    expect(doctor(undo).stdout).toBe(`restored mini2:${ADA} (pid 4194305)\n`);
    expect(existsSync(lock)).toBe(true);
  });

  test('says from which root there it is undone, if it was made from another', () => {
    const other = makeTown({ marked: false, workers: ['feature-1', 'feature-2'] });
    const locks = ['feature-1', 'feature-2'].map((worker) => other.lock(worker));
    doctor(['--fix', '--yes', other.root]);
    const town = homeWith({});
    configure(town, { mini2: { ...there(other), towns: [other.path('feature-1')] } });
    const { status, stdout } = doctor(['undo', '--on', 'mini2', '--town', town.root]);
    expect([status, stdout]).toEqual([
      1,
      expect.stringMatching(
        /^The lock of mini2:\S+\/feature-1 was released by a run in mini2:\S+: doctor undo \S+ --town \S+ --on mini2:\S+\n$/,
      ),
    ]);
    expect(locks.map(existsSync)).toEqual([false, false]);
    const [, command = ''] = /: doctor (undo .*)\n/.exec(stdout) ?? [];
    expect(doctor(command.split(' '))).toMatchObject({ status: 0 });
    expect(locks.map(existsSync)).toEqual([true, false]);
  });

  test('acts here too if here is named, and only on named machines', () => {
    const [one, two] = [makeTown(), makeTown()];
    const locks = [one.lock(ADA), two.lock(ADA)];
    const town = homeWith({ one: there(one), two: there(two) });
    const own = town.lock(ADA);
    const { stdout } = doctor(['--fix', '--on', 'here', '--on', 'two', '--json', town.root]);
    expect(documentOf<Report>(stdout)).toMatchObject({ exitCode: 0, summary: { fixed: 2 } });
    expect([own, ...locks].map(existsSync)).toEqual([false, true, false]);
    // Without --on it acts only here, whatever is configured.
    const again = town.lock(ADA);
    doctor(['--fix', '--yes', town.root]);
    expect([again, ...locks].map(existsSync)).toEqual([false, true, false]);
  });

  test('releases here a lock that a killed run had moved aside, in the same run', () => {
    const town = homeWith({ one: there(makeTown()) });
    const lock = town.lock(ADA);
    renameSync(lock, `${lock}.0000000000000abc.old`);
    const words = ['--fix', '--yes', '--json', '--on', 'here', '--on', 'one', town.root];
    const report = documentOf<Report>(doctor(words).stdout);
    expect(report).toMatchObject({
      exitCode: 0,
      summary: { fixed: 1 },
      undo: ['doctor', 'undo', expect.any(String), '--town', town.root],
    });
    expect(report.findings).toMatchObject([{ worker: ADA, fix: { status: 'fixed' } }]);
    expect(existsSync(lock)).toBe(false);
  });

  test.each([
    ['agnet', 2],
    ['agent', 1],
    // A plug-in of the other machine may look for it.
    ['acme/agent', 1],
  ])('of locks of the kind %s ends with code %i', (kind, code) => {
    const other = makeTown();
    other.lock(ADA);
    const town = homeWith({ one: there(other) });
    const { status, stderr } = doctor(['--fix', '--dry-run', '--kind', kind, '--on', 'one', town.root]);
    expect(status).toBe(code);
    expect(stderr.includes('no kind of lock "agnet" is looked for')).toBe(code === 2);
  });

  test('releases only what was diagnosed, and reports a lock that changed meanwhile', () => {
    const other = makeTown();
    const lock = other.lock(ADA);
    const [{ id = '', sha256 = '' } = {}] = ask(other).locks;
    other.lock(ADA, { session_id: 'another' });
    const words = ['--fix', '--yes', '--json', '--lock', id, '--stamp', sha256 ?? '', other.root];
    const { stdout, status } = doctor(words);
    expect(status).toBe(1);
    expect(documentOf<Report>(stdout).findings).toMatchObject([{ fix: { status: 'changed' } }]);
    expect(existsSync(lock)).toBe(true);
  });

  test('with --lock releases that lock and leaves the others', () => {
    const town = makeTown();
    const [ada, bob] = [town.lock(ADA), town.lock(BOB)];
    doctor(['--fix', '--yes', '--lock', `agent:${BOB}`, town.root]);
    expect([ada, bob].map(existsSync)).toEqual([true, false]);
    expect(doctor(['--fix', '--lock', 'a', '--lock', 'b', '--stamp', 'c', town.root]).status).toBe(2);
    expect(doctor(['--lock', 'a', town.root]).status).toBe(2);
  });

  test('is not carried out by a collector that was sent', () => {
    const other = makeTown();
    const lock = other.lock(ADA);
    const town = homeWith({
      mini2: {
        ...there(other),
        reach: ['env', `PATH=${process.execPath.replace(/\/[^/]+$/, '')}:/usr/bin:/bin`],
        send: true,
      },
    });
    const { stdout } = doctor(['--fix', '--yes', '--on', 'mini2', '--json', town.root]);
    expect(documentOf<Report>(stdout).findings).toMatchObject([{ fix: { status: 'skipped' } }]);
    expect(existsSync(lock)).toBe(true);
  });
});

describe('doctor machines', () => {
  test('lists the machines that answer, with version, clock and round trip', () => {
    const other = makeTown();
    const town = homeWith({
      mini2: there(other),
      odd: saying('exit 1'),
      late: there(other, {
        reach: ['sh', '-c', `"$0" "$@" | sed -E 's/"clock":"20[0-9]{2}/"clock":"2100/'`],
      }),
    });
    const { status, stdout } = doctor(['machines', '--json', '--town', town.root]);
    expect(status).toBe(22);
    const { machines } = documentOf<{ machines: NonNullable<Report['machines']> }>(stdout);
    expect(machines).toMatchObject([
      { name: 'here', status: 'ok', clockDifferenceMs: 0 },
      { name: 'mini2', status: 'ok', host: hostname(), version: expect.any(String), clockDifferenceMs: 0 },
      { name: 'odd', status: 'failed', version: null },
      { name: 'late', status: 'ok' },
    ]);
    expect(machines[3]?.clockDifferenceMs).toBeGreaterThan(1e9);
    const lines = doctor(['machines', '--town', town.root]).stdout.split('\n');
    expect(lines[1]).toMatch(/^ok mini2: .*, lock-doctor .*, [\d.]+ m?s, \//);
    expect(lines[2]).toBe('failed odd: said nothing and ended with code 1');
  });

  test('reports a clock difference, and gives ages by the clock of that machine', () => {
    const other = makeTown();
    other.lock(ADA, {}, { ageSeconds: 7200 });
    const snapshot = snapshotOf(other);
    const hourMs = 3_600_000;
    const shifted = JSON.parse(JSON.stringify(snapshot), (key, value: unknown) =>
      typeof value === 'number' && /Ms$/.test(key) ? value + hourMs : value,
    ) as Snapshot;
    const town = homeWith({});
    configure(town, { late: sending(town, shifted) });
    const report = ask(town);
    expect(Math.abs((rowOf(report, 'late')?.clockDifferenceMs ?? 0) - hourMs)).toBeLessThan(120_000);
    const age = report.locks[0]?.holder?.ageSeconds ?? 0;
    expect(Math.abs(age - 7200)).toBeLessThan(120);
  });
});

describe('the collector that is sent', () => {
  test('gives the same evidence as a doctor there', () => {
    const other = makeTown();
    other.lock(ADA, { session_id: '%55' });
    other.write('lock-doctor.json', '{"kinds":{"pid-file":{"files":["run/*.pid"]}}}');
    other.write('run/a.pid', `${process.pid}\n`);
    const path = `PATH=${process.execPath.replace(/\/[^/]+$/, '')}:/usr/bin:/bin`;
    const town = homeWith({ mini2: there(other, { reach: ['env', path] }) });
    const essence = (report: Report) => [
      rowOf(report, 'mini2')?.version,
      report.locks.map(({ state, reasons, sha256 }) => [state, reasons, sha256]),
    ];
    const sent = ask(town, '--send');
    expect(rowOf(sent, 'mini2')?.status).toBe('ok');
    expect(sent.locks.map(({ kind }) => kind)).toEqual(['agent', 'pid-file']);
    expect(essence(sent)).toEqual(essence(ask(town)));
    const before = readdirSync(other.root, { recursive: true });
    ask(town, '--send');
    expect(readdirSync(other.root, { recursive: true })).toEqual(before);
  });

  test('reports a missing town and a missing node', () => {
    const town = homeWith({
      a: {
        reach: ['env', `PATH=${process.execPath.replace(/\/[^/]+$/, '')}`],
        towns: ['/no/such'],
        send: true,
      },
      b: { reach: ['env', 'PATH=/no/such'], send: true },
    });
    const report = ask(town);
    expect(rowOf(report, 'a')?.reason).toMatch(/\/no\/such/);
    expect(rowOf(report, 'b')?.reason).toMatch(/^there is no node there/);
  });
});

describe('--watch over machines', () => {
  test('reports the locks of all machines', async () => {
    const other = makeTown();
    other.lock(ADA);
    const town = homeWith({ mini2: there(other) });
    const { child } = await startProcess(
      process.execPath,
      [PROGRAM, 'locks', '--watch', '--json', town.root],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: bareEnvironment(),
      },
    );
    let text = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      text += bytes.toString('utf8');
    });
    await until(() => text.includes('"present"'), 'the first look');
    expect(text).toContain('"machine":"mini2"');
  });

  test('reports no lock of a silent machine as gone', () => {
    const other = makeTown();
    other.lock(ADA);
    const town = homeWith({ mini2: there(other) });
    const first = ask(town);
    const { known } = changesSince(null, first);
    configure(town, { mini2: saying('exit 1') });
    const silent = changesSince(known, ask(town));
    expect(silent.changes).toEqual([]);
    expect(changesSince(silent.known, first).changes).toEqual([]);
    configure(town, {});
    expect(changesSince(known, ask(town)).changes).toMatchObject([
      { change: 'gone', lock: { machine: 'mini2' } },
    ]);
  });
});

test('the evidence that travels has no arguments and no environments of processes', async () => {
  const town = makeTown();
  const { pid } = await startProcess(
    process.execPath,
    ['-e', 'setInterval(() => {}, 1e6)', 'secret-argument'],
    {
      cwd: town.path(ADA),
      env: { ...process.env, TOKEN: 'secret-variable' },
    },
  );
  const { stdout } = doctor(['--save-snapshot', '-', '--town', town.root], {
    env: { TOKEN: 'secret-variable' },
  });
  const { machine } = JSON.parse(stdout) as Snapshot;
  expect(machine.processes.list.map((process) => process.pid)).toContain(pid);
  expect(stdout).not.toContain('secret-');
});
