/** Agents and tmux servers in other namespaces of this machine are counted once and judged like any others. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { examine } from '../../src/diagnose.ts';
import { Lock } from '../../src/lock/agent-lock.ts';
import { startTokenOf } from '../../src/lock/identity.ts';
import { preflight } from '../../src/preflight.ts';
import {
  canBecomeOthers,
  cleanUp,
  deadPid,
  firstLine,
  isRunning,
  makeTmuxTmpdir,
  OTHER_UID,
  onCleanUp,
  sleeperNamed,
  startProcess,
  until,
} from '../support/index.ts';
import { makeRepository } from './repository.ts';
import {
  ADA,
  askElsewhere,
  BOB,
  GT,
  linuxTest,
  lockOf,
  NO_PANE,
  now,
  type Stage,
  setStage,
  textsOf,
  tmuxTest,
} from './stage.ts';

afterEach(cleanUp);

const canUnshare =
  canBecomeOthers &&
  spawnSync('unshare', ['-pfmu', '--mount-proc', 'true'], { stdio: 'ignore' }).status === 0;
const why = canUnshare ? '' : ' (skipped: needs root and unshare)';
const inNamespaces = canUnshare ? tmuxTest : test.skip;

/** Runs a script in new namespaces; cleanUp kills everything in its mount namespace. */
const startApart = async (flags: readonly string[], script: string): Promise<void> => {
  const args = [...flags, '-f', '--kill-child', 'sh', '-c', `${script}\nexec sleep 600`];
  const { pid } = await startProcess('unshare', args, { env: { PATH: process.env.PATH } });
  const inner = await until(() => {
    const child = childOf(pid);
    return child !== undefined && commOf(child) === 'sleep' ? child : false;
  }, 'the script');
  const mounts = mountsOf(inner);
  onCleanUp(() => {
    for (const one of readdirSync('/proc').map(Number))
      if (one > 0 && mountsOf(one) === mounts) process.kill(one, 'SIGKILL');
  });
};

/** The mount namespace of a process; null if it has ended. */
const mountsOf = (pid: number): string | null => {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return null;
  }
};

const childOf = (pid: number): number | undefined => {
  const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  return first === undefined || first === '' ? undefined : Number(first);
};

const commOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();

/** A script that starts a session with an agent in the worker's directory. */
const sessionScript = ({ town, tmuxTmpdir }: Stage, agent: string): string => `
  mkdir -p -m 700 '${tmuxTmpdir}/tmux-0'
  tmux -f /dev/null -S '${tmuxTmpdir}/tmux-0/default' new-session -d -s ${GT}-crew-ada -c '${town.path(ADA)}' '${agent}' 600`;

describe(`PID namespaces${why}`, () => {
  inNamespaces(
    'a server and its agent in another namespace are one server and one agent → held, no collision',
    async () => {
      const stage = setStage();
      await startApart(['-p', '--mount-proc'], sessionScript(stage, sleeperNamed('claude')));
      stage.town.lock(ADA, { session_id: '%0', acquired_at: now() });
      const report = await stage.look();
      expect(report).toMatchObject({ exitCode: 0, findings: [], complete: true });
      const lock = lockOf(report, ADA);
      expect(lock).toMatchObject({ state: 'held', holder: { session: 'live' } });
      expect(textsOf(lock).match(/claude is running|claude .* is running/g)).toHaveLength(1);
      const servers = report.tmux?.servers.filter(({ socket }) => socket.startsWith(stage.tmuxTmpdir)) ?? [];
      expect(servers).toMatchObject([{ status: 'ok', panes: 1, pid: expect.any(Number) }]);
      expect(commOf(servers[0]?.pid ?? 0)).toBe('tmux: server');
      expect(await stage.ask()).toMatchObject({ exitCode: 20 });
    },
  );

  inNamespaces('the same with a socket that is found only through the process', async () => {
    const stage = setStage();
    const elsewhere = makeTmuxTmpdir();
    await startApart(
      ['-p', '--mount-proc'],
      sessionScript({ ...stage, tmuxTmpdir: elsewhere }, sleeperNamed('claude')),
    );
    stage.town.lock(ADA, { session_id: '%0', acquired_at: now() });
    const report = await stage.look();
    expect(report.findings).toEqual([]);
    expect(lockOf(report, ADA)).toMatchObject({ state: 'held', holder: { session: 'live' } });
    expect(report.tmux?.servers).toContainEqual(
      expect.objectContaining({ socket: `${elsewhere}/tmux-0/default`, status: 'ok', panes: 1 }),
    );
  });
});

