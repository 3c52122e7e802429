import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  cleanUp,
  deadPid,
  fakeAgent,
  hasTmux,
  isRunning,
  makeTown,
  sleeperNamed,
  startTmux,
  until,
} from './index.ts';

describe('the toolkit of the tests', () => {
  afterEach(cleanUp);

  test('makes a town with locks and removes it', async () => {
    const town = makeTown({ workers: ['gastown/crew/ada'] });
    const path = town.lock('gastown/crew/ada', { session_id: '%3' }, { ageSeconds: 60 });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: deadPid(), session_id: '%3' });
    await cleanUp();
    expect(existsSync(town.root)).toBe(false);
  });

  test('starts an agent and kills it', async () => {
    const agent = await fakeAgent('claude');
    expect(isRunning(agent.pid)).toBe(true);
    await cleanUp();
    expect(isRunning(agent.pid)).toBe(false);
  });

  (hasTmux ? test : test.skip)(
    'starts a private tmux server and stops it (skipped without tmux)',
    async () => {
      const server = await startTmux();
      const first = server.newSession('one', { command: [sleeperNamed('claude'), '600'] });
      const second = server.splitWindow('one');
      expect(server.panes().map(({ paneId }) => paneId)).toEqual([first.paneId, second.paneId]);
      expect(second).toMatchObject({ sessionId: '$0', paneId: '%1' });
      server.freeze();
      await cleanUp();
      expect(isRunning(server.pid)).toBe(false);
      await until(() => !isRunning(first.pid), 'the end of the pane');
    },
  );

  test('until gives up at its deadline', async () => {
    await expect(until(() => false, 'nothing', 20)).rejects.toThrow('waited 20 ms in vain for nothing');
  });
});
