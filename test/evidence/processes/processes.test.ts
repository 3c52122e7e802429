import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { ProcessEvidence, ProcessInfo } from '../../../src/core/types/evidence.ts';
import { readProcTable } from '../../../src/evidence/processes/linux/linux.ts';
import { lookUpPid } from '../../../src/evidence/processes/pid-lookup.ts';
import {
  processEvidence,
  readProcessTable,
  workingDirectories,
} from '../../../src/evidence/processes/processes.ts';
import type { ProcessQuestion } from '../../../src/evidence/processes/question.ts';
import {
  asOtherUser,
  canBecomeOthers,
  cleanUp,
  deadPid,
  fakeAgent,
  firstLine,
  makeTown,
  onCleanUp,
  sleeperNamed,
  startProcess,
  startZombie,
  THIRD_UID,
  until,
} from '../../support/index.ts';

const linux = process.platform === 'linux';
const onLinux = linux ? test : test.skip;
const asRoot = linux && canBecomeOthers ? test : test.skip;

const look = async (question: Partial<ProcessQuestion> & { root: string }): Promise<ProcessEvidence> =>
  processEvidence(await readProcessTable(), {
    ...{ pids: [], panePids: [], agents: [], asker: { pids: [], pane: null } },
    ...question,
  });

const find = (evidence: ProcessEvidence, pid: number): ProcessInfo | undefined =>
  evidence.list.find((info) => info.pid === pid);

