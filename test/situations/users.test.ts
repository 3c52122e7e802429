/** Situations in which agent, lock and caller belong to different users. They require the right to start processes as others. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { PreflightReport, Report } from '../../src/core/types/report.ts';
import {
  canBecomeOthers,
  cleanUp,
  fakeAgent,
  hasTmux,
  makeTmuxTmpdir,
  OTHER_UID,
  onCleanUp,
  sleeperNamed,
  startGroup,
  startProcess,
  THIRD_UID,
  until,
} from '../support/index.ts';
import {
  ADA,
  askElsewhere,
  BOB,
  bareEnvironment,
  GT,
  isContainer,
  lockOf,
  NO_PANE,
  now,
  type Stage,
  sessionOf,
  setStage,
  textsOf,
} from './stage.ts';

afterEach(cleanUp);

const isPossible = canBecomeOthers && !isContainer && process.platform === 'linux';
const asOther = isPossible ? test : test.skip;
const asOtherWithTmux = isPossible && hasTmux ? test : test.skip;
const other = { uid: OTHER_UID, gid: OTHER_UID };

/** Runs a command with its own /proc, which hides other users' processes. */
const HIDING = ['unshare', '--mount', 'sh', '-c', 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', 'sh'];
const whereProcHides =
  isPossible && spawnSync('unshare', [...HIDING.slice(1), 'true']).status === 0 ? test : test.skip;

const give = (...paths: readonly string[]): void => {
  execFileSync('chown', ['-R', `${OTHER_UID}:${OTHER_UID}`, ...paths]);
};
const open = (...paths: readonly string[]): void => {
  for (const path of paths) chmodSync(path, 0o755);
};

/** A tmux server of the other user, with one session. */
const tmuxOfOther = (tmuxTmpdir: string, name: string, cwd: string, command: string): void => {
  const directory = join(tmuxTmpdir, `tmux-${OTHER_UID}`);
  execFileSync('mkdir', ['-p', '-m', '700', directory]);
  give(tmuxTmpdir);
  const run = (...args: string[]) =>
    spawnSync('tmux', ['-f', '/dev/null', '-S', join(directory, 'default'), ...args], {
      ...other,
      cwd: '/',
      stdio: 'ignore',
      env: { PATH: process.env.PATH },
    });
  onCleanUp(() => void run('kill-server'));
  expect(run('new-session', '-d', '-s', name, '-c', cwd, sleeperNamed(command), '600').status).toBe(0);
};

const askAsOther = ({ town }: Stage, home: string) =>
  askElsewhere({ town: town.root, options: { env: bareEnvironment(home) } }, other);

describe("users: the caller is not the agent's user", () => {
  asOtherWithTmux("root asks about another user's town: that user's servers count → held", async () => {
    const stage = setStage();
    const { town, tmuxTmpdir, judge } = stage;
    open(town.root);
    tmuxOfOther(tmuxTmpdir, `${GT}-crew-ada`, town.path(ADA), 'mystery');
    town.lock(ADA, { session_id: '%0', acquired_at: now() }, { ageSeconds: 3600 });
    give(town.root);
    const lock = await until(async () => {
      const seen = await judge();
      return seen.state === 'held' && seen;
    }, 'the session');
    expect(lock).toMatchObject({ holder: { session: 'live', pane: { sessionName: `${GT}-crew-ada` } } });
  });

  asOtherWithTmux("root asks about another user's lock: that user's servers count as well", async () => {
    const { town, tmuxTmpdir, judge } = setStage();
    open(town.root);
    tmuxOfOther(tmuxTmpdir, `${GT}-crew-ada`, town.path(ADA), 'mystery');
    const path = town.lock(ADA, { session_id: '%0', acquired_at: now() }, { ageSeconds: 3600 });
    give(path);
    const lock = await until(async () => {
      const seen = await judge();
      return seen.state === 'held' && seen;
    }, 'the session');
    expect(lock.holder?.session).toBe('live');
  });

  asOtherWithTmux("a stranger asks about root's lock and cannot use root's tmux → unknown", async () => {
    const stage = setStage();
    const { town, startTmux } = stage;
    const home = makeTmuxTmpdir();
    open(town.root, home);
    const pane = await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA), {
      command: 'mystery',
    });
    town.lock(ADA, { session_id: pane.paneId, acquired_at: now() }, { ageSeconds: 3600 });
    const report = await askAsOther(stage, home);
    expect(lockOf(report, ADA).state).toBe('unknown');
    expect(report).toMatchObject({ exitCode: 22, summary: { fixable: 0 } });
  });

  whereProcHides(
    'with hidepid, a hidden process is alive and hidden agents are in doubt → never stale',
    async () => {
      const stage = setStage();
      const { town } = stage;
      const home = makeTmuxTmpdir();
      open(home, town.root);
      const { pid } = await fakeAgent('chrome', { cwd: '/' });
      town.lock(ADA, { pid, acquired_at: now() }, { ageSeconds: 3600 });
      town.lock('gastown/crew/zoe', { session_id: NO_PANE });
      const behind = [
        ...HIDING,
        ...['setpriv', '--reuid', String(OTHER_UID), '--regid', String(OTHER_UID), '--clear-groups'],
      ];
      const report = await askElsewhere(
        { town: town.root, options: { env: bareEnvironment(home) } },
        {},
        behind,
      );
      expect(lockOf(report, ADA)).toMatchObject({ state: 'held', holder: { process: 'alive' } });
      expect(lockOf(report, 'gastown/crew/zoe').state).toBe('unknown');
      expect(report.summary?.fixable).toBe(0);
    },
  );

  asOther(
    "another user's agent that hides its place keeps its lock, though it seems younger → held",
    async () => {
      const stage = setStage();
      const { town } = stage;
      const home = makeTmuxTmpdir();
      open(home, town.root);
      const { pid } = await fakeAgent('claude', { cwd: town.path(ADA) });
      const acquired_at = new Date(Date.now() - 3_600_000).toISOString();
      town.lock(ADA, { pid, acquired_at, session_id: '' }, { ageSeconds: 3600 });
      give(town.root);
      expect(lockOf(await askAsOther(stage, home), ADA)).toMatchObject({
        state: 'held',
        holder: { process: 'alive' },
      });
    },
  );

  describe("a third user's agent that hides its place, beside a dead lock", () => {
    const startBeside = async (mode: number, uid: number) => {
      const stage = setStage();
      const { town } = stage;
      const home = makeTmuxTmpdir();
      open(home, town.root);
      town.lock(ADA, { session_id: NO_PANE });
      give(town.root);
      chmodSync(town.path(ADA), mode);
      const { pid } = await fakeAgent('claude', { cwd: town.path(ADA), uid });
      const ask = (workers?: readonly string[]) =>
        askElsewhere<Report & PreflightReport>(
          { town: town.root, options: { env: bareEnvironment(home) }, ...(workers && { workers }) },
          other,
        );
      return { pid, ask };
    };

    asOther('→ unknown where its user may write, with or without a lock', async () => {
      const { pid, ask } = await startBeside(0o777, THIRD_UID);
      const lock = lockOf(await ask(), ADA);
      expect(lock).toMatchObject({
        state: 'unknown',
        reasons: expect.arrayContaining(['occupants-unknown']),
      });
      expect(textsOf(lock)).toContain(
        `agents may be running unseen: claude (process ${pid}) of user ${THIRD_UID} hides its working directory`,
      );
      expect((await ask([ADA, BOB])).results).toMatchObject([{ answer: 'unsure' }, { answer: 'free' }]);
    });

    asOther('→ stale where its user may not write', async () => {
      const { ask } = await startBeside(0o755, THIRD_UID);
      expect(lockOf(await ask(), ADA).state).toBe('stale');
    });

    asOther('→ unknown if it was started from here, as by sudo, and stale elsewhere', async () => {
      const stage = setStage();
      const { town } = stage;
      const home = makeTmuxTmpdir();
      open(home, town.root);
      for (const worker of [ADA, BOB]) town.lock(worker, { session_id: NO_PANE });
      give(town.root);
      const become = `exec setpriv --reuid ${OTHER_UID} --regid ${OTHER_UID} --clear-groups`;
      await startGroup('sh', ['-c', `'${sleeperNamed('claude')}' 600 & ${become} tail -f /dev/null`], {
        cwd: town.path(ADA),
      });
      const report = await until(async () => {
        const seen = await askElsewhere({ town: town.root, options: { env: bareEnvironment(home) } }, other);
        return lockOf(seen, ADA).state === 'unknown' && seen;
      }, 'the agent');
      expect(lockOf(report, BOB).state).toBe('stale');
    });
  });

  asOther(
    'what an asking agent started counts where it is seen, though that agent is hidden → held',
    async () => {
      const { town } = setStage();
      const home = makeTmuxTmpdir();
      open(home, town.root);
      town.lock(ADA, { session_id: NO_PANE });
      const shell = join(home, 'codex');
      copyFileSync(realpathSync('/bin/sh'), shell);
      chmodSync(shell, 0o755);
      const become = `setpriv --reuid ${OTHER_UID} --regid ${OTHER_UID} --clear-groups`;
      const sub = `${become} '${sleeperNamed('claude')}' 600 </dev/null >/dev/null 2>&1 & echo $! >'${home}/pid'`;
      const script = `cd '${town.path(ADA)}'; ${sub}; cd '${town.path(BOB)}'; ${become} "$@"; exit $?`;
      const question = { town: town.root, options: { env: bareEnvironment(home) } };
      const report = await askElsewhere<Report>(question, {}, [shell, '-c', script, 'codex']);
      const pid = Number(readFileSync(join(home, 'pid'), 'utf8'));
      onCleanUp(() => void process.kill(pid, 'SIGKILL'));
      expect(lockOf(report, ADA)).toMatchObject({
        state: 'held',
        reasons: expect.arrayContaining(['occupied']),
      });
    },
  );
});

