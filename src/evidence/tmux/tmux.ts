/** tmux evidence: every server of the users that count, asked or with the reason why not. Reads only, never starts a server. */
import type { TmuxEvidence } from '../../core/types/evidence.ts';
import { tmuxServersOf } from '../processes/table.ts';
import type { TmuxQuestion } from './ask-servers.ts';
import { findTmux } from './find-tmux.ts';
import { socketCandidates } from './sockets.ts';

export type { TmuxQuestion } from './ask-servers.ts';
export { townSocketNames } from './sockets.ts';

/**
 * Asks all places at once, then looks among the processes for servers that none of them reached and asks these through
 * their own sockets. One that could not be asked is a failed server, with the reason, and so is a stranger's that may have a
 * session of this town. Where there is neither a socket nor a server process, nothing is run at all, and nothing is loaded that
 * asks. Never throws for what it meets.
 */
export const askTmux = async (question: TmuxQuestion): Promise<TmuxEvidence> => {
  const { env, table, sessionsIn } = question;
  const places = socketCandidates(question);
  // Strangers' servers matter only where they may have a session that a lock names.
  const uids = sessionsIn.length > 0 ? null : question.uids;
  if (places.length === 0 && tmuxServersOf(uids, table).length === 0)
    return { installed: findTmux(env) !== null, servers: [], enumerated: table.listing.seen };
  const { askServers } = await import('./ask-servers.ts');
  return askServers(question, places);
};
