import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { PreflightReport, Report, ReportLock } from '../../src/core/types/report.ts';
import { examine } from '../../src/diagnose.ts';
import { cleanUp, makeTown, onCleanUp, type TestTown } from '../support/index.ts';
import { bareEnvironment, COMMAND, doctor, documentOf, validatorOf } from './run-cli.ts';

afterEach(cleanUp);

const PLUGINS = fileURLToPath(new URL('../../fixtures/plugins', import.meta.url));

/** A stale lock, an invalid one, and one from another host. */
const unhealthyTown = (): TestTown => {
  const town = makeTown({
    workers: ['gastown/crew/ada', 'gastown/crew/bob', 'gastown/crew/eve', 'gastown/crew/new'],
  });
  town.lock('gastown/crew/ada', { session_id: '%55' });
  town.lock('gastown/crew/bob', '');
  town.lock('gastown/crew/eve', { hostname: '4e449adbac66' });
  return town;
};

const run = (town: TestTown, ...args: string[]) => {
  const result = doctor(args, { cwd: town.root });
  return { ...result, document: documentOf<Report>(result.stdout) };
};

describe('doctor --json', () => {
  test('prints one valid document whose exitCode is the exit status of the process', () => {
    const { status, document, stderr } = run(unhealthyTown(), '--json');
    expect(status).toBe(1);
    expect(stderr).toBe('');
    expect(document).toMatchObject({
      command: 'doctor',
      ok: false,
      complete: true,
      exitCode: 1,
      error: null,
    });
    expect(document.summary).toMatchObject({ locks: 3, stale: 1, invalid: 1, foreign: 1, fixable: 2 });
  });

  test('agrees with the library', async () => {
    const town = unhealthyTown();
    const env = bareEnvironment();
    const piped = documentOf<Report>(doctor(['--json', '--town', town.root], { env }).stdout);
    const library = await examine(town.root, { env, cwd: '/' });
    const timeless = (report: Report) => ({
      ...report,
      startedAt: '',
      durationMs: 0,
      checks: report.checks.map((check) => ({ ...check, durationMs: 0 })),
      locks: report.locks.map((lock) => ({
        ...lock,
        writtenSecondsAgo: 0,
        holder: { ...lock.holder, ageSeconds: 0 },
      })),
    });
    expect(timeless(piped)).toEqual(timeless(JSON.parse(JSON.stringify(library)) as Report));
  });

  test('exits with 0 for an empty town', () => {
    const { status, document } = run(makeTown(), '--json');
    expect(status).toBe(0);
    expect(document).toMatchObject({ ok: true, exitCode: 0 });
  });

  test('exits with 22 on doubt, and with 1 if there are problems too', () => {
    const town = makeTown({ workers: ['gastown/crew/ada'] });
    town.lock('gastown/crew/ada', { session_id: '%55' });
    // A server that accepts connections and never answers.
    const socket = town.path('silent.sock');
    const silent = createServer().listen(socket);
    onCleanUp(() => {
      silent.close();
    });
    const asking = ['--json', '--town', town.root, '--socket', socket, '--timeout', '300'];
    const doubtful = doctor(asking);
    expect(doubtful.status).toBe(22);
    expect(documentOf<Report>(doubtful.stdout)).toMatchObject({
      complete: false,
      exitCode: 22,
      gaps: [{ what: `tmux:${socket}`, why: 'did not answer within 300 ms' }],
    });
    town.lock('gastown/crew/bob', 'no record');
    town.lock('gastown/crew/.runtime', {});
    const both = doctor([...asking, '--fail-on', 'info']);
    expect(both.status).toBe(1);
    expect(documentOf<Report>(both.stdout)).toMatchObject({ complete: false });
  });

  test('works in the bare environment of cron', () => {
    const town = unhealthyTown();
    const env = { PATH: '/usr/bin:/bin', HOME: undefined, LC_ALL: undefined };
    const { status, stdout } = doctor(['--json', '--town', town.root], { env });
    expect(status).toBe(1);
    expect(documentOf<Report>(stdout).summary).toMatchObject({ locks: 3 });
  });

  test('--fail-on sets the severity from which a finding is a problem', () => {
    const town = unhealthyTown();
    expect(run(town, '--json', '--fail-on', 'error').status).toBe(0);
    expect(run(town, '--json', '--fail-on', 'info').status).toBe(1);
  });

  test('--only and --skip select checks, and the others are reported as skipped', () => {
    const { document } = run(
      unhealthyTown(),
      '--json',
      '--only',
      'stale-lock,collision',
      '--skip',
      'collision',
    );
    expect(document.checks.filter(({ status }) => status !== 'skipped').map(({ id }) => id)).toEqual([
      'stale-lock',
    ]);
    expect(document.findings.map(({ check }) => check)).toEqual(['stale-lock']);
  });

  test('--worker narrows the report', () => {
    const { document, status } = run(unhealthyTown(), '--json', '--worker', 'gastown/crew/eve');
    expect(document.locks.map(({ worker }) => worker)).toEqual(['gastown/crew/eve']);
    expect(status).toBe(0);
  });
});

