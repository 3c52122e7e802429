/** `doctor who`: the built program is asked about real processes and panes in real directories. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Person, PlaceOfWork, WhoReport } from '../../src/core/types/report.ts';
import {
  cleanUp,
  fakeAgent,
  hasTmux,
  makeTmuxTmpdir,
  makeTown,
  onCleanUp,
  sleeperNamed,
  startTmux,
  type TestTown,
  until,
} from '../support/index.ts';
import { doctor, doctorInPane, documentOf } from './run-cli.ts';

afterEach(cleanUp);

const ADA = 'gastown/crew/ada';
const BOB = 'gastown/crew/bob';
const NO_SESSION = { session_id: '' };

const makeStage = (): { readonly town: TestTown; readonly env: Readonly<Record<string, string>> } => ({
  town: makeTown({ workers: [ADA, BOB] }),
  env: { TMUX_TMPDIR: makeTmuxTmpdir() },
});

const who = (
  town: TestTown,
  args: readonly string[],
  options: Parameters<typeof doctor>[1] = {},
): { readonly status: number | null; readonly report: WhoReport } => {
  const { status, stdout } = doctor(['who', '--town', town.root, '--json', ...args], options);
  return { status, report: documentOf<WhoReport & Record<string, unknown>>(stdout) };
};

const placeNamed = ({ places }: WhoReport, worker: string): PlaceOfWork => {
  const place = places.find((each) => each.worker === worker);
  if (place === undefined) throw new Error(`no ${worker} among ${places.map((each) => each.worker)}`);
  return place;
};

const people = (report: WhoReport, worker: string): readonly Person[] => placeNamed(report, worker).people;

/** The status is 22 if other processes of this machine prevent certainty that no agent is hidden. */
const expectStatus = ({ places }: WhoReport, status: number | null): void => {
  const isCertain = places.every(({ unseen }) => unseen.length === 0);
  expect(status).toBe(isCertain ? 0 : 22);
};