describe(`mount namespaces${why}`, () => {
  /** Hides the socket from other mount namespaces. */
  const privately = (stage: Stage, script: string): string =>
    `mount -t tmpfs none '${stage.tmuxTmpdir}'\n${script}`;

  inNamespaces('a server whose socket is only in its namespace is asked through /proc → held', async () => {
    const stage = setStage();
    const agent = sleeperNamed('some-program');
    await startApart(['-m'], privately(stage, sessionScript(stage, agent)));
    stage.town.lock(ADA, { session_id: `${GT}-crew-ada`, acquired_at: now() });
    const report = await stage.look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'held', holder: { session: 'live' } });
    const servers = report.tmux?.servers.filter(({ socket }) =>
      socket.endsWith(`${stage.tmuxTmpdir}/tmux-0/default`),
    );
    expect(servers).toMatchObject([{ status: 'ok', panes: 1 }]);
    expect(servers?.[0]?.socket).toBe(`/proc/${servers?.[0]?.pid}/root${stage.tmuxTmpdir}/tmux-0/default`);
  });

  inNamespaces('a server of ours at the same path is not mistaken for it', async () => {
    const stage = setStage();
    const own = await stage.startTmux();
    own.newSession('elsewhere', { cwd: '/' });
    await startApart(['-m'], privately(stage, sessionScript(stage, sleeperNamed('some-program'))));
    stage.town.lock(ADA, { session_id: `${GT}-crew-ada`, acquired_at: now() });
    const report = await stage.look();
    expect(lockOf(report, ADA)).toMatchObject({ state: 'held' });
    expect(report.tmux?.servers.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(report.tmux?.servers).toContainEqual(
      expect.objectContaining({ socket: own.socket, pid: own.pid }),
    );
  });

  inNamespaces("a directory that only has the worker's path in its namespace is not the worker", async () => {
    const stage = setStage();
    const script = `mount -t tmpfs none '${stage.town.root}'\nmkdir -p '${stage.town.path(ADA)}'`;
    const session = sessionScript(stage, sleeperNamed('some-program')).replace(`${GT}-crew-ada`, 'other');
    await startApart(['-m'], privately(stage, `${script}\n${session}`));
    const report = await stage.look();
    expect(report.tmux?.servers.filter(({ socket }) => socket.includes(stage.tmuxTmpdir))).toMatchObject([
      { status: 'ok', panes: 1 },
    ]);
    stage.town.lock(ADA, { session_id: NO_PANE });
    expect(await stage.judge()).toMatchObject({ holder: { session: 'gone' } });
  });

  inNamespaces('a program in another root directory works where its mounts lead → unknown', async () => {
    const stage = setStage();
    stage.town.lock(ADA, { session_id: NO_PANE });
    expect(await stage.judge()).toMatchObject({ state: 'stale' });
    const jail = makeTmuxTmpdir();
    await startApart(
      ['-m'],
      `mount --rbind / '${jail}' && mount --bind '${stage.town.path(ADA)}' '${jail}/mnt'
      chroot '${jail}' sh -c 'cd /mnt && exec "$0" 600' '${sleeperNamed('unheard-of')}' &`,
    );
    await until(async () => textsOf(await stage.judge()).includes('unheard-of'), 'the program');
    expect(await stage.judge()).toMatchObject({ state: 'unknown' });
  });

  inNamespaces(
    'a socket that was removed there is reported as such, without advice to signal the server',
    async () => {
      const stage = setStage();
      const remove = `\nrm '${stage.tmuxTmpdir}/tmux-0/default'`;
      await startApart(['-m'], privately(stage, sessionScript(stage, sleeperNamed('claude')) + remove));
      const report = await stage.look();
      const servers = report.tmux?.servers.filter(({ socket }) => socket.includes(stage.tmuxTmpdir));
      expect(servers).toMatchObject([
        { status: 'failed', reason: 'its socket was removed from another mount namespace' },
      ]);
      expect(JSON.stringify(report)).not.toContain('kill -USR1');
    },
  );
});