describe('plug-ins', () => {
  test('are loaded by --plugin, and a crash of one leaves the others running', () => {
    const { document, status } = run(unhealthyTown(), '--json', '--plugin', join(PLUGINS, 'crashing.js'));
    expect(document.checks.at(-1)).toMatchObject({
      id: 'acme/crashing',
      status: 'crashed',
      error: 'no such field',
    });
    expect(document.checks.filter(({ status: state }) => state === 'fail')).toHaveLength(3);
    expect(document.complete).toBe(false);
    expect(status).toBe(1);
  });

  test('are loaded from lock-doctor.json, by paths relative to it', () => {
    const town = unhealthyTown();
    mkdirSync(town.path('checks'));
    symlinkSync(join(PLUGINS, 'long-held.js'), town.path('checks/long-held.js'));
    town.write('lock-doctor.json', '{"plugins": ["./checks/long-held.js"], "skip": ["lock-debris"]}');
    const { document } = run(town, '--json');
    expect(document.checks.at(-1)).toMatchObject({ id: 'acme/long-held', status: 'pass' });
    expect(document.checks.find(({ id }) => id === 'lock-debris')).toMatchObject({ status: 'skipped' });
  });

  test('are listed by the checks command', () => {
    const result = doctor(['checks', '--json', '--plugin', join(PLUGINS, 'two-checks.js')]);
    const { checks } = documentOf<{ checks: { id: string; source: string }[] }>(result.stdout);
    expect(checks.slice(-2).map(({ id, source }) => [id, source])).toEqual([
      ['acme/first', 'plug-in'],
      ['@acme/checks/second', 'plug-in'],
    ]);
  });
});

describe('snapshots', () => {
  test('give the same report when replayed, after the town is gone', () => {
    const town = unhealthyTown();
    const first = run(town, '--json', '--save-snapshot', 'evidence.json').document;
    const snapshot = town.path('evidence.json');
    const elsewhere = makeTown();
    writeFileSync(elsewhere.path('evidence.json'), readFileSync(snapshot));
    town.remove();
    const replayed = documentOf<Report>(
      doctor(['--json', '--from-snapshot', 'evidence.json'], { cwd: elsewhere.root }).stdout,
    );
    const timeless = (report: Report) => ({
      ...report,
      durationMs: 0,
      checks: report.checks.map(({ id, status, findings }) => ({ id, status, findings })),
    });
    expect(timeless(replayed)).toEqual(timeless(first));
  });

  test.each([
    ['missing', null, 'E_IO'],
    ['not JSON', '{', 'E_USAGE'],
    ['another document', '{"a": 1}', 'E_USAGE'],
    [
      'damaged',
      '{"snapshotVersion":1,"takenAtMs":1,"town":{},"host":{},"asker":{},"processes":{},"tmux":{},"locks":[{}],"leftovers":[],"legacy":[],"gaps":[],"asked":[]}',
      'E_USAGE',
    ],
  ])('are refused if they are %s', (_what, text, code) => {
    const town = makeTown();
    if (text !== null) town.write('s.json', text);
    const { status, document } = run(town, '--json', '--from-snapshot', 's.json');
    expect(status).toBe(2);
    expect(document.error?.code).toBe(code);
  });

  test('are never written through a symlink', () => {
    const town = makeTown();
    town.write('precious', 'untouched');
    symlinkSync(town.path('precious'), town.path('link'));
    expect(run(town, '--json', '--save-snapshot', 'link').document.error?.code).toBe('E_IO');
  });
});