describe('who works at a worker', () => {
  test('nobody, with 0 if everything could be looked at', () => {
    const { town, env } = makeStage();
    const { status, report } = who(town, [ADA], { env });
    expect(report.places.map(({ worker }) => worker)).toEqual([ADA]);
    expect(people(report, ADA)).toEqual([]);
    expectStatus(report, status);
  });

  test('an agent whose working directory is anywhere in the worker', async () => {
    const { town, env } = makeStage();
    mkdirSync(town.path(`${ADA}/src`));
    const { pid } = await fakeAgent('claude', { cwd: town.path(`${ADA}/src`) });
    for (const asked of [ADA, `${ADA}/src`, town.path(ADA)]) {
      const { report } = who(town, [asked], { env });
      expect(people(report, ADA)).toMatchObject([
        { class: 'agent', name: 'claude', pid, pane: null, seenBy: ['directory'], asks: false },
      ]);
    }
    const line = doctor(['who', '--town', town.root, ADA], { env }).stdout.split('\n')[0];
    expect(line).toBe(`agent ${ADA}: claude, process ${pid}; seen by: directory`);
  });

  test('an agent that the lock names, and a holder without other evidence, as one entry each', async () => {
    const { town, env } = makeStage();
    const { pid } = await fakeAgent('claude', { cwd: town.path(ADA) });
    town.lock(ADA, { pid, ...NO_SESSION }, { ageSeconds: 0 });
    town.lock(BOB, { pid: process.pid, ...NO_SESSION }, { ageSeconds: 0 });
    const { report } = who(town, [ADA, BOB], { env });
    expect(people(report, ADA)).toMatchObject([{ class: 'agent', pid, seenBy: ['directory', 'lock'] }]);
    expect(people(report, BOB)).toMatchObject([{ class: 'agent', pid: process.pid, seenBy: ['lock'] }]);
  });

  test('the most certain first: an agent, an unknown program, a bystander', async () => {
    const { town, env } = makeStage();
    const cwd = town.path(ADA);
    const editor = await fakeAgent('vim', { cwd, detached: true });
    const stranger = await fakeAgent('my-own-thing', { cwd, detached: true });
    const agent = await fakeAgent('codex', { cwd, detached: true });
    const { report } = who(town, [ADA], { env });
    expect(people(report, ADA)).toMatchObject([
      { class: 'agent', name: 'codex', pid: agent.pid },
      { class: 'unknown', name: 'my-own-thing', pid: stranger.pid },
      { class: 'bystander', name: 'vim', pid: editor.pid, why: 'an editor' },
    ]);
    const quiet = doctor(['who', '-q', '--town', town.root, ADA], { env }).stdout;
    expect(quiet).toContain('unknown program gastown/crew/ada: my-own-thing');
    expect(quiet).not.toContain('vim');
    expect(doctor(['who', '-v', '--town', town.root, ADA], { env }).stdout).toContain(
      'name it under "agents"',
    );
  });

  test('a session that a registry names, by its name', async () => {
    const { town, env } = makeStage();
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    onCleanUp(() => rmSync(home, { recursive: true, force: true }));
    const { pid } = await fakeAgent('something', { cwd: town.path(ADA) });
    const stat = execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'latin1' });
    const procStart = stat.replace(/^.*\) /s, '').split(' ')[19];
    mkdirSync(join(home, '.claude/sessions'), { recursive: true });
    const record = {
      pid,
      sessionId: 's',
      cwd: town.path(ADA),
      startedAt: Date.now(),
      procStart,
      name: 'fix-login',
    };
    writeFileSync(join(home, `.claude/sessions/${pid}.json`), JSON.stringify(record));
    const { report } = who(town, [ADA], { env: { ...env, HOME: home } });
    expect(people(report, ADA)).toMatchObject([
      { class: 'agent', pid, name: 'claude "fix-login"', seenBy: ['directory', 'registry'] },
    ]);
  });

  (hasTmux ? test : test.skip)(
    'an agent in a pane, whatever its session is called (skipped without tmux)',
    async () => {
      const town = makeTown({ workers: [ADA] });
      const server = await startTmux();
      const session = 'gt\u001b[31m-evil';
      const pane = server.newSession('plain', {
        cwd: town.path(ADA),
        command: [sleeperNamed('claude'), '600'],
      });
      server.tmux('rename-session', '-t', pane.sessionId, session);
      const env = { TMUX_TMPDIR: server.tmuxTmpdir };
      const { report } = who(town, [ADA], { env });
      expect(people(report, ADA)).toMatchObject([
        { class: 'agent', name: 'claude', pane: { id: pane.paneId }, seenBy: ['directory', 'tmux'] },
      ]);
      expect(doctor(['who', '--town', town.root, ADA], { env }).stdout).not.toContain('\u001b');
    },
  );

  test('an asking shell whose script has no name, by the shell and the file that it reads', () => {
    const { town, env } = makeStage();
    const script = `"${process.execPath}" "${join(process.cwd(), 'dist/bin/doctor.js')}" who --town "${town.root}" ${ADA}; true`;
    const { stdout } = spawnSync('bash', ['--norc', '-c', `bash <(printf %s "$1")`, 'x', script], {
      cwd: town.path(ADA),
      encoding: 'utf8',
      env: { PATH: process.env.PATH, ...env },
    });
    expect(stdout).toMatch(
      /^unknown program gastown\/crew\/ada: bash \/dev\/fd\/\d+, process \d+, running this command/m,
    );
  });

  test.each(['doctor', 'lock-doctor'])(
    'no unknown program where %s was started by the link that npm makes for it below any directory',
    async (name) => {
      const { town, env } = makeStage();
      const link = join(mkdtempSync(join(tmpdir(), 'prefix-')), name);
      onCleanUp(() => rmSync(dirname(link), { recursive: true }));
      symlinkSync(join(process.cwd(), 'dist/bin/doctor.js'), link);
      const started = join(town.path(ADA), 'started');
      const { pid } = spawn(
        link,
        ['exec', '--town', town.root, ADA, '--', 'sh', '-c', `touch ${started}; exec tail -f /dev/null`],
        { cwd: town.path(ADA), env: { PATH: process.env.PATH, ...env }, stdio: 'ignore' },
      );
      onCleanUp(() => {
        if (pid !== undefined) process.kill(pid);
      });
      await until(() => existsSync(started));
      const itself = people(who(town, [ADA], { env }).report, ADA).filter((one) => one.pid === pid);
      expect(itself.map((one) => one.class)).not.toContain('unknown');
      rmSync(link);
      symlinkSync(process.execPath, link);
      const stranger = people(who(town, [ADA], { env }).report, ADA).filter((one) => one.pid === pid);
      expect(stranger).toMatchObject([{ class: 'unknown', name: `./${name}` }]);
    },
  );

  test('the asking agent, marked as the asker', () => {
    const { town, env } = makeStage();
    const asker = sleeperNamed('claude');
    rmSync(asker);
    writeFileSync(asker, '#!/bin/sh\n"$@"; true\n');
    chmodSync(asker, 0o755);
    const { stdout } = spawnSync(
      asker,
      [process.execPath, 'dist/bin/doctor.js', 'who', '--town', town.root, '--json', ADA].map((word) =>
        word.startsWith('dist/') ? join(process.cwd(), word) : word,
      ),
      { cwd: town.path(ADA), encoding: 'utf8', env: { PATH: process.env.PATH, ...env } },
    );
    const report = documentOf<WhoReport & Record<string, unknown>>(stdout);
    expect(people(report, ADA)).toMatchObject([{ class: 'agent', name: 'claude', asks: true }]);
  });
});