describe('users: programs of the caller that hide where they work', () => {
  /** A program that its user may run and not read: the kernel hides its directory from that user. */
  const hidden = (name: string): string => {
    const path = sleeperNamed(name);
    chmodSync(path, 0o711);
    return path;
  };
  /** Runs a command in a directory as a child of a shell or of another launcher of that user. */
  const startBelow = async (
    cwd: string,
    program: string,
    launcher = ['sh', '-c', `'${program}' 600 & wait`],
  ): Promise<void> => {
    const [command = '', ...args] = launcher;
    const { pid } = await startProcess(command, args, { ...other, cwd });
    const children = `/proc/${pid}/task/${pid}/children`;
    const child = await until(() => Number.parseInt(readFileSync(children, 'utf8'), 10) || false, program);
    onCleanUp(() => void process.kill(child, 'SIGKILL'));
    const name = `${basename(program)}\n`;
    await until(() => readFileSync(`/proc/${child}/comm`, 'utf8') === name, program);
  };
  const prepare = (): { readonly stage: Stage; readonly home: string } => {
    const stage = setStage();
    const home = makeTmuxTmpdir();
    open(stage.town.root, home);
    for (const worker of [ADA, BOB]) stage.town.lock(worker, { session_id: NO_PANE });
    give(stage.town.root);
    return { stage, home };
  };
  const statesOf = (report: Report): readonly string[] =>
    [ADA, BOB].map((worker) => lockOf(report, worker).state);

  asOther('an unknown one is doubt where it was started, and nowhere else', async () => {
    const { stage, home } = prepare();
    await startBelow(stage.town.path(ADA), hidden('new-agent'));
    const report = await askAsOther(stage, home);
    expect(statesOf(report)).toEqual(['unknown', 'stale']);
    expect(textsOf(lockOf(report, ADA))).toMatch(
      /new-agent \(process \d+\) was started in this directory, hides where it works, and may be an agent/,
    );
  });

  asOther('an agent works where its own launcher does', async () => {
    const { stage, home } = prepare();
    const script = join(home, 'codex.js');
    writeFileSync(script, "require('node:child_process').spawn(process.argv[2], ['600']);\n");
    open(script);
    const program = hidden('codex');
    await startBelow(stage.town.path(ADA), program, [process.execPath, script, program]);
    expect(statesOf(await askAsOther(stage, home))).toEqual(['held', 'stale']);
  });

  asOther(
    'an agent may work anywhere, whatever the directory of its shell, and the doubt says how to end it',
    async () => {
      const { stage, home } = prepare();
      await startBelow('/', hidden('codex'));
      const report = await askAsOther(stage, home);
      expect(statesOf(report)).toEqual(['unknown', 'unknown']);
      expect(textsOf(lockOf(report, ADA))).toMatch(
        /codex \(process \d+\) hides its working directory: end it, or run doctor as root/,
      );
    },
  );

  whereProcHides('one that hidepid does not list is doubt where it was started', async () => {
    const { stage, home } = prepare();
    await startBelow(stage.town.path(ADA), hidden('codex'));
    const behind = [
      ...HIDING,
      ...['setpriv', '--reuid', String(OTHER_UID), '--regid', String(OTHER_UID), '--clear-groups'],
    ];
    const question = { town: stage.town.root, options: { env: bareEnvironment(home) } };
    expect(statesOf(await askElsewhere<Report>(question, {}, behind))).toEqual(['unknown', 'stale']);
  });
});