describe('the other commands', () => {
  test.each([
    [['locks', '--json'], 1],
    [['locks', '--json', '--state', 'held'], 1],
    [['checks', '--json'], 0],
    [['explain', '--json'], 0],
    [['explain', 'stale-lock', '--json'], 0],
    [['explain', 'orphaned', '--json'], 0],
    [['explain', 'would-block', '--json'], 0],
    [['explain', 'gastown/crew/ada', '--json'], 0],
    [['explain', 'gastown/crew/new', '--json'], 0],
    [['preflight', 'gastown/crew/new', '--json'], 0],
    [['preflight', 'gastown/crew/never', '--json'], 0],
    [['preflight', 'gastown/crew/ada', '--json'], 21],
    [['preflight', 'gastown/crew/bob', '--json'], 21],
    [['preflight', 'gastown/crew/eve', '--json'], 22],
    [['preflight', 'gastown/crew/new', 'gastown/crew/ada', 'gastown/crew/eve', '--json'], 22],
    [['undo', '--json'], 0],
    [['--fix', '--dry-run', '--json'], 1],
    [['--fix', '--json'], 0],
  ])('%j prints a valid document and exits with %d', (args, exitCode) => {
    const { status, document } = run(unhealthyTown(), ...args);
    expect(status).toBe(exitCode);
    expect(document.exitCode).toBe(exitCode);
  });

  test('explain prints the evidence and what --fix does, and does not mention --force in a pipe', () => {
    const town = unhealthyTown();
    const explain = (worker: string) => doctor(['explain', worker], { cwd: town.root }).stdout;
    expect(explain('gastown/crew/ada')).toContain(
      `Releases it:\n\`\`\`\ndoctor --fix --worker gastown/crew/ada --town ${town.root}\n\`\`\``,
    );
    const foreign = explain('gastown/crew/eve');
    expect(foreign).toContain('- other-host: the lock was taken on another host.');
    expect(foreign).toContain('Nothing, unless forced.');
    expect(foreign).not.toContain('--force');
  });

  test('explain explains each of several words and workers, and one at a time as JSON', () => {
    const town = unhealthyTown();
    const pageOf = (...words: readonly string[]) => doctor(['explain', ...words], { cwd: town.root });
    const [held, ada, both] = [
      pageOf('held'),
      pageOf('gastown/crew/ada'),
      pageOf('held', 'gastown/crew/ada'),
    ];
    expect(both.stdout).toBe(`${held.stdout}\n${ada.stdout}`);
    expect(pageOf('held', 'nonsense')).toMatchObject({ status: 2, stdout: '' });
    expect(pageOf('held', 'stale', '--json').status).toBe(2);
    expect(pageOf('held', 'stale', '--json').stdout).toContain(
      '--json explains one word or worker at a time',
    );
  });

  test('explain shows every lock of a worker, the one in the current layout first', () => {
    const town = unhealthyTown();
    town.lock('gastown/crew/ada', { session_id: '%56' }, { at: '.gastown/agent.lock' });
    const { stdout } = doctor(['explain', 'gastown/crew/ada'], { cwd: town.root });
    const places = ['.runtime/agent.lock', '.gastown/agent.lock'].map((at) =>
      town.path('gastown/crew/ada', at),
    );
    expect(stdout.match(/^ *Lock: .*$/gm)?.map((line) => line.trim())).toEqual(
      places.map((path) => `Lock: ${path}; taken 60 min ago`),
    );
    expect(stdout).toContain('This worker has 2 locks');
    const { document } = run(town, 'explain', 'gastown/crew/ada', '--json');
    const { lock, locks } = document as unknown as { lock: ReportLock; locks: readonly ReportLock[] };
    expect(locks.map(({ path }) => path)).toEqual(places);
    expect(lock).toEqual(locks[0]);
    expect(
      (run(town, 'explain', 'gastown/crew/new', '--json').document as unknown as { locks: [] }).locks,
    ).toEqual([]);
  });

  test('preflight answers in the order of its arguments', () => {
    const { stdout } = doctor(['preflight', '--json', 'gastown/crew/new', 'gastown/crew/ada'], {
      cwd: unhealthyTown().root,
    });
    expect(documentOf<PreflightReport>(stdout).results.map(({ worker, answer }) => [worker, answer])).toEqual(
      [
        ['gastown/crew/new', 'free'],
        ['gastown/crew/ada', 'repair'],
      ],
    );
  });

  test('preflight --fix releases the lock and answers again', () => {
    const town = unhealthyTown();
    const first = doctor(['preflight', '--fix', '--json', 'gastown/crew/ada'], { cwd: town.root });
    const [result] = documentOf<PreflightReport>(first.stdout).results;
    expect(first.status).toBe(0);
    expect(result).toMatchObject({ answer: 'free' });
    expect(result?.message).toContain('a dead lock was released (doctor undo ');
    expect(run(town, 'undo', '--json').status).toBe(0);
    expect(doctor(['preflight', 'gastown/crew/ada'], { cwd: town.root }).status).toBe(21);
  });

  test('ndjson is one valid event per line', () => {
    const { stdout, status } = doctor(['--format', 'ndjson'], { cwd: unhealthyTown().root });
    const validate = validatorOf('event');
    for (const line of stdout.trimEnd().split('\n')) {
      validate(JSON.parse(line));
      expect(validate.errors).toBeNull();
    }
    expect(status).toBe(1);
  });
});

