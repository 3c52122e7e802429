/** What shows that the holder of a lock lives, in words. */
import type { Verdict } from '../types/judgement.ts';

/** Of a lock that is held. */
export const describeLife = ({ occupants, reasons, facts }: Verdict): string => {
  const [first] = occupants;
  if (first !== undefined) return first.text;
  const source = reasons.includes('pane-live') || reasons.includes('session-live') ? 'tmux' : 'processes';
  return facts.find((fact) => fact.source === source)?.text ?? 'a live agent';
};
