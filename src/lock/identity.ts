/** Identifies the holder of a lock beyond the life of the process: PID, start token, boot id, PID namespace. */
import { lifeOf, type Shown } from '../core/judge/holder/life.ts';
import type { LockContent, TrueHolder } from '../core/types/evidence.ts';
import { readHost } from '../evidence/host.ts';
import { readProc } from '../evidence/processes/linux/proc-files.ts';
import { isDeadStat, parseProcStat } from '../evidence/processes/linux/proc-stat.ts';
import { recordedStart } from '../evidence/processes/linux/recorded-start.ts';
import { askPs } from '../evidence/processes/macos/ps.ts';
import { signalProcess } from '../evidence/processes/signal.ts';

/** The process in whose name a lock is taken. */
export interface HolderProcess {
  readonly pid: number;
  /** As `startTokenOf` returns it. */
  readonly startToken: string | null;
}

/**
 * The token that tells a process from a later one with the same PID: on Linux field 22 of `/proc/<pid>/stat`, with the time
 * namespace where that is not the first one, on macOS what `ps -o lstart=` prints in UTC. Null where it cannot be read. Never throws.
 */
export const startTokenOf = async (pid: number): Promise<string | null> => {
  const seen = askSystem(pid);
  return seen === 'unknown' || seen === 'gone' ? null : seen.startToken;
};

/** The true holder as a record names it. */
export const trueHolderOf = (holder: HolderProcess, nonce: string): TrueHolder => {
  const { bootId, pidNamespace } = readHost();
  return { pid: holder.pid, startToken: holder.startToken, bootId, pidNamespace, nonce };
};

/** `lifeOf` for a holder in one of our records, as this machine shows it now. Never throws. */
export const lifeNow = (holder: TrueHolder): ReturnType<typeof lifeOf> =>
  lifeOf(holder, readHost(), () => askSystem(holder.pid));

/** True where it is alive, or where that cannot be told and a process with its PID may run here. Never throws. */
export const mayLive = (holder: TrueHolder): boolean => {
  const life = lifeNow(holder);
  if (life !== 'unknown') return life === 'alive';
  const { bootId, pidNamespace } = readHost();
  const isElsewhere = differ(holder.bootId, bootId) || differ(holder.pidNamespace, pidNamespace);
  return !isElsewhere && signalProcess(holder.pid).answer !== 'absent';
};

const differ = (one: string | null, other: string | null): boolean =>
  one !== null && other !== null && one !== other;

/**
 * True for a record of ours, made in this boot and PID namespace, whose holder has ended. Only processes of this machine can
 * tell that, so only they break such a lock, and the guard excludes them on network file systems too. The PID in a foreign
 * record proves nothing: that of a Gas Town helper was dead from the start.
 */
export const isProvenDead = (content: LockContent): boolean =>
  content.kind === 'record' && content.record.holder !== null && lifeNow(content.record.holder) === 'gone';

const askSystem = (pid: number): Shown => {
  const { answer } = signalProcess(pid);
  if (answer === 'unknown') return 'unknown';
  return process.platform === 'darwin'
    ? askMacos(pid, answer === 'absent')
    : askProc(pid, answer === 'absent');
};

const askMacos = (pid: number, isAbsent: boolean): Shown => {
  if (isAbsent) return 'gone';
  const seen = askPs(pid);
  if (seen === 'unknown') return seen;
  return seen.startToken === null ? 'gone' : { startToken: seen.startToken };
};

const askProc = (pid: number, isAbsent: boolean): Shown => {
  const read = readProc(`/proc/${pid}/stat`);
  if ('error' in read)
    return isAbsent && (read.error === 'ENOENT' || read.error === 'ESRCH') ? 'gone' : 'unknown';
  const stat = parseProcStat(read.bytes.toString('latin1'));
  if (stat === null) return 'unknown';
  return isDeadStat(stat) ? 'gone' : { startToken: recordedStart(`/proc/${pid}`, stat.startTicks) };
};