describe('--format ndjson', () => {
  const eventsOf = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map(
        (line) => JSON.parse(line) as { event: string; status?: string; finding?: string; exitCode?: number },
      );

  test('writes the start event before the scan, so that an error follows it', () => {
    const town = unhealthyTown();
    town.write('lock-doctor.json', '{"plugins": ["./evil.mjs"]}');
    town.write(
      'evil.mjs',
      // Called in a scan; nothing calls it between the loading of plug-ins and the first event.
      "import { Dirent } from 'node:fs'; Dirent.prototype.isDirectory = () => { throw new Error('boo'); }; export default { id: 'acme/evil', title: 'x', run: () => [] };",
    );
    const { stdout, status } = doctor(['--format', 'ndjson'], { cwd: town.root });
    expect(status).toBe(70);
    expect(eventsOf(stdout).map(({ event }) => event)).toEqual(['start', 'summary']);
  });

  test('writes one event for each release, as it happens', () => {
    const { stdout, status } = doctor(['--fix', '--format', 'ndjson'], { cwd: unhealthyTown().root });
    const events = eventsOf(stdout);
    expect(status).toBe(0);
    expect(events.filter(({ event }) => event === 'start')).toHaveLength(1);
    expect(events.slice(1, 3)).toMatchObject([
      { event: 'fix', status: 'fixed', finding: 'stale-lock:gastown/crew/ada' },
      { event: 'fix', status: 'fixed', finding: 'invalid-lock:gastown/crew/bob' },
    ]);
    expect(events.filter(({ event }) => event === 'fix')).toHaveLength(2);
    expect(events.at(-1)).toMatchObject({ event: 'summary', exitCode: 0 });
    const validate = validatorOf('event');
    for (const event of events) {
      validate(event);
      expect(validate.errors).toBeNull();
    }
  });
});

