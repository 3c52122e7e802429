/** What one machine's look at a town says of the leases of its workers. Pure. */
import { type MachineView, maySpeakFor } from '../core/fleet/taker.ts';
import { claimsWorker } from '../core/town/lock-rules.ts';
import type { Finding } from '../core/types/check.ts';
import type { LockFile } from '../core/types/evidence.ts';
import type { Verdict } from '../core/types/judgement.ts';
import { type HeldLease, type LeaseRecord, leaseHolderInWords } from './engine.ts';

export interface WorkersLease extends HeldLease {
  readonly worker: string;
}

/** A lease whose holder a machine knows. */
export interface LeaseSight {
  readonly lease: WorkersLease;
  /** As the machine is called here. */
  readonly machine: string;
  /** `stale`: its own lock is, by the word of a machine that may say so. */
  readonly state: 'held' | 'stale';
  /** Id of the lock that was taken with it; null where its holder is on that machine and the lock is not there. */
  readonly lock: string | null;
}

/** By the nonce that a lease shares with the lock taken with it: a PID or a host name would not be enough. */
const isTied = ({ content, companion }: LockFile, by: LeaseRecord | null): boolean =>
  by !== null &&
  (companion?.nonce === by.nonce || (content.kind === 'record' && content.record.holder?.nonce === by.nonce));

const isHolders = ({ examination: { snapshot } }: MachineView, by: LeaseRecord): boolean => {
  const { bootId, pidNamespace } = snapshot.machine.host;
  return (
    bootId !== null &&
    bootId === by.bootId &&
    pidNamespace === by.pidNamespace &&
    by.root === snapshot.town.root
  );
};

const claimsOn = (worker: string, { examination }: MachineView): readonly Verdict[] =>
  examination.verdicts.filter(({ lock }) => lock.worker === worker && claimsWorker(lock));

/** What a machine knows of a lease; null where its holder is not there. */
export const seeLease = (lease: WorkersLease, view: MachineView): LeaseSight | null => {
  const { by, worker } = lease;
  if (by === null) return null;
  const verdict = claimsOn(worker, view).find(({ lock }) => isTied(lock, by));
  const { machine } = view;
  if (verdict === undefined)
    return isHolders(view, by) ? { lease, machine, state: 'held', lock: null } : null;
  const isDead = verdict.state === 'stale' && maySpeakFor(view, verdict);
  return { lease, machine, state: isDead ? 'stale' : 'held', lock: verdict.lock.id };
};

/** A command takes its lease first and gives it back last: a lock that was taken before the leases were listed has one in the list. */
const SLACK_SECONDS = 5;

/** Live locks that have no lease, or not the one of their worker. `listedSecondsAgo`: when the leases were listed. */
export const locksWithoutLease = (
  { examination }: Pick<MachineView, 'examination'>,
  leases: ReadonlyMap<string, WorkersLease>,
  listedSecondsAgo: number,
): readonly Finding[] =>
  examination.verdicts.flatMap(({ lock, state, holder }): readonly Finding[] => {
    if ((state !== 'held' && state !== 'orphaned') || !claimsWorker(lock)) return [];
    if ((holder?.ageSeconds ?? 0) < listedSecondsAgo + SLACK_SECONDS) return [];
    const lease = leases.get(lock.worker);
    if (lease !== undefined && isTied(lock, lease.by)) return [];
    const about = { worker: lock.worker, lock: lock.id, about: 'lease' };
    return [
      lease === undefined
        ? {
            ...about,
            severity: 'warning',
            message: 'its agent runs without a lease: another machine may start one as well',
            evidence: [],
            fix: { action: 'advice', text: 'restart it with doctor exec, which takes a lease', commands: [] },
          }
        : {
            ...about,
            severity: 'error',
            message: `its lock is held by one agent, and ${leaseHolderInWords(lease.by)}`,
            evidence: [{ source: 'host', text: `lease ${lease.key}, epoch ${lease.epoch}` }],
            fix: {
              action: 'advice',
              text: 'two agents may be running: stop one of them yourself',
              commands: [],
            },
          },
    ];
  });

/** The lease of a holder that is dead, or whose lock is gone. */
export const findingOf = (
  { lease: { worker, key, epoch, by }, lock, state }: LeaseSight,
  secondsLeft: number | null,
): Finding | null => {
  const about = {
    worker,
    lock,
    about: 'lease',
    evidence: [{ source: 'host' as const, text: `lease ${key}, epoch ${epoch}` }],
  };
  if (state === 'stale')
    return {
      ...about,
      severity: 'info',
      message: `the holder of its lease is dead; the lease expires by itself${secondsLeft === null ? '' : ` within ${secondsLeft} s`}`,
      fix: null,
    };
  if (lock !== null) return null;
  return {
    ...about,
    severity: 'warning',
    message: `${leaseHolderInWords(by)}, but its lock is gone`,
    fix: {
      action: 'advice',
      text: 'stop that command if it is still running; if it is not, the lease expires by itself',
      commands: [],
    },
  };
};
