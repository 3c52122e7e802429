/** Which tmux servers that did not answer are doubt. */
import type { TmuxServer } from '../types/evidence.ts';

/** True for a server that did not answer and may show a pane of this town. */
export const isUnreached = ({ status, outsideTown }: TmuxServer): boolean =>
  status === 'failed' && !outsideTown;
