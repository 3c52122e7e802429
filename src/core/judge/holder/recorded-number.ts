/** A bare PID in a record: does it still belong to the holder, by now to another process, or to none? */
import { isPossiblePid, LATE_MS } from '../../pid.ts';
import { describeAge } from '../../report/amounts.ts';
import type { ProcessInfo } from '../../types/evidence.ts';
import type { Case } from '../case.ts';
import {
  alive,
  commandWord,
  died,
  doubt,
  finding,
  gone,
  type Known,
  mayTrustAbsence,
  NAMESPACE_DOUBT,
  type ProcessFinding,
  RESTARTED,
  recycled,
  restarted,
} from './process-finding.ts';
import { type Ties, tiesOf } from './ties.ts';
import { isFromBeforeRestart, isOlderThanBoot } from './where-taken.ts';

/** Milliseconds. What started this much later and has nothing to do with the worker is another process. */
export const MUCH_LATER_MS = 24 * 3_600_000;

/**
 * Judges a bare number whose process exists. Only start tokens are exact, and there is none: time alone proves nothing,
 * for wall clocks step. A process that started late and is plainly elsewhere counts as another one, and so does one that
 * started much later where nothing ties it to the worker.
 */
const judgeRunning = (known: Known, running: ProcessInfo, one: Case): ProcessFinding => {
  const { lock, record, index } = one;
  const { startedAtMs } = running;
  const { acquiredAtMs } = record;
  const ties = tiesOf(running, one);
  const lateMs = startedAtMs === null || acquiredAtMs === null ? 0 : startedAtMs - acquiredAtMs;
  const since = `started ${describeAge(lateMs / 1000)} after the lock`;
  if (!ties.mine && ties.known && isFromBeforeRestart(lock, record, index.machine.seen.host))
    return finding(
      known,
      'recycled',
      'rebooted',
      `PID ${known.pid} now belongs to another process: ${RESTARTED}`,
    );
  if (!ties.mine && lateMs > LATE_MS && !isItsTool(running, ties, one)) {
    const isAnother = ties.elsewhere !== null || (ties.known && lateMs > MUCH_LATER_MS);
    const where = ties.elsewhere ?? 'nothing connects it to this worker';
    if (isAnother)
      return mayTrustAbsence(record, index)
        ? recycled(known, `it ${since} was taken, and ${where}`)
        : doubt(known, NAMESPACE_DOUBT);
  }
  if (running.isOfSystem === true) return doubt(known, whyNobody(running));
  const signs = [...(lateMs > LATE_MS ? [since] : []), ...(ties.elsewhere === null ? [] : [ties.elsewhere])];
  return ties.mine || signs.length === 0
    ? alive(known)
    : alive(known, `, ${signs.join(', ')}: probably not its holder`);
};

/**
 * True for the program by which a lock of another tool calls its holder (`gt daemon`, `web.pid`), unless another worker claims it;
 * one that serves many holders (`claude agent agent-ab12`) works for several. Such a program works where it likes, so that only
 * clocks speak against it, and they step while a machine sleeps.
 */
const isItsTool = ({ names }: ProcessInfo, { claimedBy }: Ties, { lock, index }: Case): boolean => {
  const { content, mtimeMs } = lock;
  if (content.kind !== 'claim' || content.claim.by !== 'number') return false;
  const [tool] = /^[^\s.,]+/.exec(content.claim.name ?? '') ?? [];
  return (
    tool !== undefined &&
    names.includes(tool) &&
    (claimedBy === null || content.claim.isShared) &&
    !isOlderThanBoot(mtimeMs, index.machine.seen.host)
  );
};

/** A container that shares its host's name has small numbers, as the system's own processes have outside. */
const whyNobody = (running: ProcessInfo): string =>
  `it is ${running.pid === 1 ? 'the init of this machine' : 'a thread of the kernel'} (${commandWord(running)}) and took no lock: the lock was taken in a container or sandbox with numbers of its own, or its number is wrong`;

/** Judges a bare number. */
export const judgePid = (one: Case): ProcessFinding => {
  const { lock, record, index } = one;
  const { pid } = record;
  const unseen: Known = { pid, own: false, process: null };
  if (!isPossiblePid(pid)) return gone(unseen, 'pid-invalid', `${pid} is not a valid PID`);
  const lookup = index.machine.lookups.get(pid);
  if (lookup === undefined || lookup.answer === 'unknown')
    return doubt(unseen, lookup?.why ?? 'was not looked up');
  const known: Known = { pid, own: false, process: lookup.process };
  const end = died(lookup);
  if (end !== null) {
    if (mayTrustAbsence(record, index)) return gone(known, end.reason, end.text);
    return isFromBeforeRestart(lock, record, index.machine.seen.host)
      ? restarted(known)
      : doubt(known, NAMESPACE_DOUBT);
  }
  return lookup.process === null ? alive(known) : judgeRunning(known, lookup.process, one);
};

/**
 * Judges a number of a former host. The configuration says that this host name is gone for good, or that it is another name of
 * this machine, and then the process may be alive here. So the number can show life, where something ties its process to the
 * worker, but it never proves death: only the configuration's word does. Sessions and occupants count as for every lock.
 */
export const judgeVoidNumber = (one: Case): ProcessFinding => {
  const { pid, hostname } = one.record;
  const lookup = one.index.machine.lookups.get(pid);
  const process = lookup?.answer === 'exists' ? lookup.process : null;
  const known: Known = { pid, own: false, process };
  const ties = process === null ? null : tiesOf(process, one);
  if (ties?.mine === true) return alive(known, ', and works here');
  const isInUse = lookup?.answer === 'exists' && ties?.known !== true && ties?.elsewhere == null;
  if (lookup === undefined || lookup.answer === 'unknown' || isInUse)
    return doubt(
      known,
      `${hostname} is a former host: doctor cannot tell whose process has this number here`,
    );
  return gone(known, 'former-host', `${hostname} is a former host: its process ${pid} is not here any more`);
};