describe(`a confined server of a container that has not mounted the town${why}`, () => {
  inNamespaces(
    "blocks nobody, even at the town's path or with the town mounted → stale; at work in it → unknown",
    async () => {
      const stage = setStage();
      const place = makeTmuxTmpdir();
      const program = sleeperNamed('unheard-of');
      /** Its own root directory, in which the town's path leads elsewhere, or into the town. */
      const container = (atTown: string): string => `
      mount -t tmpfs none '${place}' && cd '${place}' && mkdir -p usr proc dev old tmp '.${stage.town.root}'
      for each in usr proc dev; do mount --rbind "/$each" "$each"; done
      for each in bin lib lib64; do
        if [ -L "/$each" ]; then cp -P "/$each" .; elif [ -d "/$each" ]; then mkdir "$each"; mount --bind "/$each" "$each"; fi
      done
      cp '${program}' tmp/ && ${atTown}
      pivot_root . old && cd / && umount -l old
      setpriv --bounding-set=-sys_admin tmux -f /dev/null -S /tmp/socket new-session -d -s work \\
        -c '${stage.town.root}' /tmp/unheard-of 600`;
      await startApart(['-m'], container(':'));
      const serverIn = async () =>
        (await stage.look()).tmux?.servers.find(({ socket }) => socket.endsWith('/tmp/socket'));
      expect(await serverIn()).toMatchObject({
        status: 'failed',
        reason: expect.stringContaining('is confined'),
      });
      expect(await stage.ask()).toMatchObject({ exitCode: 0, results: [{ answer: 'free' }] });
      stage.town.lock(ADA, { session_id: NO_PANE, acquired_at: now() }, { ageSeconds: 100 });
      expect(await stage.judge()).toMatchObject({ state: 'stale' });
      const mounted = container(`mount --bind '${stage.town.root}' '.${stage.town.root}'`);
      await startApart(['-m'], mounted.replace(`-c '${stage.town.root}'`, '-c /tmp'));
      expect(await stage.judge()).toMatchObject({ state: 'stale' });
      // The worker alone, under another name.
      const bound = container(`mkdir work && mount --bind '${stage.town.path(ADA)}' work`);
      await startApart(['-m'], bound.replace(`-c '${stage.town.root}'`, '-c /work'));
      expect(await stage.judge()).toMatchObject({ state: 'unknown' });
    },
  );
});

