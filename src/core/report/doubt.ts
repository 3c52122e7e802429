/** What was missing for a judgement, in one sentence. */
import type { Reason, Verdict } from '../types/judgement.ts';

const DOUBTS_ABOUT_PROCESSES: readonly Reason[] = [
  'process-unknown',
  'process-shared',
  'other-system',
  'file-unknown',
  'git-unknown',
];

/** The fact that left a lock undecided: tmux not reached, a process not looked up, or agents that could be unseen. */
export const doubtOf = ({ facts, reasons, strangers }: Verdict): string => {
  // Of several doubts, the one that the reader can settle.
  const [stranger] = strangers;
  if (stranger !== undefined) return stranger.text;
  const source = reasons.includes('network-disk')
    ? 'host'
    : reasons.includes('session-unknown')
      ? 'tmux'
      : DOUBTS_ABOUT_PROCESSES.some((reason) => reasons.includes(reason))
        ? 'processes'
        : 'occupants';
  return (facts.find((fact) => fact.source === source) ?? facts[0])?.text ?? 'evidence is missing';
};