describe('process evidence', () => {
  afterEach(cleanUp);

  test('looks up each PID once, in order', async () => {
    const { root } = makeTown();
    const { lookups, listing } = await look({ root, pids: [process.pid, deadPid(), -4, process.pid] });
    expect(listing).toEqual({ seen: true, value: 'all' });
    expect(lookups.map(({ pid, answer }) => [pid, answer])).toEqual([
      [-4, 'absent'],
      [process.pid, 'exists'],
      [deadPid(), 'absent'],
    ]);
  });

  onLinux('reads again what a young fork has become while the doctor looked', async () => {
    const { root } = makeTown();
    const agent = sleeperNamed('new-agent');
    execFileSync('mkfifo', [join(root, 'start')]);
    writeFileSync(join(root, 'script'), `(read -r line <start; exec ${agent} 600); true\n`);
    // The subshell is a fork of the shell until it reads a line.
    const { pid: shell } = await startProcess('bash', ['script'], { cwd: root });
    const children = () => readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim();
    const pid = Number(await until(children, 'the fork'));
    onCleanUp(() => void process.kill(pid, 'SIGKILL'));
    const { details, ...table } = await readProcessTable();
    let isFork: boolean | undefined;
    const isForkOf = (one: number, parent: number): boolean => {
      if (one !== pid || isFork !== undefined) return details.isForkOf(one, parent);
      isFork = details.isForkOf(one, parent);
      const start = `echo >start; until grep -q new-agent /proc/${pid}/comm; do :; done`;
      execFileSync('sh', ['-c', start], { cwd: root });
      return isFork;
    };
    const question = { pids: [], panePids: [], agents: [], asker: { pids: [], pane: null }, root };
    const evidence = await processEvidence({ ...table, details: { ...details, isForkOf } }, question);
    expect(isFork).toBe(true);
    expect(find(evidence, pid)?.names).toEqual(['new-agent']);
  });

  onLinux(
    'waits briefly for the arguments of an interpreter that is just starting another program',
    async () => {
      const town = makeTown();
      const script = town.write('kiro.js', 'setTimeout(() => {}, 600_000)');
      const { pid } = await startProcess(process.execPath, [script], { cwd: town.root });
      const table = await readProcessTable();
      const namesAfter = async (emptyLooks: number): Promise<readonly string[] | undefined> => {
        let looks = 0;
        const argv = (asked: number): readonly string[] => {
          if (asked === pid) looks += 1;
          return asked === pid && looks <= emptyLooks ? [''] : table.details.argv(asked);
        };
        const question = {
          pids: [],
          panePids: [],
          agents: [],
          asker: { pids: [], pane: null },
          root: town.root,
        };
        return find(await processEvidence({ ...table, details: { ...table.details, argv } }, question), pid)
          ?.names;
      };
      expect(await namesAfter(3)).toContain('kiro.js');
      expect(await namesAfter(1000)).not.toContain('kiro.js');
    },
  );

  onLinux.each([
    ['EACCES', 'may not be read', 0],
    ['ENOENT', 'is gone because it is ending', 5],
  ])('pauses for a process whose directory (%s) %s: %i times', async (why, _reason, pauses) => {
    const town = makeTown();
    const script = town.write('kiro.js', 'setTimeout(() => {}, 600_000)');
    const { pid } = await startProcess(process.execPath, [script], { cwd: town.root });
    const table = await readProcessTable();
    const details = {
      ...table.details,
      workingDirectories: async (asked: readonly number[]) =>
        new Map([...(await table.details.workingDirectories(asked)), [pid, { seen: false as const, why }]]),
    };
    const only = { ...table, rows: new Map([...table.rows].filter(([one]) => one === pid)), details };
    const question = { pids: [], panePids: [], agents: [], asker: { pids: [], pane: null }, root: town.root };
    const timer = jest.spyOn(globalThis, 'setTimeout');
    try {
      await processEvidence(only, question);
      expect(timer).toHaveBeenCalledTimes(pauses);
    } finally {
      timer.mockRestore();
    }
  });

  test('gives start times, and different start tokens to two processes', async () => {
    const { root } = makeTown();
    const before = Date.now();
    const first = await startProcess('sleep', ['600']);
    const after = Date.now();
    const [lookup] = (await look({ root, pids: [first.pid] })).lookups;
    expect(lookup?.process?.startedAtMs).toBeGreaterThan(before - 1500);
    expect(lookup?.process?.startedAtMs).toBeLessThan(after + 1500);
    const [again] = (await look({ root, pids: [first.pid] })).lookups;
    const [other] = (await look({ root, pids: [process.pid] })).lookups;
    expect(again?.process?.startToken).toBe(lookup?.process?.startToken);
    expect(other?.process?.startToken).not.toBe(lookup?.process?.startToken);
  });

  test('shows an agent at work in the town, with every ancestor', async () => {
    const { root, worker } = makeTown();
    const cwd = worker('gastown/crew/ada');
    const agent = await fakeAgent('claude', { cwd });
    const evidence = await look({ root });
    expect(find(evidence, agent.pid)).toMatchObject({
      ...{ ppid: process.pid, uid: process.getuid?.(), environment: null },
      names: expect.arrayContaining(['claude']),
      cwd: { seen: true, value: cwd },
    });
    const pids = evidence.list.map(({ pid }) => pid);
    expect(pids).toEqual([...pids].sort((a, b) => a - b));
    // The process that runs the tests may be hidden from them.
    const isShown = (pid: number) => process.platform !== 'linux' || existsSync(`/proc/${pid}/stat`);
    for (let pid = agent.pid; pid > 0 && isShown(pid); pid = find(evidence, pid)?.ppid ?? 0)
      expect(pids).toContain(pid);
  });

  onLinux('shows everything that works in the town, with all its names (skipped without /proc)', async () => {
    const { root, worker } = makeTown();
    const cwd = worker('gastown/crew/ada');
    const odd = await startProcess(sleeperNamed('a) R 1 (b'), ['600'], { cwd });
    const renamed = await startProcess(sleeperNamed('plain'), ['600'], { cwd, argv0: '/opt/bin/claude' });
    const evidence = await look({ root });
    expect(find(evidence, odd.pid)).toMatchObject({ names: ['a) R 1 (b'], ppid: process.pid });
    expect(find(evidence, renamed.pid)).toMatchObject({ names: ['plain', 'claude'] });
  });

  test('leaves out processes elsewhere, unless they belong to a pane or the asker', async () => {
    const { root } = makeTown();
    const { pid } = await startProcess('sleep', ['600'], { cwd: tmpdir() });
    expect(find(await look({ root }), pid)).toBeUndefined();
    expect(find(await look({ root, panePids: [pid] }), pid)).toMatchObject({ pid });
    expect(find(await look({ root, asker: { pids: [pid], pane: null } }), pid)).toMatchObject({ pid });
  });

  test('shows the whole tree below a pane', async () => {
    const { root } = makeTown();
    const script = '(sleep 600; true) & sleep 600 & echo $!; wait';
    const pane = await startProcess('/bin/sh', ['-c', script], {
      ...{ cwd: tmpdir(), detached: true },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onCleanUp(() => {
      process.kill(-pane.pid, 'SIGKILL');
    });
    const child = Number(await firstLine(pane));
    const tree = await until(async () => {
      const below = (await look({ root, panePids: [pane.pid] })).list.filter(({ pid }) => pid >= pane.pid);
      return below.filter(({ names }) => names.includes('sleep')).length === 2 && below;
    });
    expect(tree.map(({ pid }) => pid)).toEqual(expect.arrayContaining([pane.pid, child]));
  });

  onLinux("reads Gas Town's variables of pane processes only (skipped without /proc)", async () => {
    const { root, worker } = makeTown();
    const env = { ...process.env, GT_ROLE: 'gastown/crew/ada', GT_RIG: '', SECRET: 'x' };
    const agent = await fakeAgent('claude', { cwd: worker('gastown/crew/ada'), env });
    const environmentOf = async (panePids: number[]) =>
      find(await look({ root, panePids }), agent.pid)?.environment;
    expect(await environmentOf([agent.pid])).toEqual({ GT_ROLE: 'gastown/crew/ada' });
    expect(await environmentOf([])).toBeNull();
  });

  onLinux('never lists a zombie as working (skipped without /proc)', async () => {
    const { root } = makeTown();
    const zombie = await startZombie();
    const evidence = await look({ root, panePids: [zombie], pids: [zombie] });
    expect(find(evidence, zombie)).toBeUndefined();
    expect(evidence.lookups[0]).toMatchObject({ answer: 'zombie', process: { names: ['sleep'] } });
  });

  onLinux('shows an agent whose directory was removed under it (skipped without /proc)', async () => {
    const { root, worker, path } = makeTown();
    const cwd = worker('gastown/crew/ada');
    const agent = await fakeAgent('claude', { cwd });
    rmSync(cwd, { recursive: true });
    expect(find(await look({ root }), agent.pid)?.cwd).toEqual({ seen: true, value: cwd });
    mkdirSync(path('gastown/crew/ada'));
    expect(find(await look({ root }), agent.pid)?.cwd).toEqual({ seen: true, value: cwd });
  });

  test('reads the processes again for a pane that is younger than the table', async () => {
    const { root } = makeTown();
    const table = await readProcessTable();
    const { pid } = await startProcess('sleep', ['600'], { cwd: tmpdir() });
    const question = { root, pids: [], panePids: [pid], agents: [], asker: { pids: [], pane: null } };
    expect(find(await processEvidence(table, question), pid)).toMatchObject({ pid });
  });

  test('tolerates processes that end during the look', async () => {
    const { root, worker } = makeTown();
    const agent = await fakeAgent('claude', { cwd: worker('gastown/crew/ada') });
    const table = await readProcessTable();
    await agent.stop();
    const question = {
      root,
      pids: [agent.pid],
      panePids: [agent.pid],
      agents: [],
      asker: { pids: [], pane: null },
    };
    const evidence = await processEvidence(table, question);
    expect(evidence.lookups).toMatchObject([{ answer: 'absent', process: null }]);
    expect(evidence.list.filter(({ cwd }) => cwd?.seen && cwd.value.startsWith(root))).toEqual([]);
  });

  test('lists working directories for a quick scan, each once', async () => {
    const { worker } = makeTown();
    const cwd = worker('gastown/crew/ada/deep down');
    await fakeAgent('claude', { cwd });
    await fakeAgent('codex', { cwd });
    const seen = await workingDirectories(await readProcessTable());
    expect(seen.filter((path) => path === cwd)).toEqual([cwd]);
  });

  asRoot(
    "shows another user's agent, with its directory unseen (skipped without /proc and root)",
    async () => {
      const { root, worker } = makeTown();
      const agent = await fakeAgent('claude', { cwd: worker('gastown/crew/ada') });
      const renamed = await startProcess(sleeperNamed('plain'), ['600'], { argv0: 'codex' });
      const other = await startProcess('sleep', ['600'], { cwd: worker('gastown/crew/ada') });
      const evidence = await asOtherUser(() => look({ root }));
      expect(find(evidence, agent.pid)).toMatchObject({ uid: 0, cwd: { seen: false, why: 'EACCES' } });
      expect(find(evidence, renamed.pid)).toMatchObject({ names: ['plain', 'codex'], cwd: { seen: false } });
      expect(find(evidence, other.pid)).toBeUndefined();
    },
  );
});

describe('a process list that is', () => {
  afterEach(cleanUp);

  const mountProc = (option: string): string | null => {
    const path = mkdtempSync(join(tmpdir(), 'proc-'));
    const isMounted = spawnSync('mount', ['-t', 'proc', '-o', option, 'proc', path]).status === 0;
    onCleanUp(() => {
      if (isMounted) execFileSync('umount', [path]);
      rmdirSync(path);
    });
    return isMounted ? path : null;
  };

  const canMount = linux && canBecomeOthers && spawnSync('unshare', ['-m', 'true']).status === 0;

  (canMount ? test : test.skip).each(['hidepid=1', 'hidepid=2'])(
    'closed by %s shows only our own processes, but others still exist (skipped if mounting is not allowed)',
    async (option) => {
      const proc = mountProc(option);
      if (proc === null) throw new Error('mount refused');
      const { pid } = await startProcess('sleep', ['600'], { uid: THIRD_UID });
      const { listing, answer } = await asOtherUser(() => {
        const table = readProcTable(proc);
        return { listing: table.listing, answer: lookUpPid(pid, table) };
      });
      expect(answer).toMatchObject({ answer: 'exists', signalable: false, row: null });
      expect(listing).toEqual({ seen: true, value: 'own' });
    },
  );

  test('missing is unseen, but lookups by signal still work', async () => {
    const { root } = makeTown();
    const table = readProcTable(join(root, 'no-proc'));
    expect(table.listing).toMatchObject({ seen: false, why: expect.stringContaining('ENOENT') });
    expect(lookUpPid(process.pid, table)).toMatchObject({ answer: 'exists', signalable: true, row: null });
    expect(lookUpPid(deadPid(), table)).toMatchObject({ answer: 'absent' });
    const question = { root, pids: [1], panePids: [5], agents: [], asker: { pids: [6], pane: null } };
    expect((await processEvidence(table, question)).list).toEqual([]);
  });
});
