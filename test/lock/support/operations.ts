/** Every operation that changes a lock, each from a known start, for injected faults and crashes. */
import { renameSync, writeFileSync } from 'node:fs';
import type { SystemCalls } from '../../../src/io/disk/system-calls.ts';
import { Lock, type LockOptions } from '../../../src/lock/agent-lock.ts';
import { makeRunId } from '../../../src/lock/files/names.ts';
import { type HolderProcess, lifeNow } from '../../../src/lock/identity.ts';
import { repairLeftovers } from '../../../src/repair/leftovers.ts';
import { undoReleases } from '../../../src/repair/undo.ts';
import { FOREIGN, judging, LIVE, type Scene } from './bench-scene.ts';
import { applyRelease } from './release.ts';
import { alone } from './tapped-calls.ts';

/** With no time to wait for a busy guard. */
const settings = (calls: SystemCalls): LockOptions => ({ calls, judge, guardTimeoutMs: 0 });

/** `live` is held, our own records are judged by their holder, and everything else is stale. */
export const judge = judging(({ content }) => {
  if (content.kind !== 'record') return 'invalid';
  const { sessionId, holder } = content.record;
  if (sessionId === 'live') return 'held';
  return holder === null || lifeNow(holder) === 'gone' ? 'stale' : 'held';
});

type Run = (calls: SystemCalls) => Promise<'done' | string>;

export interface Operation {
  readonly name: string;
  /** Puts the start on disk and returns the operation, which resolves to `done` or the reason why not, or rejects. */
  readonly begin: (scene: Scene) => Promise<Run>;
  /** Bytes that must never be lost, done or not; null if none are at stake. */
  readonly stake: string | null;
  /** The bytes at stake are in the lock's place, whatever happened, once a run without faults has cleaned up. */
  readonly stays: boolean;
  /** It takes a lock in the name of this process. */
  readonly takes: boolean;
  /** What is in the lock's place if the operation was not done; left out if that varies. */
  readonly orElse?: string;
}

const holderOf = ({ holder }: Scene): { holder?: HolderProcess } => (holder === undefined ? {} : { holder });

/** Takes the lock for this process; the system calls that the instance uses can be replaced later. */
const hold = async (scene: Scene): Promise<(calls: SystemCalls) => Lock> => {
  let current = alone;
  const calls = new Proxy(alone, { get: (_target, name) => Reflect.get(current, name) });
  const lock = new Lock(scene.worker, settings(calls));
  await lock.acquire({ sessionId: 'mine', companion: true, ...holderOf(scene) });
  const use = (next: SystemCalls): Lock => {
    current = next;
    return lock;
  };
  return use;
};

const acquiring =
  (text: string | null, companion: boolean, around = (_scene: Scene, calls: SystemCalls) => calls) =>
  async (scene: Scene): Promise<Run> => {
    if (text !== null) scene.write(text);
    return async (calls) => {
      const lock = new Lock(scene.worker, settings(around(scene, calls)));
      await lock.acquire({ sessionId: 'new', companion, ...holderOf(scene) });
      return 'done';
    };
  };

/** Diagnoses the lock as stale, whatever it is, and releases it. */
export const fix = async (scene: Scene, calls: SystemCalls): Promise<string> => {
  const step = { lock: scene.lockFile(), state: 'stale' as const, force: false };
  const outcome = await applyRelease(step, makeRunId(Date.now()), 1, {
    townRoot: scene.root,
    ...settings(calls),
    judge: judging(() => 'stale'),
  });
  return outcome.status === 'fixed' ? 'done' : outcome.reason;
};

export const undo = async (scene: Scene, calls: SystemCalls): Promise<string> => {
  const { outcomes } = await undoReleases(null, { townRoot: scene.root, ...settings(calls) });
  const [outcome] = outcomes;
  return outcome?.status === 'restored' || outcome?.status === 'already'
    ? 'done'
    : (outcome?.reason ?? 'nothing');
};

export const repair = async (scene: Scene, calls: SystemCalls): Promise<string> => {
  const outcome = await repairLeftovers(`${scene.directory}/agent.lock`, {
    townRoot: scene.root,
    ...settings(calls),
  });
  return outcome.status === 'done' ? 'done' : outcome.reason;
};

/** Replaces the lock by a live one at the last moment before it is moved aside. */
const replacing = (scene: Scene, calls: SystemCalls): SystemCalls => ({
  ...calls,
  rename: (from, to) => {
    if (from.endsWith('/agent.lock') && scene.text() === FOREIGN) {
      writeFileSync(`${scene.lock}.other`, LIVE);
      renameSync(`${scene.lock}.other`, scene.lock);
    }
    calls.rename(from, to);
  },
});

export const OPERATIONS: readonly Operation[] = [
  { name: 'acquire a free lock', begin: acquiring(null, false), stake: null, stays: false, takes: true },
  {
    name: 'acquire with a second record',
    begin: acquiring(null, true),
    stake: null,
    stays: false,
    takes: true,
  },
  {
    name: 'take over a stale lock',
    begin: acquiring(FOREIGN, false),
    stake: null,
    stays: false,
    takes: true,
    orElse: FOREIGN,
  },
  {
    name: 'take over a stale lock with a second record',
    begin: acquiring(FOREIGN, true),
    stake: null,
    stays: false,
    takes: true,
    orElse: FOREIGN,
  },
  { name: 'be refused by a live lock', begin: acquiring(LIVE, false), stake: LIVE, stays: true, takes: true },
  {
    name: 'take over a lock that is replaced at the last moment',
    begin: acquiring(FOREIGN, false, replacing),
    stake: LIVE,
    stays: true,
    takes: true,
  },
  {
    name: 'refresh',
    begin: async (scene) => {
      const use = await hold(scene);
      return async (calls) => {
        await use(calls).refresh('new');
        return 'done';
      };
    },
    stake: null,
    stays: false,
    takes: false,
  },
  {
    name: 'release',
    begin: async (scene) => {
      const use = await hold(scene);
      return async (calls) => (await use(calls).release()).kind.replace('released', 'done');
    },
    stake: null,
    stays: false,
    takes: false,
  },
  {
    name: 'force a release',
    begin: async (scene) => {
      scene.write(LIVE);
      const { stamp } = scene.lockFile();
      if (stamp === null) throw new Error('there is no lock');
      return async (calls) => {
        await new Lock(scene.worker, settings(calls)).forceRelease(stamp);
        return 'done';
      };
    },
    stake: LIVE,
    stays: false,
    takes: false,
  },
  {
    name: 'fix',
    begin: async (scene) => {
      scene.write(FOREIGN);
      return (calls) => fix(scene, calls);
    },
    stake: FOREIGN,
    stays: false,
    takes: false,
  },
  {
    name: 'fix a lock that is replaced at the last moment',
    begin: async (scene) => {
      scene.write(FOREIGN);
      return (calls) => fix(scene, replacing(scene, calls));
    },
    stake: LIVE,
    stays: true,
    takes: false,
  },
  {
    name: 'undo',
    begin: async (scene) => {
      scene.write(FOREIGN);
      await fix(scene, alone);
      return (calls) => undo(scene, calls);
    },
    stake: FOREIGN,
    stays: false,
    takes: false,
  },
  {
    name: 'repair leftovers',
    begin: async (scene) => {
      scene.write(LIVE);
      renameSync(scene.lock, `${scene.lock}.0123456789abcdef.old`);
      writeFileSync(`${scene.lock}.0123456789abcdef.new`, 'half');
      return (calls) => repair(scene, calls);
    },
    stake: LIVE,
    stays: true,
    takes: false,
  },
];