describe(`containers of this machine${why}`, () => {
  const ID = '4e449adbac66';

  /** A container with this ID that runs an unknown program elsewhere; `inner` is the PID in its namespace, `outer` ours. */
  const startContainer = async (): Promise<{ readonly inner: number; readonly outer: number }> => {
    const home = makeTmuxTmpdir();
    writeFileSync(`${home}/hostname`, `${ID}\n`);
    const script = `
      mount --bind '${home}/hostname' /etc/hostname
      hostname '${ID}'
      cd / ; '${sleeperNamed('some-program')}' 600 & echo $! >'${home}/pid'`;
    await startApart(['-pmu', '--mount-proc'], script);
    const inner = Number(readFileSync(`${home}/pid`, 'utf8'));
    const outer = readdirSync('/proc')
      .map(Number)
      .find(
        (pid) =>
          pid > 0 &&
          numbersOf(pid).length > 1 &&
          numbersOf(pid).at(-1) === inner &&
          commOf(pid) === 'some-program',
      );
    return { inner, outer: outer ?? 0 };
  };

  const numbersOf = (pid: number): readonly number[] => {
    try {
      const line = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
      return line.trim().split(/\s+/).map(Number);
    } catch {
      return [];
    }
  };

  inNamespaces(
    'a live PID in it is a live holder, a dead one is dead → held, then stale and released',
    async () => {
      const stage = setStage();
      const { inner, outer } = await startContainer();
      const path = stage.town.lock(
        ADA,
        { pid: inner, hostname: ID, acquired_at: now() },
        { ageSeconds: 100 },
      );
      const held = await stage.judge();
      expect(held).toMatchObject({
        state: 'held',
        holder: { pid: inner, process: 'alive', command: 'some-program' },
      });
      expect(textsOf(held)).toContain(`taken in a container of this machine (${ID})`);
      expect((await stage.fix()).summary).toMatchObject({ fixed: 0 });
      process.kill(outer, 'SIGKILL');
      await until(() => !isRunning(outer), 'the end of the program');
      expect(await stage.judge()).toMatchObject({ state: 'stale', holder: { process: 'gone' } });
      expect((await stage.fix()).summary).toMatchObject({ fixed: 1 });
      expect(existsSync(path)).toBe(false);
    },
  );

  inNamespaces("an ID of no process here stays foreign, and so does another machine's name", async () => {
    const stage = setStage();
    await startContainer();
    stage.town.lock(ADA, { pid: deadPid(), hostname: '0123456789ab' });
    stage.town.lock(BOB, { pid: deadPid(), hostname: 'buildbox' });
    expect(await stage.judge(ADA)).toMatchObject({ state: 'foreign' });
    expect(await stage.judge(BOB)).toMatchObject({ state: 'foreign' });
  });

  inNamespaces('a PID that is alive only outside does not count inside', async () => {
    const stage = setStage();
    await startContainer();
    stage.town.lock(ADA, { pid: process.pid, hostname: ID });
    expect(await stage.judge()).toMatchObject({ state: 'stale', holder: { process: 'gone' } });
  });

  inNamespaces('a PID that processes of two containers of one name have is in doubt → unknown', async () => {
    const stage = setStage();
    const [one, two] = [await startContainer(), await startContainer()];
    expect(two.inner).toBe(one.inner);
    const acquiredAt = new Date(Date.now() - 7_200_000).toISOString();
    stage.town.lock(ADA, { pid: one.inner, hostname: ID, acquired_at: acquiredAt }, { ageSeconds: 7200 });
    const lock = await stage.judge();
    expect(lock).toMatchObject({ state: 'unknown', holder: { process: 'unknown' } });
    expect(textsOf(lock)).toContain(`several containers of this machine may be ${ID}`);
  });

  inNamespaces('a name that another user gave a namespace does not count → foreign', async () => {
    const stage = setStage();
    const home = makeTmuxTmpdir();
    writeFileSync(`${home}/hostname`, `${ID}\n`);
    const forger = `setpriv --reuid ${OTHER_UID} --regid ${OTHER_UID} --clear-groups sleep 600`;
    // The first process also becomes that user's, so that no process of root is left in it.
    await startApart(
      ['-pm', '--mount-proc'],
      `mount --bind '${home}/hostname' /etc/hostname\nexec ${forger}`,
    );
    stage.town.lock(ADA, { pid: deadPid(), hostname: ID });
    expect(await stage.judge()).toMatchObject({ state: 'foreign' });
  });
});

const inTimeNamespace = ['unshare', '--time', '--boottime', '100000'] as const;
const hasTimeNamespaces =
  canUnshare && spawnSync(inTimeNamespace[0], [...inTimeNamespace.slice(1), 'true']).status === 0;

