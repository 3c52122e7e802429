/** A process that a lock of another tool names: judged as a bare number, and more exactly where its start is recorded too. */
import { isStartInUtc } from '../../record/start-token.ts';
import type { NumberClaim } from '../../types/claim.ts';
import type { LockFile, LockRecord, ProcessInfo } from '../../types/evidence.ts';
import { ageOf } from '../ages.ts';
import type { Case } from '../case.ts';
import { judgeProcess } from '../holder/process.ts';
import {
  alive,
  commandWord,
  died,
  finding,
  mayTrustAbsence,
  type ProcessFinding,
  startedOtherwise,
} from '../holder/process-finding.ts';
import { isOlderThanBoot } from '../holder/where-taken.ts';

/**
 * What the lock says, in the form of an agent's record. A lock that does not say when it was taken is as old as its file. A copy
 * is younger than its original, which only makes it less likely that the number is called another process's.
 */
export const claimAsRecord = (
  { pid, hostname, since, name }: NumberClaim,
  { mtimeMs }: Pick<LockFile, 'mtimeMs'>,
): LockRecord => ({
  pid,
  acquiredAt: since?.text ?? '',
  acquiredAtMs: since?.ms ?? mtimeMs,
  sessionId: name ?? '',
  hostname,
  holder: null,
});

/** Process evidence for a number that was taken here; null for one taken elsewhere. */
export const judgeNumber = (one: Case, claim: NumberClaim): ProcessFinding | null => {
  const found = byStart(one, claim) ?? judgeProcess(one);
  if (found === null) return null;
  if (found.state !== 'alive')
    return mayBeElsewhere(one, claim) ? elsewhere(found, claim) : unlessInside(found, one, claim);
  const isOverdue = isKeptTooLong(one, claim);
  if (!claim.isShared && !isOverdue) return found;
  const command = commandWord(found.process);
  return finding(
    found,
    'unknown',
    'process-shared',
    isOverdue
      ? `process ${found.pid} (${command}) is running, but should have released this lock long ago`
      : `process ${found.pid} (${command}) is running, but such a process may serve many sessions, and this one may have ended`,
  );
};

/** True where its holder should have released it by now: a process that works for many may have forgotten this lock. */
const isKeptTooLong = ({ record, index }: Case, { heldAtMostMs }: NumberClaim): boolean => {
  const ageMs = ageOf(record.acquiredAtMs, index);
  return heldAtMostMs !== undefined && ageMs !== null && ageMs > heldAtMostMs;
};

/**
 * True where the start is in the form of another system: a directory that a virtual machine shares with its host (macOS, or Windows
 * with WSL) has locks of both, and the processes of the other one are not seen here.
 */
const mayBeElsewhere = ({ taken, index }: Case, { start, isStartNative }: NumberClaim): boolean =>
  isStartNative === true &&
  start !== null &&
  taken === 'here' &&
  !isFormOf(index.machine.seen.host.platform, start);

/** A number without a host may be one of a container of this machine, whose process then has another number here. */
const unlessInside = (
  found: ProcessFinding,
  { index }: Case,
  { pid, hostname }: NumberClaim,
): ProcessFinding => {
  const [inside] = hostname === '' ? (index.machine.lookups.get(pid)?.inside ?? []) : [];
  return inside === undefined
    ? found
    : finding(
        { ...found, own: false },
        'unknown',
        'process-unknown',
        `process ${inside} has the number ${pid} in its container, and the lock does not say where it was taken`,
      );
};

const elsewhere = (found: ProcessFinding, { start }: NumberClaim): ProcessFinding =>
  finding(
    { ...found, own: false },
    'unknown',
    'other-system',
    `process ${found.pid} may be running on another system that shares this directory: the lock notes its start (${start}) as programs there do`,
  );

/** Most digits that a count of ticks has in the life of a machine; Windows counts from the year 1601, in 18 digits. */
const MAX_DIGITS_OF_TICKS = 15;

/** True where programs of that platform note a start in such a form; on a platform that is not known any form may be its own. */
const isFormOf = (platform: string, start: string): boolean => {
  const isNumber = /^\d+$/.test(start);
  if (platform === 'linux') return isNumber && start.length <= MAX_DIGITS_OF_TICKS;
  return platform !== 'darwin' || !isNumber;
};

/** Decided by the start alone, where both starts are known in the same form; null where they are not. */
const byStart = (one: Case, { pid, start }: NumberClaim): ProcessFinding | null => {
  if (start === null || one.taken !== 'here') return null;
  const lookup = one.index.machine.lookups.get(pid);
  if (lookup?.answer !== 'exists' || died(lookup) !== null || lookup.process === null) return null;
  const isSame = isStartOf(start, lookup.process, one);
  if (isSame === null) return null;
  const known = { pid, own: true, process: lookup.process };
  if (isSame) return alive(known);
  return mayTrustAbsence(one.record, one.index) ? startedOtherwise(known) : null;
};

/**
 * True for the start of this process, false for another one's, null where that cannot be told. A date never gives false: it may
 * have been printed in another time zone, and counts whole seconds of a clock that steps.
 */
const isStartOf = (start: string, process: ProcessInfo, one: Case): boolean | null => {
  const { startToken, startedAtMs } = process;
  if (startToken === null) return null;
  if (start === startToken) return true;
  if (/^\d+$/.test(start) && /^\d+$/.test(startToken))
    return isInTicks(Number(start), process, one) ? false : null;
  return isStartInUtc(start, startedAtMs) ? true : null;
};

/** Milliseconds. Linux counts starts in hundredths of a second on every machine. */
const TICK_MS = 10;
/** Milliseconds. A number this near to a date that is known here may be a date itself. */
const DATE_MARGIN_MS = 24 * 3_600_000;

/**
 * True where that number can only be a count of ticks since this kernel started, or since an earlier one did. Many tools note
 * the seconds or milliseconds since 1970, or 0 for nothing, and those differ from the ticks of their own process.
 */
const isInTicks = (
  start: number,
  { startToken, startedAtMs }: ProcessInfo,
  { lock: { mtimeMs }, index }: Case,
): boolean => {
  const { takenAtMs, machine } = index.snapshot;
  if (start === 0) return false;
  if (isOlderThanBoot(mtimeMs, machine.host)) return true;
  const mayBe = (ms: number): boolean =>
    [mtimeMs, startedAtMs].some((known) => known !== null && Math.abs(ms - known) < DATE_MARGIN_MS);
  if (startedAtMs === null || mayBe(start) || mayBe(start * 1000)) return false;
  return start <= Number(startToken) + (takenAtMs - startedAtMs) / TICK_MS;
};
