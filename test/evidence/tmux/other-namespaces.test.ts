/** Access to a socket of a process in another mount namespace, which may be open, gone or closed. */
import { chmodSync, mkdirSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import type { ProcessTable } from '../../../src/evidence/processes/row.ts';
import { readProcessTable } from '../../../src/evidence/processes/table.ts';
import { accessTo } from '../../../src/evidence/tmux/other-namespaces.ts';
import { asOtherUser, canBecomeOthers, cleanUp, listenAt, makeTmuxTmpdir } from '../../support/index.ts';

afterEach(cleanUp);

/** The processes of this machine, as if all of them were behind that door. */
const behind = async (door: string | null): Promise<ProcessTable> => {
  const table = await readProcessTable();
  return { ...table, details: { ...table.details, sharesOurPaths: () => false, doorToRoot: () => door } };
};

test('access leads through the root of the process', async () => {
  const door = makeTmuxTmpdir();
  await listenAt(`${door}/sock`);
  const table = await behind(door);
  expect(accessTo('/sock', 7, table)).toEqual({ path: `${door}/sock`, door, obstacle: null });
});

test('access is by the plain path if the file is the same on both sides', async () => {
  const door = makeTmuxTmpdir();
  await listenAt(`${door}/sock`);
  const table = await behind('');
  expect(accessTo(`${door}/sock`, 7, table)).toMatchObject({ path: `${door}/sock`, obstacle: null });
});

test('a removed socket is distinguished from a closed one, without advice to send a signal', async () => {
  const gone = accessTo('/sock', 7, await behind(makeTmuxTmpdir()));
  expect(gone.obstacle).toBe('its socket was removed from another mount namespace');
  expect(accessTo('/sock', 7, await behind(null)).obstacle).toBe(
    'its socket is in another mount namespace: permission denied',
  );
});

(canBecomeOthers ? test : test.skip)(
  'a socket that we may not look at is reported as closed (skipped without root)',
  async () => {
    const door = makeTmuxTmpdir();
    mkdirSync(`${door}/in`);
    chmodSync(door, 0o700);
    const table = await behind(`${door}/in`);
    const access = await asOtherUser(() => accessTo('/sock', 7, table));
    expect(access.obstacle).toBe('its socket is in another mount namespace: permission denied');
  },
);
