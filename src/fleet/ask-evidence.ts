/** The evidence of one town on another machine: asked for, checked by the schema of snapshots, and its clock compared. */
import type { ScanMode, Snapshot } from '../core/types/evidence.ts';
import { snapshot as validateSnapshot } from '../schema/compiled/snapshot.ts';
import { problemOf, tellProblem } from '../schema/problem.ts';
import { type AskOptions, ask, clockDifference } from './ask.ts';
import type { Machine } from './machine.ts';

/** Which form of snapshots this program reads. */
const SNAPSHOT_VERSION = 1;

export interface EvidenceOptions extends Omit<AskOptions, 'input'> {
  readonly scan: ScanMode;
  /** The one-file collector, for machines without a doctor. */
  readonly collector: () => string;
}

/** Evidence of another machine, or why it is missing. */
export type Evidence =
  | {
      readonly status: 'ok';
      readonly snapshot: Snapshot;
      readonly clockDifferenceMs: number;
      readonly roundTripMs: number;
    }
  | { readonly status: 'failed'; readonly why: string };

/** What is run there: the doctor that is installed, or node with the collector on its standard input. */
export const programThere = (machine: Machine): readonly string[] =>
  machine.send ? ['node', '-'] : machine.doctor;

/** Asks a machine what its doctor sees of a town. */
export const askEvidence = async (
  machine: Machine,
  town: string,
  { scan, collector, ...options }: EvidenceOptions,
): Promise<Evidence> => {
  const mode = scan === 'deep' || scan === 'quick' ? [`--${scan}`] : [];
  const command = [...programThere(machine), '--save-snapshot', '-', ...mode, '--town', town];
  const input = machine.send ? collector() : undefined;
  const answer = await ask(machine, command, { ...options, input });
  if (answer.status === 'failed') return answer;
  const why = faultOf(answer.document);
  if (why !== null) return { status: 'failed', why };
  const snapshot = answer.document as Snapshot;
  return {
    status: 'ok',
    snapshot,
    clockDifferenceMs: clockDifference(snapshot.takenAtMs, answer.askedMs, answer.answeredMs),
    roundTripMs: answer.roundTripMs,
  };
};

/** Why a document cannot be judged as evidence here; null if it can. */
const faultOf = (document: unknown): string | null => {
  const { failure, snapshotVersion, version } = (document ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof failure === 'string') return failure;
  if (typeof snapshotVersion === 'number' && snapshotVersion !== SNAPSHOT_VERSION)
    return `its evidence has version ${snapshotVersion}${typeof version === 'string' ? ` (lock-doctor ${version})` : ''}, and this doctor reads version ${SNAPSHOT_VERSION}: install the same doctor on both`;
  const problem = problemOf(validateSnapshot, document);
  return problem === null ? null : `its answer is not evidence from a doctor: ${tellProblem(problem)}`;
};
