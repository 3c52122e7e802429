/** A process that performs one operation on a lock, or on many, and kills itself right after one of its system calls. */
import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { systemCalls } from '../../../src/io/disk/system-calls.ts';
import { Lock } from '../../../src/lock/agent-lock.ts';
import { makeRunId } from '../../../src/lock/files/names.ts';
import { undoReleases } from '../../../src/repair/undo.ts';
import { quickJudge, readLockFile } from '../../stress/quick-judge.ts';
import { applyAll, applyRelease } from './release.ts';
import { tapped } from './tapped-calls.ts';

const [, , root = '', operation = '', at = ''] = process.argv;
const townRoot = realpathSync(root);
const worker = join(townRoot, 'w');
const judge = quickJudge;
let armed = operation !== 'release';
let count = 0;

const calls = tapped(
  {
    after: () => {
      if (!armed) return;
      if (count === Number(at)) process.kill(process.pid, 'SIGKILL');
      count += 1;
    },
  },
  systemCalls,
);

switch (operation) {
  case 'acquire':
    await new Lock(worker, { calls, judge }).acquire({ companion: true });
    break;
  case 'release': {
    const lock = new Lock(worker, { calls, judge });
    await lock.acquire({ companion: true });
    armed = true;
    await lock.release();
    break;
  }
  case 'fix': {
    const lock = readLockFile(join(worker, '.runtime', 'agent.lock'), 'w');
    if (lock === null) throw new Error('there is no lock to fix');
    const step = { lock, state: 'stale' as const, force: false };
    await applyRelease(step, makeRunId(Date.now()), 1, { townRoot, calls, judge });
    break;
  }
  case 'fix-many': {
    const steps = readdirSync(townRoot)
      .filter((name) => !name.startsWith('.'))
      .map((name, index) => {
        const lock = readLockFile(join(townRoot, name, '.runtime', 'agent.lock'), name);
        if (lock === null) throw new Error('there is no lock to fix');
        return { lock, state: 'stale' as const, force: false, number: index + 1 };
      });
    await applyAll(steps, makeRunId(Date.now()), { townRoot, calls, judge });
    break;
  }
  case 'undo':
    await undoReleases(null, { townRoot, calls });
    break;
  default:
    throw new Error(`unknown operation ${operation}`);
}
