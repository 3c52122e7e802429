/** Locks of tools whose file, process and caller belong to different users. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { undoReleases } from '../../src/repair/undo.ts';
import {
  asOtherUser,
  canBecomeOthers,
  cleanUp,
  isRunning,
  OTHER_UID,
  startProcess,
  THIRD_UID,
} from '../support/index.ts';
import { isContainer } from './stage.ts';
import { HOUR_MS, lockedBy, rows, WEEK_MS } from './tool-locks.ts';

afterEach(cleanUp);

const othersTest = canBecomeOthers && !isContainer ? test : test.skip;

const ended = (): number => spawnSync('true').pid;

const identityOf = (path: string) => {
  const { ino, mtimeMs, mode, uid } = lstatSync(path);
  return { ino, mtimeMs, mode, uid, text: readFileSync(path, 'latin1') };
};

/** Gives everything in the root to that user, except our configuration, which would not be trusted then. */
const give = (root: string, uid: number): void => {
  const names = readdirSync(root).filter((name) => name !== 'lock-doctor.json');
  spawnSync('chown', ['-R', `${uid}:${uid}`, ...names], { cwd: root });
  chmodSync(root, 0o755);
};

describe.each(rows)('%s at %s', (_kind, _path, tool) => {
  othersTest('of a third user is reported to a user, who cannot release it', async () => {
    const { town, path, judge, fix } = lockedBy(tool, ended(), HOUR_MS);
    give(town.root, THIRD_UID);
    const before = identityOf(path);
    await asOtherUser(async () => {
      expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-gone'] });
      const { findings, exitCode } = await fix();
      expect(findings.map(({ fix: done }) => done?.status)).not.toContain('fixed');
      expect(exitCode).toBe(1);
    });
    expect(identityOf(path)).toEqual(before);
  });

  // Root does not follow the configuration in a user's root.
  if (tool.config === undefined)
    othersTest('of a user who owns the whole root is released by root, and restored unchanged', async () => {
      const { town, path, fix } = lockedBy(tool, ended(), HOUR_MS);
      give(town.root, OTHER_UID);
      const before = identityOf(path);
      chownSync(town.root, OTHER_UID, OTHER_UID);
      expect((await fix()).summary?.fixed).toBe(1);
      expect(existsSync(path)).toBe(false);
      const { outcomes } = await undoReleases(null, { townRoot: town.root });
      expect(outcomes.map(({ status }) => status)).toEqual(['restored']);
      expect(identityOf(path)).toEqual(before);
    });

  othersTest('is held by a process of another user, which may not be signalled', async () => {
    const { pid } = await startProcess('sleep', ['600'], { cwd: '/', uid: THIRD_UID, gid: THIRD_UID });
    const { town, path, judge, fix } = lockedBy(tool, pid, 5 * 60_000);
    give(town.root, OTHER_UID);
    await asOtherUser(async () => {
      expect(await judge()).toMatchObject({ state: 'held', reasons: ['process-alive'] });
      expect((await fix()).summary?.fixed).toBe(0);
    });
    expect([existsSync(path), isRunning(pid)]).toEqual([true, true]);
  });

  othersTest('is stale if a process of another user reused its PID long after', async () => {
    const { pid } = await startProcess('sleep', ['600'], { cwd: '/', uid: THIRD_UID, gid: THIRD_UID });
    const { path, judge } = lockedBy(tool, pid, WEEK_MS);
    chownSync(path, OTHER_UID, OTHER_UID);
    expect(await judge()).toMatchObject({ state: 'stale', reasons: ['process-recycled'] });
    expect(isRunning(pid)).toBe(true);
  });
});
