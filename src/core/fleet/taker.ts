/** Which machine took a lock, as far as that can be told from what each of them showed. Pure. */
import { isThisBoot } from '../judge/holder/where-taken.ts';
import { isSameName, plainHostname } from '../town/host-names.ts';
import type { HostFacts } from '../types/evidence.ts';
import type { Examination, Verdict } from '../types/judgement.ts';

/** One machine's look at a town that it shares with others, and what it found. */
export interface MachineView {
  readonly machine: string;
  /** True for this machine; no other can pretend to be it. */
  readonly isHere: boolean;
  /**
   * Host names that the configuration gives it. A machine may call itself anything, so its word that a holder is dead counts
   * only for locks with one of these names.
   */
  readonly names: readonly string[];
  readonly examination: Examination;
}

/** How surely a machine took a lock: its boot and PID namespace are recorded, its host name is, or no name is and it may have. */
type ClaimStrength = 'exact' | 'by-name' | 'perhaps' | 'none';

const STRONGEST_FIRST: readonly ClaimStrength[] = ['exact', 'by-name', 'perhaps'];

/** How strong a machine's claim to a lock is, by its own verdict and its own facts. */
const claimOn = ({ lock, reasons }: Verdict, host: HostFacts): ClaimStrength => {
  if (lock.content.kind !== 'record') return 'perhaps';
  if (reasons.includes('other-host') || reasons.includes('other-namespace')) return 'none';
  const { holder, hostname } = lock.content.record;
  const namespace = holder?.pidNamespace ?? null;
  if (holder !== null && isThisBoot(holder, host) && (namespace === null || namespace === host.pidNamespace))
    return 'exact';
  if (reasons.includes('former-host') || hostname === '') return 'perhaps';
  return 'by-name';
};

/** One machine's verdict on one lock. */
export interface Testimony {
  readonly sighting: MachineView;
  readonly verdict: Verdict;
}

/** The machines with the strongest claim to have taken the lock; none where no machine has a claim. */
export const takersAmong = (testimonies: readonly Testimony[]): readonly Testimony[] => {
  const claims = testimonies.map((one) => ({
    one,
    claim: claimOn(one.verdict, one.sighting.examination.snapshot.machine.host),
  }));
  const strongest = STRONGEST_FIRST.find((claim) => claims.some((other) => other.claim === claim));
  return claims.filter(({ claim }) => claim === strongest).map(({ one }) => one);
};

/**
 * May this machine call the holder of that lock dead? Only if the configuration gives it the recorded host name; a lock without
 * a host name could have been taken on any machine.
 */
export const maySpeakFor = ({ isHere, names }: MachineView, { lock: { content } }: Verdict): boolean => {
  if (isHere || content.kind !== 'record') return true;
  return names.some((name) => isSameName(name, content.record.hostname));
};

/** Host names by which a machine is known here: the names that it was given, less the user and the domain. */
export const namesOf = (...given: readonly string[]): readonly string[] => [
  ...new Set(given.map((name) => plainHostname(name.slice(name.lastIndexOf('@') + 1)))),
];
