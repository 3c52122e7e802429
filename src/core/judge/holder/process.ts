/** Process evidence: is the process that a record names still the one that took the lock? */
import { plainHostname } from '../../town/host-names.ts';
import type { TownIndex } from '../../town/views.ts';
import type { LeftRunning, LockFile, TrueHolder } from '../../types/evidence.ts';
import type { Case } from '../case.ts';
import { whoIs } from './life.ts';
import {
  alive,
  died,
  doubt,
  finding,
  gone,
  type Known,
  mayTrustAbsence,
  NAMESPACE_DOUBT,
  type ProcessFinding,
  restarted,
  startedOtherwise,
} from './process-finding.ts';
import { judgePid, judgeVoidNumber } from './recorded-number.ts';
import { isFromBeforeRestart } from './where-taken.ts';

/**
 * Process evidence for a record taken here; null for one taken elsewhere, whose number means nothing here. The
 * companion record is believed unless its holder is proven dead: it outlasts the lock that it was written for.
 */
export const judgeProcess = (one: Case): ProcessFinding | null => {
  const { lock, record, taken } = one;
  if (taken === 'former-host') {
    const behind = lock.companion === null ? null : judgeCompanion(lock.companion, one.index);
    return behind ?? judgeVoidNumber(one);
  }
  if (taken !== 'here') return null;
  if (record.holder !== null) return judgeTrueHolder(record.holder, one);
  if (lock.companion !== null) {
    const behind = judgeTrueHolder(lock.companion, one);
    if (behind.state === 'alive' || behind.state === 'unknown') return behind;
  }
  return judgePid(one);
};

/**
 * The holder that the second record names, where the lock is not a record or was removed: a live holder, or one of whom it cannot
 * be told; null where the holder is gone. A second record of another boot says nothing about this one.
 */
export const judgeCompanion = (companion: TrueHolder, index: TownIndex): ProcessFinding | null => {
  const { bootId } = index.machine.seen.host;
  if (companion.bootId !== null && bootId !== null && companion.bootId !== bootId) return null;
  const record = { pid: 0, acquiredAt: '', acquiredAtMs: null, sessionId: '', hostname: '', holder: null };
  const behind = judgeTrueHolder(companion, { lock: null, record, index });
  return behind.state === 'alive' || behind.state === 'unknown' ? behind : null;
};

/** The record that names the holder; `lock` is null where it was removed and only its second record is left. */
type Recorded = Pick<Case, 'record' | 'index'> & { readonly lock: LockFile | null };

/** The holder has ended, and a process that it left running still holds the lock. */
const outlived = ({ pid, own }: Known, left: LeftRunning): ProcessFinding =>
  finding(
    { pid: left.pid, own, process: null },
    'alive',
    'process-alive',
    `process ${left.pid} (${left.command}) is running: process ${pid} left it running under this lock`,
  );

/** Only a recorded boot id that differs, on the machine it was recorded on, proves death by restart. */
const judgeOtherBoot = (known: Known, { record, index }: Recorded): ProcessFinding => {
  const { host } = index.machine.seen;
  const sameMachine =
    record.hostname !== '' && plainHostname(record.hostname) === plainHostname(host.hostname);
  return sameMachine
    ? gone(known, 'rebooted', `this machine was restarted since process ${known.pid} took the lock`)
    : doubt(known, 'taken in another boot, on a machine it does not name');
};

/** Judges the true holder that a record of ours names: equality of tokens, no clocks. */
const judgeTrueHolder = (holder: TrueHolder, recorded: Recorded): ProcessFinding => {
  const { lock, record, index } = recorded;
  const { host } = index.machine.seen;
  const { pid, bootId, pidNamespace } = holder;
  const unseen: Known = { pid, own: true, process: null };
  if (bootId !== null && host.bootId !== null && bootId !== host.bootId)
    return judgeOtherBoot(unseen, recorded);
  if (bootId !== null && host.bootId === null && record.hostname === '')
    return doubt(unseen, 'neither its machine nor this boot could be told');
  const isOfOtherNamespace =
    pidNamespace !== null && host.pidNamespace !== null && pidNamespace !== host.pidNamespace;
  // The number belongs to another namespace, but that one ended with the container.
  if (isOfOtherNamespace && lock !== null && isFromBeforeRestart(lock, record, host))
    return restarted(unseen);
  const lookup = index.machine.lookups.get(pid);
  if (lookup === undefined || lookup.answer === 'unknown')
    return doubt(unseen, lookup?.why ?? 'was not looked up');
  const sure = pidNamespace === null ? mayTrustAbsence(record, index) : pidNamespace === host.pidNamespace;
  const known: Known = { pid, own: true, process: lookup.process };
  const end = died(lookup);
  const left = index.machine.seen.processes.leftRunning?.find(({ nonce }) => nonce === holder.nonce);
  if (end !== null && left !== undefined) return outlived(known, left);
  if (end !== null) return sure ? gone(known, end.reason, end.text) : doubt(known, NAMESPACE_DOUBT);
  if (whoIs(lookup.process?.startToken ?? null, holder, host) !== 'another') return alive(known);
  if (left !== undefined) return outlived(known, left);
  return sure ? startedOtherwise(known) : doubt(known, NAMESPACE_DOUBT);
};
