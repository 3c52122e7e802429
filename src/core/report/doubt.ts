/** What was missing for a judgement, in one sentence. */
import type { Fact, Undecided, Verdict } from '../types/judgement.ts';

/** Whose facts say what is missing; of several reasons the first in this order counts. */
const SOURCES: Readonly<Record<Undecided, Fact['source']>> = {
  'network-disk': 'host',
  'session-unknown': 'tmux',
  'process-unknown': 'processes',
  'process-shared': 'processes',
  'other-system': 'processes',
  'file-unknown': 'processes',
  'git-unknown': 'processes',
  'occupants-unknown': 'occupants',
  'flock-unknown': 'processes',
  'not-refreshed': 'clock',
};

/** The fact that left a lock undecided: tmux not reached, a process not looked up, or agents that could be unseen. */
export const doubtOf = ({ facts, reasons, strangers }: Verdict): string => {
  // Of several doubts, the one that the reader can settle.
  const [stranger] = strangers;
  if (stranger !== undefined) return stranger.text;
  const [, source] = Object.entries(SOURCES).find(([reason]) => reasons.some((one) => one === reason)) ?? [];
  return (facts.find((fact) => fact.source === source) ?? facts[0])?.text ?? 'evidence is missing';
};
