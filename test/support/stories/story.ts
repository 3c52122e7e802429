/** What a story is, and the names that all of them share. */
import type { Snapshot, TmuxPane } from '../../../src/core/types/evidence.ts';
import { aPane, ROOT } from '../snapshot.ts';

/** A small town that shows one thing. Its name is its directory under `fixtures/towns/`. */
export interface Story {
  readonly name: string;
  /** What happened here, in one sentence. */
  readonly summary: string;
  readonly snapshot: Snapshot;
  /** Lock ID without its kind → state and notes, as a person who knows what happened would judge them. */
  readonly locks: Readonly<Record<string, string>>;
  /** IDs of the findings, in the order of the report. */
  readonly findings: readonly string[];
  readonly exit: number;
}

export const ADA = 'gastown/crew/ada';
export const BOB = 'gastown/crew/bob';
export const JOE = 'gastown/crew/joe';
export const NUX = 'gastown/polecats/nux';

/** Absolute path of a worker. */
export const at = (worker: string): string => `${ROOT}/${worker}`;

/** A pane whose agent has exited and left a shell. */
export const shellPane = (fields: Partial<TmuxPane> = {}): TmuxPane => aPane({ command: 'bash', ...fields });
