/** Does the process that a record of ours names still live? Decided by boot, PID namespace and start token, never by clocks. */
import { areComparable } from '../../record/start-token.ts';
import type { HostFacts, TrueHolder } from '../../types/evidence.ts';
import { isThisBoot } from './where-taken.ts';

/** What the system shows under a PID: a process, `gone` where certainly none runs, `unknown` where that cannot be told. */
export type Shown = { readonly startToken: string } | 'gone' | 'unknown';

/** Is the process that started at `startToken` the holder, or another one of its number? */
export const whoIs = (
  startToken: string | null,
  holder: TrueHolder,
  host: HostFacts,
): 'holder' | 'another' | 'unknown' => {
  if (startToken === null || holder.startToken === null) return 'unknown';
  if (startToken === holder.startToken) return 'holder';
  return isThisBoot(holder, host) && areComparable(startToken, holder.startToken) ? 'another' : 'unknown';
};

/**
 * What is certain about a holder on this machine: `alive` and `gone` are proven, everything else (another boot, another
 * namespace, no token) is `unknown`. The judge of a report differs on purpose in one point: it calls a running process alive
 * if no token contradicts that, since it weighs the town's other evidence as well and must not call a live holder dead.
 * @param shown what the system shows under the holder's number; asked only where that number is one of ours
 */
export const lifeOf = (
  holder: TrueHolder,
  host: HostFacts,
  shown: () => Shown,
): 'alive' | 'gone' | 'unknown' => {
  const { bootId, pidNamespace } = host;
  if (holder.bootId !== bootId || holder.pidNamespace !== pidNamespace) return 'unknown';
  // Two unknown values do not count as equal. macOS has no namespaces, and its start times are dates.
  if (host.platform !== 'darwin' && (bootId === null || pidNamespace === null)) return 'unknown';
  const seen = shown();
  if (seen === 'gone' || seen === 'unknown') return seen;
  const who = whoIs(seen.startToken, holder, host);
  if (who === 'unknown') return who;
  return who === 'holder' ? 'alive' : 'gone';
};
