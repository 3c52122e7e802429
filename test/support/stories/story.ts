/** What a story is, and the few names that all of them share. */
import type { Snapshot, TmuxPane } from '../../../src/core/types/evidence.ts';
import { aPane, ROOT } from '../snapshot.ts';

/** One small town with one thing to be right about. Its name is its directory under `fixtures/towns/`. */
export interface Story {
  readonly name: string;
  /** One sentence: what happened here. */
  readonly tells: string;
  readonly snapshot: Snapshot;
  /** Lock id less its kind → state and notes, as a person would judge them who knows what happened. */
  readonly locks: Readonly<Record<string, string>>;
  /** Ids of the findings, in the order of the report. */
  readonly findings: readonly string[];
  readonly exit: number;
}

export const ADA = 'gastown/crew/ada';
export const BOB = 'gastown/crew/bob';
export const JOE = 'gastown/crew/joe';
export const NUX = 'gastown/polecats/nux';

/** Absolute path of a worker. */
export const at = (worker: string): string => `${ROOT}/${worker}`;

/** A pane in which the agent is gone and the shell is left. */
export const shellPane = (fields: Partial<TmuxPane> = {}): TmuxPane => aPane({ command: 'bash', ...fields });
