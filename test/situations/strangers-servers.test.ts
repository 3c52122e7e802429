/**
 * tmux servers of users who are not the caller and own neither the town nor a lock in it: they are never asked, wherever they
 * are found, and a session that may be on one of them is not gone. All tests require root, which can start processes as others.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import type { PreflightReport, Report } from '../../src/core/types/report.ts';
import { preflightRemoval } from '../../src/places/removal.ts';
import { who } from '../../src/places/who.ts';
import { buildCli } from '../exec/built-cli.ts';
import {
  canBecomeOthers,
  cleanUp,
  hasTmux,
  makeTmuxTmpdir,
  OTHER_UID,
  onCleanUp,
  sleeperNamed,
  startProcess,
  THIRD_UID,
  until,
} from '../support/index.ts';
import {
  ADA,
  askElsewhere,
  bareEnvironment,
  isContainer,
  lockOf,
  now,
  type Stage,
  secondsAgo,
  setStage,
  textsOf,
} from './stage.ts';

const isPossible = canBecomeOthers && hasTmux && !isContainer && process.platform === 'linux';
const why = isPossible ? '' : ' (skipped: needs root, tmux and Linux outside of a container)';
const strangersTest = isPossible ? test : test.skip;
const cli = isPossible ? buildCli() : null;
afterEach(cleanUp);
afterAll(() => cli?.remove());

interface StrangersServer {
  readonly socket: string;
  readonly pid: number;
  readonly pane: string;
  readonly panePid: number;
}

/** Unique, because servers of other tests run at the same time. */
const SESSION = `work${process.pid}`;

const userOf = (uid: number) => ({ uid, gid: uid, cwd: '/', env: { PATH: process.env.PATH } });

