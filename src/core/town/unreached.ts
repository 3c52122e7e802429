/** Which tmux servers that did not answer, and which unlisted processes, are doubt, and in which words. */
import type { ProcessEvidence, TmuxEvidence, TmuxServer } from '../types/evidence.ts';

/** Why there may be a process that was not seen; null where the processes of all users are listed. */
export const whyUnlisted = (listing: ProcessEvidence['listing']): string | null => {
  if (!listing.seen) return `processes could not be listed: ${listing.why}`;
  return listing.value === 'all' ? null : "other users' processes are hidden from us";
};

/** True for a server of one of this town's users that did not answer and may show a pane of this town. */
export const isUnreached = ({ status, outsideTown, strangersUid }: TmuxServer): boolean =>
  status === 'failed' && !outsideTown && strangersUid === undefined;

/** An order of servers that does not depend on which of them answered first. */
export const bySocket = (one: TmuxServer, other: TmuxServer): number => (one.socket < other.socket ? -1 : 1);

/** The server that is named where some were not reached. */
export const firstUnreached = ({ servers }: TmuxEvidence): TmuxServer | undefined =>
  servers.filter(isUnreached).sort(bySocket)[0];

/** Why what runs under tmux is not known whole. Asked only where `tmuxAnswered` is false. */
export const whyUnreached = (tmux: TmuxEvidence): string => {
  if (!tmux.installed) return 'tmux is not installed here, so its sessions could not be read';
  const first = firstUnreached(tmux);
  if (first === undefined) return 'running tmux servers could not be counted';
  const { socket, pid, reason } = first;
  const name = pid === null || socket === `process ${pid}` ? socket : `${socket} (process ${pid})`;
  return `tmux server ${name} was not reached: ${reason ?? 'unknown reason'}`;
};
