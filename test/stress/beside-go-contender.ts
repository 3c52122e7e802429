/** Our side of `npm run stress -- --go`: a process that uses the library, or the command that `exec` runs under a lock. */
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lock } from '../../src/lock/agent-lock.ts';
import { LockError } from '../../src/lock/errors.ts';
import { makeOracle, startTicks } from './oracle.ts';
import { quickJudge } from './quick-judge.ts';

const [role = '', town = '', home = '', worker = ''] = process.argv.slice(2);
const oracle = makeOracle(home);

/** Appends a line to the common trace, after the lock was taken and before it is given back. */
const trace = (name: string, what: string): void => {
  if (process.env.STRESS_TRACE === '1')
    appendFileSync(join(home, 'trace'), `${name} ${process.pid}-${startTicks(process.pid)}-ours ${what}\n`);
};

const hold = async (name: string, isStillOurs: () => Promise<boolean> | boolean): Promise<void> => {
  trace(name, 'holds it');
  oracle.enter(name);
  appendFileSync(join(home, 'holds-ours'), '.');
  await sleep(30 * Math.random());
  if (!(await isStillOurs())) oracle.count('lost', `${process.pid}-ours lost ${name}`);
  oracle.leave(name);
  trace(name, 'ends its hold');
};

/** True if the lock contains our nonce. */
const isOfOurMark = (): boolean => {
  try {
    const text = readFileSync(join(town, worker, '.runtime', 'agent.lock'), 'utf8');
    return JSON.parse(text).nonce === process.env.LOCK_DOCTOR_HOLD;
  } catch {
    return false;
  }
};

const useLibrary = async (): Promise<void> => {
  const workers = readdirSync(town).filter((name) => name !== 'mayor');
  for (;;) {
    const name = workers[Math.floor(Math.random() * workers.length)] ?? '';
    const lock = new Lock(join(town, name), { judge: quickJudge });
    try {
      await lock.acquire();
      await hold(name, async () => (await lock.status()).state === 'ours');
      await lock.release();
    } catch (error) {
      if (!(error instanceof LockError)) throw error;
      if (error.code === 'E_LOCK_IO') oracle.count('error', error.message);
    }
    await sleep(20 * Math.random());
  }
};

if (role === 'library') await useLibrary();
else await hold(worker, isOfOurMark);
