/** Who holds a lock, in words that outlive the process: number, start token, boot, PID namespace. */
import type { LockContent, TrueHolder } from '../core/types/evidence.ts';
import { readHost } from '../evidence/host.ts';
import { readProc } from '../evidence/processes/proc-files.ts';
import { isDead, parseProcStat } from '../evidence/processes/proc-stat.ts';
import { signalProcess } from '../evidence/processes/signal.ts';
import { runCommand } from '../io/command.ts';

/** The process in whose name a lock is taken. */
export interface HolderProcess {
  readonly pid: number;
  /** As `startTokenOf` answers it. */
  readonly startToken: string | null;
}

/** `ps` answers in 30 ms. */
const PS_TIMEOUT_MS = 5000;

/**
 * The token that tells a process from a later one of the same number: on Linux field 22 of `/proc/<pid>/stat`, on
 * macOS what `ps -o lstart=` prints. Null where it cannot be read. Never throws.
 */
export async function startTokenOf(pid: number): Promise<string | null> {
  if (process.platform !== 'darwin') return startTicksOf(pid);
  const env = { PATH: process.env.PATH, LC_ALL: 'C' };
  const answer = await runCommand('ps', ['-o', 'lstart=', '-p', String(pid)], {
    timeoutMs: PS_TIMEOUT_MS,
    env,
  });
  return answer.status === 'ok' ? answer.stdout.toString('utf8').trim() || null : null;
}

/** The true holder as a record names it. */
export function describeHolder(holder: HolderProcess, nonce: string): TrueHolder {
  const { bootId, pidNamespace } = readHost();
  return { pid: holder.pid, startToken: holder.startToken, bootId, pidNamespace, nonce };
}

/**
 * What is certain about a holder of ours on this machine: `alive` and `gone` are proven, everything else (another boot,
 * another namespace, no token) is `unknown`. Never throws.
 */
export function lifeOf(holder: TrueHolder): 'alive' | 'gone' | 'unknown' {
  const { bootId, pidNamespace } = readHost();
  if (holder.bootId !== bootId || holder.pidNamespace !== pidNamespace) return 'unknown';
  // Two that are not known are not therefore the same. macOS has neither, and no namespaces to be wrong about.
  if (process.platform !== 'darwin' && (bootId === null || pidNamespace === null)) return 'unknown';
  const { answer } = signalProcess(holder.pid);
  if (answer === 'unknown') return 'unknown';
  const read = readProc(`/proc/${holder.pid}/stat`);
  if ('error' in read) {
    const isGone = read.error === 'ENOENT' || read.error === 'ESRCH';
    return isGone && answer === 'absent' ? 'gone' : 'unknown';
  }
  const stat = parseProcStat(read.bytes.toString('latin1'));
  if (stat === null) return 'unknown';
  if (isDead(stat)) return 'gone';
  if (holder.startToken === null) return 'unknown';
  return stat.startTicks === holder.startToken ? 'alive' : 'gone';
}

/**
 * A record of ours, made in this boot and PID namespace, whose holder has ended. Only processes of this machine can tell
 * that, so only they break such a lock, and those the guard excludes on network file systems too. The number
 * in a foreign record proves nothing: a Gas Town helper's was dead from the start.
 */
export const isProvenDead = (content: LockContent): boolean =>
  content.kind === 'record' && content.record.holder !== null && lifeOf(content.record.holder) === 'gone';

function startTicksOf(pid: number): string | null {
  const read = readProc(`/proc/${pid}/stat`);
  return 'error' in read ? null : (parseProcStat(read.bytes.toString('latin1'))?.startTicks ?? null);
}
