/** A session whose agent has exited and that only shows a shell. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect } from '@jest/globals';
import { cleanUp, onCleanUp, sleeperNamed, until } from '../support/index.ts';
import { ADA, BOB, GT, lockOf, now, sessionOf, setStage, shellSessionOf, tmuxTest } from './stage.ts';

afterEach(cleanUp);

tmuxTest('only a shell is left → held, idle, and no live agent is mentioned', async () => {
  const { town, startTmux, look, ask, fix } = setStage();
  const pane = await shellSessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA));
  town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
  const report = await look();
  expect(lockOf(report, ADA)).toMatchObject({ state: 'held', notes: ['idle'] });
  expect(report.findings).toMatchObject([{ check: 'idle-session', severity: 'info' }]);
  const answer = await ask();
  expect(answer).toMatchObject({ exitCode: 20, results: [{ answer: 'held', notes: ['idle'] }] });
  expect(answer.results[0]?.message).toMatch(/^held: idle, its agent has exited/);

  // The finding's commands: the first one shows the session on a terminal, the second one ends it.
  const [attach = [], end = []] = report.findings[0]?.next ?? [];
  expect(attach.slice(3)).toEqual(['attach-session', '-t', pane.paneId]);
  const [program = '', ...args] = end;
  expect(spawnSync(program, args).status).toBe(0);
  expect(lockOf(await look(), ADA).state).toBe('stale');
  expect((await fix()).summary?.fixed).toBe(1);
});

tmuxTest('an editor, also one in the background of the shell, is named, and no command ends it', async () => {
  const { town, startTmux, look } = setStage();
  const server = await startTmux();
  const vim = sleeperNamed('vim');
  const command = ['sh', '-c', `'${vim}' 600 & read never`];
  const pane = server.newSession(`${GT}-crew-ada`, { cwd: town.path(ADA), command });
  town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
  const findings = async () => (await look()).findings;
  await until(async () => (await findings())[0]?.message.includes('vim') === true, 'vim');
  expect(await findings()).toMatchObject([
    {
      check: 'idle-session',
      message: expect.stringContaining('no agent is left, but vim in pane'),
      next: [expect.arrayContaining(['attach-session'])],
    },
  ]);
});

tmuxTest('an agent in the session → held, not idle', async () => {
  const { town, startTmux, look } = setStage();
  const pane = await sessionOf(await startTmux(), `${GT}-crew-ada`, town.path(ADA));
  town.lock(ADA, { session_id: pane.paneId, acquired_at: now() });
  expect(lockOf(await look(), ADA)).toMatchObject({ state: 'held', notes: [] });
});

describe('a program of another worker in the background of an idle pane', () => {
  const withVisitor = async (name: string) => {
    const stage = setStage();
    const { town, startTmux } = stage;
    const server = await startTmux();
    const pane = await shellSessionOf(server, `${GT}-crew-bob`, town.path(BOB));
    town.lock(BOB, { session_id: pane.paneId, acquired_at: now() });
    const visitor = `(cd '${town.path(ADA)}' && exec ${sleeperNamed(name)} 600) & echo $! >pid`;
    server.tmux('send-keys', '-t', pane.paneId, visitor, 'Enter');
    const written = town.path(`${BOB}/pid`);
    await until(() => existsSync(written) && readFileSync(written, 'utf8').endsWith('\n'), name);
    onCleanUp(() => void process.kill(Number(readFileSync(written, 'utf8')), 'SIGKILL'));
    return stage;
  };

  tmuxTest('an agent → held, and the answer says where it works', async () => {
    const { ask, look } = await withVisitor('claude');
    await until(async () => (await ask(ADA)).exitCode === 20, 'claude');
    const [result] = (await ask(BOB)).results;
    expect(result).toMatchObject({ answer: 'held', notes: [] });
    expect(result?.message).toMatch(
      /^held: claude is running in pane %\d+ of session .*, and works in gastown\/crew\/ada$/,
    );
    expect(JSON.stringify((await look()).findings)).not.toContain('kill-');
  });

  tmuxTest('an unknown program → idle, and no command ends it', async () => {
    const { ask, look } = await withVisitor('new-agent');
    await until(async () => (await ask(ADA)).exitCode === 22, 'new-agent');
    const { findings } = await look();
    expect(findings).toMatchObject([
      { check: 'idle-session', next: [expect.arrayContaining(['attach-session'])] },
    ]);
    expect(JSON.stringify(findings)).toContain('new-agent (process');
    expect(JSON.stringify(findings)).not.toContain('kill-');
  });
});
