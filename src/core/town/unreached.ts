/** Which tmux servers that did not answer are doubt. */
import type { TmuxServer } from '../types/evidence.ts';

/** True for a server of one of this town's users that did not answer and may show a pane of this town. */
export const isUnreached = ({ status, outsideTown, strangersUid }: TmuxServer): boolean =>
  status === 'failed' && !outsideTown && strangersUid === undefined;