describe('the places that who reports', () => {
  test('at a town’s root: every worker, also those where nobody works', async () => {
    const { town, env } = makeStage();
    await fakeAgent('claude', { cwd: town.path(ADA) });
    const { report } = who(town, [], { env });
    expect(people(report, ADA)).toHaveLength(1);
    expect(people(report, BOB)).toEqual([]);
    const rig = who(town, ['gastown'], { env, cwd: town.root }).report;
    expect(rig.places.map(({ worker }) => worker)).toEqual(expect.arrayContaining([ADA, BOB]));
  });

  test('in a plain repository: its main working tree, and its worktrees inside and beside it', async () => {
    const outer = makeTown({ marked: false, workers: [], rigs: {} });
    const main = outer.path('main');
    mkdirSync(main);
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
        cwd: main,
        stdio: 'pipe',
      });
    git('init', '-q', '-b', 'main');
    git('commit', '-q', '--allow-empty', '-m', 'first');
    git('worktree', 'add', '-q', '.claude/worktrees/a');
    git('worktree', 'add', '-q', '../feature');
    const env = { TMUX_TMPDIR: makeTmuxTmpdir() };
    const inside = await fakeAgent('claude', { cwd: join(main, '.claude/worktrees/a') });
    const beside = await fakeAgent('codex', { cwd: outer.path('feature') });
    const report = documentOf<WhoReport & Record<string, unknown>>(
      doctor(['who', '--json'], { env, cwd: main }).stdout,
    );
    expect(people(report, '.claude/worktrees/a')).toMatchObject([{ name: 'claude', pid: inside.pid }]);
    expect(people(report, '../feature')).toMatchObject([{ name: 'codex', pid: beside.pid }]);
    expect(placeNamed(report, '../feature').path).toBe(outer.path('feature'));
    const alone = documentOf<WhoReport & Record<string, unknown>>(
      doctor(['who', '--json', '../feature'], { env, cwd: main }).stdout,
    );
    expect(alone.places.map(({ path, people: all }) => [path, all.length])).toEqual([
      [outer.path('feature'), 1],
    ]);
  });

  (hasTmux ? test : test.skip)(
    'are counted on a screen where nobody works, unless -v asks for their names; agents come first (skipped without tmux)',
    async () => {
      const names = Array.from({ length: 9 }, (_, at) => `gastown/crew/w${at}`);
      const town = makeTown({ workers: names });
      const env = { TMUX_TMPDIR: makeTmuxTmpdir() };
      const busy = 'gastown/crew/w7';
      await fakeAgent('claude', { cwd: town.path(busy) });
      const onScreen = async (...args: string[]): Promise<readonly string[]> => {
        const run = await doctorInPane(
          ['who', '--town', town.root, '--no-color', ...args],
          { columns: 80, rows: 40 },
          { cwd: '/', env },
        );
        return (await run.ends()).screen.trimEnd().split('\n');
      };
      const { places } = who(town, [], { env }).report;
      const empty = places.filter((place) => place.people.length === 0).length;
      expect(empty).toBeGreaterThanOrEqual(8);
      expect(await onScreen()).toEqual([
        busy,
        expect.stringMatching(/^ {2}agent claude, process \d+; seen by: directory$/),
        `and ${empty} more places where nobody works (-v names them)`,
      ]);
      const verbose = await onScreen('-v');
      expect(verbose[0]).toBe(busy);
      expect(verbose).toEqual(expect.arrayContaining(names));
      const piped = doctor(['who', '--town', town.root], { env }).stdout.trimEnd().split('\n');
      expect(piped[0]).toMatch(/^agent gastown\/crew\/w7: /);
      expect(piped).toHaveLength(places.length);
    },
  );

  test.each([['nothing-there'], ['/no/such/place'], ['']])(
    'do not include %j, which exits with 2',
    (given) => {
      const { town, env } = makeStage();
      const { status, report } = who(town, [given], { env });
      expect(status).toBe(2);
      expect(report).toMatchObject({ places: [], error: { code: 'E_USAGE' } });
    },
  );

  test('are printed without control characters from a name', async () => {
    const { town, env } = makeStage();
    const worker = 'gastown/crew/\u001b]0;x\u0007\nnobody';
    mkdirSync(town.path(worker), { recursive: true });
    await fakeAgent('claude', { cwd: town.path(worker) });
    const { stdout } = doctor(['who', '--town', town.root, worker], { env });
    for (const control of ['\u001b', '\u0007']) expect(stdout).not.toContain(control);
    expect(stdout.split('\n')[0]).toMatch(/^agent gastown\/crew\/.*claude/);
  });
});

