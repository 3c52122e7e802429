/** One worker with a lock, and a judge that a test controls, for thousands of runs with injected faults. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LockFile } from '../../../src/core/types/evidence.ts';
import type { Release, State, Verdict } from '../../../src/core/types/judgement.ts';
import { systemCalls } from '../../../src/io/disk/system-calls.ts';
import type { Judge } from '../../../src/lock/ask-the-judge.ts';
import { readRecord } from '../../../src/lock/files/read-record.ts';
import type { HolderProcess } from '../../../src/lock/identity.ts';
import { onCleanUp } from '../../support/clean-up.ts';
import { deadPid } from '../../support/dead-pid.ts';

export interface Scene {
  readonly root: string;
  readonly worker: string;
  readonly directory: string;
  readonly lock: string;
  /** Writes the lock as another tool would. */
  readonly write: (text: string) => void;
  /** The lock's text, or null. */
  readonly text: () => string | null;
  /** Names in the directory, without the guard file. */
  readonly names: () => readonly string[];
  /** True if the lock, or a file beside it, contains this text. */
  readonly keeps: (text: string) => boolean;
  readonly lockFile: () => LockFile;
  /** The process in whose name the lock is taken; undefined for this process. */
  readonly holder: HolderProcess | undefined;
  readonly remove: () => void;
}

export const FOREIGN = '{\n  "pid": 4194305,\n  "acquired_at": "2026-01-01T00:00:00Z"\n}';
export const LIVE = '{\n  "pid": 1,\n  "acquired_at": "2026-01-01T00:00:01Z",\n  "session_id": "live"\n}';

/** In memory if possible, because each of thousands of runs syncs. */
const BASE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A process that never existed, as the holder of what a crashed run leaves. */
export const NOBODY: HolderProcess = { pid: deadPid(), startToken: '1' };

/** Makes a town with one worker, `w`. */
export const makeScene = (holder?: HolderProcess): Scene => {
  const root = mkdtempSync(join(BASE, 'scene-'));
  const worker = join(root, 'w');
  const directory = join(worker, '.runtime');
  const lock = join(directory, 'agent.lock');
  mkdirSync(directory, { recursive: true });
  const remove = (): void => rmSync(root, { recursive: true, force: true });
  onCleanUp(remove);
  const names = (): readonly string[] => readdirSync(directory).filter((name) => name !== 'agent.lock.flock');
  return {
    root,
    worker,
    directory,
    lock,
    write: (text) => writeFileSync(lock, text),
    text: () => (existsSync(lock) ? readFileSync(lock, 'utf8') : null),
    names,
    keeps: (text) => names().some((name) => readFileSync(join(directory, name), 'utf8') === text),
    lockFile: () => lockFileAt(lock),
    holder,
    remove,
  };
};

/** What a scan would report for the lock at this path. */
export const lockFileAt = (lock: string): LockFile => {
  const seen = readRecord(systemCalls, lock);
  const isFile = seen.kind === 'file';
  return {
    id: 'agent:w',
    kind: 'agent',
    worker: 'w',
    path: lock,
    pathBytes: null,
    layout: 'runtime',
    isRegularFile: isFile,
    stamp: isFile ? seen.stamp : null,
    mtimeMs: isFile ? seen.mtimeMs : null,
    uid: 0,
    content: isFile ? seen.content : { kind: 'unread', why: seen.kind },
    companion: null,
    git: { tracked: { seen: true, value: false }, ignored: { seen: true, value: true }, repository: null },
  };
};

/** A judge that gives every lock the state of `stateOf`, and allows the release of stale ones only. */
export const judging =
  (stateOf: (lock: LockFile) => State): Judge =>
  async ({ path }) => {
    if (!existsSync(path)) return null;
    const lock = lockFileAt(path);
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
      facts: [{ source: 'processes', text: 'the test says so' }],
      release,
    };
    return verdict;
  };
