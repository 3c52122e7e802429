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

/** Why what runs under tmux is not known whole. Asked only where `tmuxAnswered` is false. */
export const whyUnreached = ({ installed, servers }: TmuxEvidence): string => {
  if (!installed) return 'tmux is not installed here, so its sessions could not be read';
  const [first] = servers.filter(isUnreached).sort(bySocket);
  return first === undefined
    ? 'running tmux servers could not be counted'
    : `tmux server ${first.socket} was not reached: ${first.reason ?? 'unknown reason'}`;
};