const sleepSync = (ms: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** A tmux server of that user at an unusual path, with a session in a directory. */
const startStrangers = (
  uid: number,
  cwd: string,
  command: readonly string[],
  behind?: readonly string[],
): StrangersServer => {
  const socket = join(oddPlaceOf(uid), 'some socket');
  const start = ['new-session', '-d', '-s', SESSION, '-c', cwd, '-P', '-F', '#{pid} #{pane_id} #{pane_pid}'];
  const tmux = [...(behind ?? []), 'tmux', '-f', '/dev/null', '-S', socket, ...start, ...command];
  const [pid = '', pane = '', panePid = ''] = execFileSync(tmux[0] ?? '', tmux.slice(1), {
    ...userOf(behind === undefined ? uid : 0),
    encoding: 'utf8',
  })
    .trim()
    .split(' ');
  onCleanUp(() => void process.kill(Number(pid), 'SIGKILL'));
  // For a moment the pane's process is still a copy of the server, in the server's directory.
  const comm = `/proc/${panePid}/comm`;
  for (let tries = 0; tries < 2000 && readFileSync(comm, 'utf8').startsWith('tmux'); tries++) sleepSync(5);
  return { socket, pid: Number(pid), pane, panePid: Number(panePid) };
};

const oddPlaceOf = (uid: number): string => {
  const directory = makeTmuxTmpdir();
  chmodSync(directory, 0o755);
  const place = join(directory, 'odd');
  mkdirSync(place, { mode: 0o700 });
  chownSync(place, uid, uid);
  return place;
};

/** A town of root's that others can read. */
const setOpenStage = (): Stage => {
  const stage = setStage();
  chmodSync(stage.town.root, 0o755);
  return stage;
};

const unknownProgram = (): readonly string[] => [sleeperNamed('unheard-of'), '600'];

describe(`root asks about root's lock, whose session may be on a stranger's server${why}`, () => {
  strangersTest('every command reports unknown and names the server, and nothing is released', async () => {
    const { town, look, judge, fix, ask, env } = setOpenStage();
    const { socket, pid, pane } = startStrangers(OTHER_UID, town.path('gastown'), unknownProgram());
    const lock = town.lock(ADA, { session_id: pane, acquired_at: now() }, { ageSeconds: 100 });
    const reason = `process ${pid} belongs to user ${OTHER_UID}, who owns neither the town nor a lock in it: not asked`;
    const told = `${pane} may be on tmux server ${socket}: ${reason}`;

    const report = await look();
    expect(report).toMatchObject({ exitCode: 22, complete: false, summary: { fixable: 0 } });
    expect(report.gaps).toContainEqual({ what: `tmux:${socket}`, why: reason });
    const judged = await judge();
    expect(judged).toMatchObject({ state: 'unknown', reasons: ['process-gone', 'session-unknown'] });
    expect(textsOf(judged)).toContain(told);
    expect(await fix()).toMatchObject({ exitCode: 22, summary: { fixed: 0 } });

    const { results, exitCode } = await ask();
    expect(exitCode).toBe(22);
    expect(results[0]?.message).toContain(told);
    const options = { env, cwd: '/' };
    const removal = await preflightRemoval(town.root, [town.path(ADA)], options);
    expect(removal).toMatchObject({ exitCode: 22, results: [{ answer: 'unsure' }] });
    expect(removal.results[0]?.message).toContain(told);
    const { places } = await who(town.root, [town.path(ADA)], options);
    expect(places.flatMap(({ unseen }) => unseen).join()).toContain(told);

    const [program = '', ...args] = cli?.command ?? [];
    const doctor = (...more: string[]) =>
      spawnSync(program, [...args, ...more], { encoding: 'utf8', cwd: town.root, env });
    for (const page of [['locks'], ['explain', ADA]])
      expect([page, doctor(...page).stdout.replace(/\s+/g, ' ')]).toEqual([
        page,
        expect.stringContaining(`process ${pid} belongs to user ${OTHER_UID}`),
      ]);
    const refused = doctor('exec', ADA, '--', 'touch', `${lock}.ran`);
    expect(refused.status).toBe(22);
    expect(refused.stderr.replace(/\s+/g, ' ')).toContain(`process ${pid} belongs to user ${OTHER_UID}`);
    expect(existsSync(`${lock}.ran`)).toBe(false);
  });

  strangersTest('the same for a session by its name, and after its socket was removed', async () => {
    const { town, judge } = setOpenStage();
    const { socket, pid } = startStrangers(OTHER_UID, town.path('gastown'), unknownProgram());
    town.lock(ADA, { session_id: SESSION, acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'unknown', holder: { session: 'unknown' } });
    rmSync(socket);
    const lock = await judge();
    expect(lock).toMatchObject({ state: 'unknown', holder: { session: 'unknown' } });
    expect(textsOf(lock)).toContain(`process ${pid} belongs to user ${OTHER_UID}`);
    expect(textsOf(lock)).not.toContain('kill -USR1');
  });

  strangersTest('no doubt if all its processes are seen outside the town', async () => {
    const { town, look, judge } = setOpenStage();
    const { pane, panePid, pid } = startStrangers(OTHER_UID, '/', unknownProgram());
    town.lock(ADA, { session_id: pane, acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone', 'pane-gone'] });
    expect(JSON.stringify(await look())).not.toContain(`process ${pid} `);
    expect(panePid).toBeGreaterThan(1);
  });

  strangersTest('no doubt about a live session, a lock without a session, or a lockless worker', async () => {
    const { town, look, judge, ask, startTmux } = setOpenStage();
    startStrangers(OTHER_UID, town.path('gastown'), unknownProgram());
    expect(await ask()).toMatchObject({ exitCode: 0, results: [{ answer: 'free' }] });
    expect(await look()).toMatchObject({ exitCode: 0, complete: true, gaps: [] });
    town.lock(ADA, { acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone', 'session-unnamed'] });
    const server = await startTmux();
    const pane = server.newSession('mine', {
      cwd: town.path(ADA),
      command: [sleeperNamed('claude'), '600'],
    });
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'held', holder: { session: 'live' } });
    expect(await look()).toMatchObject({ exitCode: 0, complete: true, gaps: [] });
  });

  strangersTest(
    'a shell of somebody who can write nowhere in the town is no doubt; anything more is',
    async () => {
      const { town, look, judge } = setOpenStage();
      const { pane } = startStrangers(OTHER_UID, town.path(ADA), ['bash', '--norc']);
      town.lock(ADA, { session_id: pane, acquired_at: now() });
      chmodSync(town.path(ADA), 0o755);
      expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone', 'pane-gone'] });
      chmodSync(town.path(ADA), 0o777);
      expect(await judge()).toMatchObject({ state: 'unknown', reasons: ['process-gone', 'session-unknown'] });
      const { findings } = await look();
      expect(findings).toMatchObject([
        {
          fix: { text: expect.stringContaining(`ask user ${OTHER_UID}`) },
          next: [['ps', '-fp', expect.any(String)]],
        },
      ]);
      chmodSync(town.path(ADA), 0o755);
      expect(await judge()).toMatchObject({ state: 'stale' });
      startStrangers(OTHER_UID, town.path(ADA), ['bash', '--norc', '-c', 'sleep 600; true']);
      const judged = await judge();
      expect(judged.state).toBe('unknown');
      expect(judged.reasons).toContain('session-unknown');
    },
  );

  strangersTest('no doubt if the server started long after the lock was taken', async () => {
    const { town, judge } = setOpenStage();
    const { pane } = startStrangers(OTHER_UID, town.path('gastown'), unknownProgram());
    town.lock(ADA, { session_id: pane, acquired_at: secondsAgo(3600) });
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone', 'pane-gone'] });
  });

  strangersTest('an agent that is seen at work there counts, although the server is not asked', async () => {
    const { town, judge, ask } = setOpenStage();
    const { pane } = startStrangers(OTHER_UID, town.path(ADA), [sleeperNamed('claude'), '600']);
    town.lock(ADA, { session_id: pane, acquired_at: now() });
    expect(await judge()).toMatchObject({ state: 'held', holder: { session: 'unknown' } });
    expect(await ask()).toMatchObject({ exitCode: 20 });
  });
});

describe(`a stranger's server in other namespaces${why}`, () => {
  const canUnshare = isPossible && spawnSync('unshare', ['-pfm', '--mount-proc', 'true']).status === 0;
  const apartTest = canUnshare ? test : test.skip;

  /** Starts the server in new namespaces; cleanUp kills everything in its mount namespace. */
  const startApart = async (flags: readonly string[], before: string, cwd: string): Promise<string> => {
    const place = oddPlaceOf(OTHER_UID);
    const as = `setpriv --reuid ${OTHER_UID} --regid ${OTHER_UID} --clear-groups`;
    const start = `tmux -f /dev/null -S '${place}/s' new-session -d -s ${SESSION} -c '${cwd}' '${sleeperNamed('unheard-of')}' 600`;
    const script = `${before}\ncd /\n${as} ${start}\nexec sleep 600`;
    const { pid } = await startProcess(
      'unshare',
      [...flags, '-m', '-f', '--kill-child', 'sh', '-c', script, place],
      { env: { PATH: process.env.PATH } },
    );
    const inside = (): readonly number[] => {
      const ours = mountsOf(process.pid);
      const all = readdirSync('/proc').map(Number);
      const below = all.filter((one) => one > 1 && isBelow(one, pid));
      const [mounts] = below.map(mountsOf).filter((each) => each !== ours && each !== null);
      return mounts === undefined ? [] : all.filter((one) => one > 1 && mountsOf(one) === mounts);
    };
    await until(() => inside().some((one) => commOf(one) === 'unheard-of'), 'the session');
    onCleanUp(() => {
      for (const one of inside()) kill(one);
    });
    return place;
  };

  const kill = (pid: number): void => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended with its process 1.
    }
  };
  const readOr = (path: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  };
  const commOf = (pid: number): string => readOr(`/proc/${pid}/comm`).trim();
  const isBelow = (pid: number, above: number): boolean =>
    Number(/^PPid:\s*(\d+)$/m.exec(readOr(`/proc/${pid}/status`))?.[1]) === above;
  const mountsOf = (pid: number): string | null => {
    try {
      return readlinkSync(`/proc/${pid}/ns/mnt`);
    } catch {
      return null;
    }
  };

  apartTest('of PIDs or mounts, or with a hidden socket → unknown', async () => {
    const PRIVATE = 'mount -t tmpfs none "$0" && chmod 777 "$0"';
    for (const [flags, before] of [
      [['-p', '--mount-proc'], ':'],
      [[], PRIVATE],
      [['-p', '--mount-proc'], PRIVATE],
    ] as const) {
      const { town, judge, fix } = setOpenStage();
      const place = await startApart(flags, before, town.path('gastown'));
      const path = town.lock(ADA, { session_id: '%0', acquired_at: now() }, { ageSeconds: 100 });
      const lock = await judge();
      expect(lock).toMatchObject({ state: 'unknown', reasons: ['process-gone', 'session-unknown'] });
      expect(textsOf(lock)).toContain(`${place}/s`);
      expect(textsOf(lock)).toContain(`belongs to user ${OTHER_UID}`);
      expect((await fix()).summary).toMatchObject({ fixed: 0 });
      expect(existsSync(path)).toBe(true);
      await cleanUp();
    }
  });

  apartTest(
    'counts by its mounts: elsewhere → gone; in a directory of the town by another name → unknown',
    async () => {
      const { town, judge } = setOpenStage();
      chmodSync(town.path(ADA), 0o777);
      await startApart(['-p', '--mount-proc'], ':', '/');
      town.lock(ADA, { session_id: '%0', acquired_at: now() });
      expect(await judge()).toMatchObject({ holder: { session: 'gone' } });
      const bound = makeTmuxTmpdir();
      await startApart(['-p', '--mount-proc'], `mount --bind '${town.path(ADA)}' '${bound}'`, bound);
      expect(await judge()).toMatchObject({ state: 'unknown', holder: { session: 'unknown' } });
    },
  );
});

describe(`an ordinary user asks, who cannot examine strangers' processes${why}`, () => {
  const setOthersStage = () => {
    const stage = setOpenStage();
    const home = makeTmuxTmpdir();
    chmodSync(home, 0o755);
    const askAs = (workers?: readonly string[]) =>
      askElsewhere<Report & PreflightReport>(
        {
          town: stage.town.root,
          options: { env: bareEnvironment(home) },
          ...(workers === undefined ? {} : { workers }),
        },
        { uid: OTHER_UID, gid: OTHER_UID },
      );
    /** A lock in this user's town, taken a moment ago. */
    const lockIn = (session: string) => {
      stage.town.lock(ADA, { session_id: session, acquired_at: now() }, { ageSeconds: 100 });
      execFileSync('chown', ['-R', `${OTHER_UID}:${OTHER_UID}`, stage.town.root]);
    };
    return { ...stage, askAs, lockIn };
  };

  strangersTest("root's server may have the session → unknown, and the answer names it", async () => {
    const { town, askAs, lockIn } = setOthersStage();
    const { pid, pane } = startStrangers(0, town.path(ADA), unknownProgram());
    lockIn(pane);
    const report = await askAs();
    const lock = lockOf(report, ADA);
    expect(lock).toMatchObject({ state: 'unknown', reasons: ['process-gone', 'session-unknown'] });
    expect(report.gaps).toContainEqual({
      what: `tmux:process ${pid}`,
      why: `process ${pid} belongs to user 0: not asked`,
    });
    expect(report.summary).toMatchObject({ fixable: 0 });
    expect((await askAs([ADA])).exitCode).toBe(22);
  });

  strangersTest("a third user's server does not count unless that user can write in the worker", async () => {
    const { town, askAs, lockIn } = setOthersStage();
    const { pid, pane } = startStrangers(THIRD_UID, '/', unknownProgram());
    lockIn(pane);
    const named = async () => (await askAs()).gaps.map(({ what }) => what);
    expect(await named()).not.toContain(`tmux:process ${pid}`);
    chmodSync(town.path(ADA), 0o777);
    expect(await named()).toContain(`tmux:process ${pid}`);
  });

  strangersTest("a third user's server counts if a process of the caller runs below it", async () => {
    const { askAs, lockIn } = setOthersStage();
    const becoming = (uid: number) => ['setpriv', '--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups'];
    // Like sudo: the children of this server may change their user.
    const able = ['--inh-caps', '+setuid,+setgid', '--ambient-caps', '+setuid,+setgid'];
    const { pid, pane } = startStrangers(
      THIRD_UID,
      '/',
      [...becoming(OTHER_UID), ...unknownProgram()],
      [...becoming(THIRD_UID), ...able],
    );
    lockIn(pane);
    expect((await askAs()).gaps.map(({ what }) => what)).toContain(`tmux:process ${pid}`);
  });
});

describe(`screen${why}`, () => {
  const hasScreen = isPossible && spawnSync('screen', ['--version']).status !== null;
  (hasScreen ? strangersTest : test.skip)("an agent in a stranger's screen is seen → held", async () => {
    const { town, judge } = setOpenStage();
    const place = oddPlaceOf(OTHER_UID);
    chmodSync(town.path(ADA), 0o755);
    const agent = sleeperNamed('claude');
    execFileSync('screen', ['-d', '-m', '-S', SESSION, agent, '600'], {
      ...userOf(OTHER_UID),
      cwd: town.path(ADA),
      env: { PATH: process.env.PATH, SCREENDIR: place, HOME: place },
    });
    town.lock(ADA, { session_id: SESSION, acquired_at: now() });
    // While screen's child becomes the agent, a look may find the arguments of the one with the name of the other.
    const named = await until(async () => {
      const seen = await judge();
      return seen.state === 'held' && /claude \(process (\d+)\)/.exec(textsOf(seen))?.[1];
    }, 'the agent');
    const pid = Number(named);
    expect(pid).toBeGreaterThan(1);
    const server = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    onCleanUp(() => void process.kill(server, 'SIGKILL'));
  });
});