describe('who, where something could not be looked at', () => {
  test('exits with 22 for a lock that was taken on another machine', () => {
    const { town, env } = makeStage();
    town.lock(ADA, { ...NO_SESSION, hostname: 'elsewhere' });
    const { status, report } = who(town, [ADA], { env });
    expect(status).toBe(22);
    expect(placeNamed(report, ADA).unseen.join()).toContain('taken elsewhere');
    const { stdout } = doctor(['who', '--town', town.root, ADA], { env });
    expect(stdout).toContain('nobody was seen, but somebody may work here: its lock was taken elsewhere');
  });

  test('exits with 22 for a lock that a killed run had moved aside', () => {
    const { town, env } = makeStage();
    town.write(`${ADA}/.runtime/agent.lock.0123456789abcdef.old`, '{}');
    const { status, report } = who(town, [ADA], { env });
    expect(status).toBe(22);
    expect(placeNamed(report, ADA).unseen).toContain(
      'a run was killed halfway through a release: agent.lock.0123456789abcdef.old may still be the lock',
    );
  });

  (hasTmux ? test : test.skip)(
    'exits with 22 if a tmux server does not answer (skipped without tmux)',
    async () => {
      const { town } = makeStage();
      const server = await startTmux();
      server.newSession('plain', { cwd: town.path(ADA) });
      process.kill(server.pid, 'SIGSTOP');
      onCleanUp(() => {
        process.kill(server.pid, 'SIGCONT');
      });
      const env = { TMUX_TMPDIR: server.tmuxTmpdir };
      const { status, report } = who(town, ['--timeout', '300', ADA], { env });
      expect(status).toBe(22);
      expect(placeNamed(report, ADA).unseen).toContainEqual(
        expect.stringMatching(
          /^agents may be running unseen: tmux server \S+ \(process \d+\) was not reached: did not answer/,
        ),
      );
    },
  );
});
