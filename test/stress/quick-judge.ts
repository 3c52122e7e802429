/** A judge for the stress harness: a lock is dead if its process is. Sessions and occupants do not count. */
import type { LockFile } from '../../src/core/types/evidence.ts';
import type { Release, State, Verdict } from '../../src/core/types/judgement.ts';
import { systemCalls } from '../../src/io/disk/system-calls.ts';
import type { Judge } from '../../src/lock/ask-the-judge.ts';
import { readRecord } from '../../src/lock/files/read-record.ts';
import { lifeNow } from '../../src/lock/identity.ts';
import { startTicks } from './oracle.ts';

/** What a scan would report for the lock at this path; null if there is none. */
export const readLockFile = (path: string, worker: string): LockFile | null => {
  const seen = readRecord(systemCalls, path);
  if (seen.kind !== 'file') return null;
  return {
    id: `agent:${worker}`,
    kind: 'agent',
    worker,
    path,
    pathBytes: null,
    layout: 'runtime',
    isRegularFile: true,
    stamp: seen.stamp,
    mtimeMs: seen.mtimeMs,
    uid: 0,
    content: seen.content,
    companion: null,
    git: { tracked: { seen: true, value: false }, ignored: { seen: true, value: true }, repository: null },
  };
};

const stateOf = ({ content }: LockFile): State => {
  if (content.kind !== 'record') return 'invalid';
  const { holder, pid } = content.record;
  if (holder === null) return startTicks(pid) === null ? 'stale' : 'held';
  const life = lifeNow(holder);
  return life === 'gone' ? 'stale' : life === 'alive' ? 'held' : 'unknown';
};

export const quickJudge: Judge = async ({ workerDir, path }) => {
  const lock = readLockFile(path, workerDir);
  if (lock === null) return null;
  const state = stateOf(lock);
  const release: Release =
    state === 'stale' ? { allowed: true } : { allowed: false, why: 'state', retryInSeconds: null };
  const verdict: Verdict = {
    lock,
    state,
    reasons: [],
    notes: [],
    holder: null,
    writtenSecondsAgo: null,
    occupants: [],
    occupantsKnown: true,
    strangers: [],
    facts: [],
    release,
  };
  return verdict;
};