describe('time namespaces (skipped without permission to make one)', () => {
  const inTime = hasTimeNamespaces ? linuxTest : test.skip;
  const takenBy = async ({ town }: Stage, pid: number): Promise<void> => {
    const lock = new Lock(town.path(ADA));
    await lock.acquire({ holder: { pid, startToken: await startTokenOf(pid) } });
  };

  inTime('a doctor in one, where processes seem to have started later → held', async () => {
    const stage = setStage();
    const { town, env } = stage;
    const { pid, stop } = await startProcess('sleep', ['600'], { cwd: '/' });
    await takenBy(stage, pid);
    const report = await askElsewhere({ town: town.root, options: { env } }, {}, inTimeNamespace);
    expect(lockOf(report, ADA)).toMatchObject({
      state: 'held',
      reasons: ['process-alive', expect.any(String)],
    });
    await stop();
    const after = await askElsewhere({ town: town.root, options: { env } }, {}, inTimeNamespace);
    expect(lockOf(after, ADA)).toMatchObject({ state: 'stale' });
  });

  inTime.each([
    ['a doctor in one', [], inTimeNamespace],
    ['an agent in one', inTimeNamespace, []],
    ['both in one each', inTimeNamespace, ['unshare', '--time', '--boottime', '200000']],
  ])("%s: the record in the agent's registry is that of its process → held", async (_, agentIn, doctorIn) => {
    const { town, env } = setStage();
    town.lock(ADA, { session_id: NO_PANE });
    const show = `read -r stat </proc/self/stat; echo "$stat"; exec ${sleeperNamed('claude')} 600`;
    const [command = 'sh', ...args] = [...agentIn, 'sh', '-c', show];
    const started = await startProcess(command, args, { cwd: '/', stdio: ['ignore', 'pipe', 'ignore'] });
    const [pid = '', ...fields] = (await firstLine(started)).split(' ');
    const record = { pid: Number(pid), cwd: town.path(ADA), startedAt: Date.now(), procStart: fields[20] };
    mkdirSync(`${env.HOME}/.claude/sessions`, { recursive: true });
    const path = `${env.HOME}/.claude/sessions/${pid}.json`;
    writeFileSync(path, JSON.stringify(record));
    const ask = () => askElsewhere({ town: town.root, options: { env } }, {}, doctorIn);
    expect(lockOf(await ask(), ADA)).toMatchObject({ state: 'held' });
    writeFileSync(path, JSON.stringify({ ...record, procStart: String(Number(fields[20]) + 100) }));
    expect(lockOf(await ask(), ADA)).toMatchObject({ state: 'stale' });
  });

  inTime(
    'a holder in one that noted its own start → held, also by the start that it noted there',
    async () => {
      const { town } = setStage();
      const show = `read -r stat </proc/self/stat; echo "$stat"; exec sleep 600`;
      const started = await startProcess(
        inTimeNamespace[0],
        [...inTimeNamespace.slice(1), 'sh', '-c', show],
        {
          cwd: '/',
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      );
      const line = await firstLine(started);
      const [pid = '', ...fields] = line.split(' ');
      const start = fields[20] ?? '';
      expect(start).not.toBe(await startTokenOf(Number(pid)));
      town.write(
        '.claude/scheduled_tasks.lock',
        JSON.stringify({ pid: Number(pid), procStart: start, acquiredAt: Date.now() }),
      );
      const { locks } = await examine(town.root, { env: {} });
      expect(locks).toMatchObject([{ kind: 'claude-scheduler', state: 'held' }]);
    },
  );
});

describe(`worktree locks that name the number of a process in a container, and no host${why}`, () => {
  inNamespaces('are not dead by what that number is here', async () => {
    const { root, env, worktree, lockOf: worktreeLock } = makeRepository();
    const { pid } = await startProcess('unshare', ['-pf', '--mount-proc', '--kill-child', 'sleep', '600']);
    const inner = await until(() => childOf(pid) ?? false, 'the process inside');
    // Field 22 of proc_pid_stat(5).
    const start = readFileSync(`/proc/${inner}/stat`, 'latin1').split(') ')[1]?.split(' ')[19];
    worktree('mine', `claude agent agent-1 (pid 1 start ${start})`);
    worktree('bare', 'claude agent agent-1 (pid 1)');
    worktree('dead', `claude agent agent-2 (pid ${deadPid()} start ${start})`);
    for (const name of ['mine', 'bare']) {
      expect(await worktreeLock(name)).toMatchObject({ state: 'unknown', reasons: ['process-unknown'] });
      // Process 1 is around whoever asks, and yet not the one that the lock names.
      const { results } = await preflight(root, name, { env });
      expect(results).toMatchObject([{ answer: 'unsure' }]);
    }
    expect(await worktreeLock('dead')).toMatchObject({ state: 'stale', reasons: ['process-gone'] });
  });
});
