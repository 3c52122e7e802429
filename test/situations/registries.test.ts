/** Agents that no list of names contains, but that their tools' own registries of live sessions do. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readProcessTable } from '../../src/evidence/processes/table.ts';
import { cleanUp, sleeperNamed, startProcess, waiterNamed } from '../support/index.ts';
import {
  ADA,
  BOB,
  GT,
  hostTest,
  linuxTmuxTest,
  NO_PANE,
  now,
  type Stage,
  sessionOf,
  setStage,
  textsOf,
} from './stage.ts';

afterEach(cleanUp);

const linuxHostTest = process.platform === 'linux' ? hostTest : test.skip;

/** Writes the record that Claude Code would write about this process into the caller's home. */
const register = async (
  { env }: Stage,
  pid: number,
  cwd: string,
  over: object = {},
  config = `${env.HOME}/.claude`,
): Promise<void> => {
  const row = (await readProcessTable()).rows.get(pid);
  const folder = `${config}/sessions`;
  mkdirSync(folder, { recursive: true });
  const record = {
    pid,
    cwd,
    sessionId: 'x',
    startedAt: Date.now(),
    procStart: row?.startToken,
    name: 'fix-login',
    status: 'busy',
  };
  writeFileSync(`${folder}/${pid}.json`, JSON.stringify({ ...record, ...over }));
};

describe('a registry of live sessions', () => {
  linuxHostTest('names an agent that works elsewhere by its command, and its directory → held', async () => {
    const stage = setStage();
    const { pid } = await startProcess(sleeperNamed('some-program'), ['600'], { cwd: '/' });
    stage.town.lock(ADA, { session_id: NO_PANE });
    expect(await stage.judge()).toMatchObject({ state: 'stale' });
    await register(stage, pid, stage.town.path(ADA, 'src'));
    const lock = await stage.judge();
    expect(lock).toMatchObject({ state: 'held', reasons: expect.arrayContaining(['occupied']) });
    expect(textsOf(lock)).toContain(
      `claude "fix-login" (busy) (process ${pid}) is running in this directory`,
    );
    expect((await stage.fix()).summary).toMatchObject({ fixed: 0 });
    expect(await stage.ask()).toMatchObject({ exitCode: 20 });
    expect(await stage.ask(BOB)).toMatchObject({ exitCode: 0 });
  });

  linuxHostTest('is ignored if the PID of its record was reused → stale', async () => {
    const stage = setStage();
    const { pid } = await startProcess(sleeperNamed('some-program'), ['600'], { cwd: '/' });
    await register(stage, pid, stage.town.path(ADA), { procStart: '1' });
    stage.town.lock(ADA, { session_id: NO_PANE });
    const report = await stage.look();
    expect(report).toMatchObject({ complete: true, summary: { stale: 1, held: 0 } });
    expect(JSON.stringify(report)).not.toContain('fix-login');
  });

  linuxHostTest(
    'is found where the environment of a spare process says, not only where ours does',
    async () => {
      const stage = setStage();
      const { town, env } = stage;
      const config = `${env.HOME}/work-account`;
      const { pid } = await startProcess(waiterNamed('claude'), ['--bg-spare'], {
        cwd: town.path(ADA),
        env: { PATH: process.env.PATH, CLAUDE_CONFIG_DIR: config },
      });
      town.lock(ADA, { session_id: NO_PANE });
      expect(await stage.judge()).toMatchObject({ state: 'stale' });
      await register(stage, pid, town.path(ADA), {}, config);
      expect(await stage.judge()).toMatchObject({ state: 'held' });
      expect((await stage.fix()).summary).toMatchObject({ fixed: 0, held: 1 });
    },
  );

  linuxHostTest.each(['CLAUDE_CONFIG_DIR', 'HOME'])(
    'is found where %s of an agent says that works outside of the town, under another home',
    async (variable) => {
      const stage = setStage();
      const { town, env } = stage;
      const home = `${env.HOME}/another`;
      const { pid } = await startProcess(sleeperNamed('claude'), ['600'], {
        cwd: '/',
        env: { PATH: process.env.PATH, [variable]: home },
      });
      town.lock(ADA, { session_id: NO_PANE });
      expect(await stage.judge()).toMatchObject({ state: 'stale' });
      await register(stage, pid, town.path(ADA), {}, variable === 'HOME' ? `${home}/.claude` : home);
      expect(await stage.judge()).toMatchObject({ state: 'held' });
      expect((await stage.fix()).summary).toMatchObject({ fixed: 0, held: 1 });
    },
  );

  describe('of which a record cannot be read', () => {
    const withVisitor = async (name: string) => {
      const stage = setStage();
      const { pid } = await startProcess(sleeperNamed(name), ['600'], { cwd: '/' });
      stage.town.lock(ADA, { session_id: NO_PANE });
      await register(stage, pid, '/elsewhere');
      expect(await stage.judge()).toMatchObject({ state: 'stale' });
      return { stage, pid, record: `${stage.env.HOME}/.claude/sessions/${pid}.json` };
    };

    linuxHostTest.each(['vim', 'claude'])(
      'leaves open where its process works, though %s stands elsewhere → unknown',
      async (name) => {
        const { stage, pid, record } = await withVisitor(name);
        rmSync(record);
        execFileSync('mkfifo', [record]);
        const lock = await stage.judge();
        expect(lock).toMatchObject({
          state: 'unknown',
          reasons: expect.arrayContaining(['occupants-unknown']),
        });
        expect(textsOf(lock)).toContain(
          `${name} (process ${pid}) may be one, but its user's registry of sessions ${record} could not be read: it is a fifo`,
        );
        expect(await stage.ask(BOB)).toMatchObject({ exitCode: 22 });
        expect((await stage.fix()).summary).toMatchObject({ fixed: 0 });
      },
    );

    linuxHostTest('says nothing of a process that started long after it was written → stale', async () => {
      const { stage, record } = await withVisitor('vim');
      writeFileSync(record, '{');
      expect(await stage.judge()).toMatchObject({ state: 'unknown' });
      utimesSync(record, new Date(), new Date(Date.now() - 3_600_000));
      expect(await stage.judge()).toMatchObject({ state: 'stale' });
    });

    linuxHostTest('in another format is no doubt where its process does not stand → stale', async () => {
      const { stage, record } = await withVisitor('claude');
      writeFileSync(record, '{"version": 9}');
      expect(await stage.judge()).toMatchObject({ state: 'stale' });
    });

    linuxHostTest('of a copilot → unknown', async () => {
      const stage = setStage();
      const { pid } = await startProcess(sleeperNamed('copilot'), ['600'], { cwd: '/' });
      stage.town.lock(ADA, { session_id: NO_PANE });
      const session = `${stage.env.HOME}/.copilot/session-state/01234567-89ab-cdef-0123-456789abcdef`;
      mkdirSync(`${session}/workspace.yaml`, { recursive: true });
      writeFileSync(`${session}/inuse.${pid}.lock`, '');
      expect(await stage.judge()).toMatchObject({ state: 'unknown' });
    });
  });

  linuxTmuxTest('also names the session in a pane', async () => {
    const stage = setStage();
    const server = await stage.startTmux();
    const pane = await sessionOf(server, `${GT}-crew-ada`, stage.town.path(ADA), { command: 'node-thing' });
    await register(stage, pane.pid, stage.town.path(ADA));
    stage.town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
    const lock = await stage.judge();
    expect(lock).toMatchObject({ state: 'held' });
    expect(textsOf(lock)).toContain('claude "fix-login" (busy)');
    expect((await stage.look()).findings).toEqual([]);
  });
});