describe('an error is a document with exit code 2 and the keys of the command', () => {
  test.each([
    [['--json', '--fixx'], 'E_USAGE', 'unknown option --fixx', 'Did you mean --fix?'],
    [['--fixx', '--format=json'], 'E_USAGE', 'unknown option --fixx', 'Did you mean --fix?'],
    [
      ['--format', 'json', '--timeout', 'x'],
      'E_USAGE',
      '--timeout must be a whole number of milliseconds, at least 1',
      null,
    ],
    [
      ['--json', '/no/such/town'],
      'E_USAGE',
      'there is no town at /no/such/town',
      'doctor --town /path/to/town',
    ],
    [
      ['--json', '--town', '/etc/passwd'],
      'E_USAGE',
      '/etc/passwd is not a directory',
      'doctor --town /path/to/town',
    ],
    [
      ['--json', 'lokcs'],
      'E_USAGE',
      expect.stringContaining('there is no town at'),
      'Did you mean: doctor locks?',
    ],
    [['--json', '--only', 'stale-lok'], 'E_USAGE', 'unknown check "stale-lok"', 'Did you mean stale-lock?'],
    [['--json', '--only', 'stale'], 'E_USAGE', 'unknown check "stale"', 'Did you mean stale-lock?'],
    [
      ['--json', '--kind', 'git'],
      'E_USAGE',
      'there is no kind of lock "git"',
      'Did you mean git-worktree or git-lock?',
    ],
    [
      ['explain', '--json', 'git-worktre'],
      'E_USAGE',
      'unknown word or worker "git-worktre"',
      'Did you mean git-worktree?',
    ],
    [
      ['--json', '--worker', 'gastown/crew/aad'],
      'E_USAGE',
      expect.stringContaining('no worker "gastown/crew/aad"'),
      'Did you mean gastown/crew/ada?',
    ],
    [
      ['--json', '--plugin', './missing.js'],
      'E_CONFIG',
      expect.stringContaining('plug-in ./missing.js: '),
      null,
    ],
    [['--json', '--force', '--fix'], 'E_USAGE', '--force requires --worker or --lock', null],
    [
      ['--json', '--fix', '--force', '--worker', 'gastown/crew/eve'],
      'E_CONSENT',
      '--force requires --yes when there is no terminal',
      null,
    ],
    [['--json', '--yes'], 'E_USAGE', '--yes requires --fix', expect.any(String)],
    [['locks', '--json', '--fix'], 'E_USAGE', 'unknown option --fix', expect.any(String)],
    [['checks', '--json', 'x'], 'E_USAGE', 'unexpected argument "x"', 'Usage: doctor checks [options]'],
    [['explain', '--json', 'stael'], 'E_USAGE', 'unknown word or worker "stael"', 'Did you mean stale?'],
    [
      ['preflight', '--json'],
      'E_USAGE',
      'preflight needs a worker',
      'Usage: doctor preflight WORKER... [options]',
    ],
    [
      ['preflight', '--json', '../outside'],
      'E_USAGE',
      expect.stringContaining('../outside is outside the town'),
      expect.any(String),
    ],
    [
      ['undo', '--json', 'no-such-run'],
      'E_USAGE',
      expect.stringContaining('no run "no-such-run"'),
      'doctor undo --list',
    ],
  ])('%j', (args, code, message, hint) => {
    const town = unhealthyTown();
    const { status, stdout, stderr } = doctor(args, { cwd: town.root });
    const { error, exitCode } = documentOf<Report>(stdout);
    expect({ status, exitCode }).toEqual({ status: 2, exitCode: 2 });
    expect(error).toEqual({ code, message, hint });
    expect(stderr).toBe('');
  });

  test.each([
    ['{', 'is not JSON'],
    ['{"plugins": 3}', 'plugins must be a list'],
    ['{"skip": ["no-such"]}', 'unknown check "no-such"'],
    ['{"plugins": ["./gone.js"]}', 'plug-in ./gone.js: '],
  ])('a configuration of %s', (text, words) => {
    const town = unhealthyTown();
    town.write('lock-doctor.json', text);
    const { status, document } = run(town, '--json');
    expect(status).toBe(2);
    expect(document.error).toMatchObject({ code: 'E_CONFIG', message: expect.stringContaining(words) });
  });

  test('is one sentence and a hint on standard error in the text format, without a stack', () => {
    const { status, stdout, stderr } = doctor(['--fixx'], { cwd: unhealthyTown().root });
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: 'doctor: unknown option --fixx\nDid you mean --fix?\n',
    });
  });

  test('a working directory that is gone is reported in one sentence', () => {
    const gone = makeTown().worker('gone');
    const script = 'cd "$1" && rmdir "$1" && shift && exec "$@" --json';
    const { stdout, status } = spawnSync('sh', ['-c', script, 'sh', gone, ...COMMAND], {
      encoding: 'utf8',
      env: bareEnvironment(),
    });
    expect(status).toBe(2);
    expect(documentOf<Report>(stdout).error).toMatchObject({
      code: 'E_USAGE',
      message: 'the working directory does not exist any more',
    });
  });
});

describe('an unexpected error', () => {
  // No validation catches everything that a plug-in can break: this one breaks a function of Node that the scan calls.
  const breaking = (): TestTown => {
    const town = makeTown();
    town.write('lock-doctor.json', JSON.stringify({ plugins: ['./evil.js'] }));
    town.write(
      'evil.js',
      // Called in a scan; nothing calls it between the loading of plug-ins and the first event.
      "import { Dirent } from 'node:fs'; Dirent.prototype.isDirectory = () => { throw new Error('boo'); }; export default { id: 'acme/evil', title: 'x', run: () => [] };",
    );
    return town;
  };

  test('exits with 70 and one sentence, and prints a stack only with DEBUG=lock-doctor', () => {
    const { root } = breaking();
    const quiet = doctor([], { cwd: root });
    expect({ status: quiet.status, stdout: quiet.stdout }).toEqual({ status: 70, stdout: '' });
    expect(quiet.stderr).toBe(
      'doctor: internal error (please report): boo\nRun again with DEBUG=lock-doctor for details.\n',
    );
    expect(doctor([], { cwd: root, env: { DEBUG: 'lock-doctor' } }).stderr).toContain('\n    at ');
  });

  test('is a document with --json', () => {
    const { status, stdout, stderr } = doctor(['--json'], { cwd: breaking().root });
    expect(status).toBe(70);
    expect(documentOf<Report>(stdout)).toMatchObject({ exitCode: 70, error: { code: 'E_BUG' } });
    expect(stderr).toBe('');
  });
});
