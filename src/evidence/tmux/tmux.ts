/** tmux evidence: every server of this user, asked or accounted for. Reads only, starts nothing. */
import type { TmuxEvidence, TmuxPane, TmuxServer } from '../../core/types/evidence.ts';
import { findProgram } from '../../io/find-program.ts';
import { inParallel } from '../../io/in-parallel.ts';
import { withoutDeletedMark } from '../processes/proc-files.ts';
import { hasEnded, isTmuxServer, type ProcessTable } from '../processes/table.ts';
import { otherTownFinder } from '../town/other-town.ts';
import type { PaneRecord } from './format.ts';
import { findUnreached, type HiddenServer, worksOutside } from './hidden-servers.ts';
import { askServer, type ServerAnswer, type TmuxClient } from './server.ts';
import { type SocketCandidate, type SocketQuestion, socketCandidates } from './sockets.ts';

export { townSocketNames } from './sockets.ts';

export interface TmuxQuestion extends SocketQuestion {
  /** Nothing is to be shown or heard meanwhile: few servers may be waited for one after the other. */
  readonly quiet?: boolean;
  /** Milliseconds for each client call. */
  readonly timeoutMs: number;
  /** Read before: servers younger than it were not there when the question was asked. */
  readonly table: ProcessTable;
}

/** Answers that come sooner one after the other than execa is loaded, which asks at once (dead sockets count as well). */
const FEW = 3;

/** Clients at work at once: a stopped server holds its place for the whole of the timeout. */
const CLIENTS_AT_ONCE = 16;

/**
 * Asks all places at once, then looks among the processes for servers that none of them reached and asks these through
 * their own sockets. What could not be asked is a failed server, with its reason. Where there is neither a socket nor a
 * server process, nothing is run at all. Never throws for what it meets.
 */
export const askTmux = async (question: TmuxQuestion): Promise<TmuxEvidence> => {
  const { env, timeoutMs, table, root } = question;
  const describe = serverDescriber(root);
  const candidates = socketCandidates(question).filter((candidate) => mayHoldServers(candidate, question));
  const program = findProgram('tmux', env);
  const clientFor = (places: readonly unknown[]): TmuxClient => ({
    program,
    timeoutMs,
    env,
    alone: question.quiet === true && places.length <= FEW,
  });
  const client = clientFor(candidates.filter(({ presence }) => presence !== 'none'));
  const asked = await inParallel(candidates, CLIENTS_AT_ONCE, async (candidate) =>
    describe(candidate.path, candidate.origin, await askCandidate(candidate, client)),
  );
  const { known, hidden } = findUnreached(asked, question.uids, table);
  const found = await inParallel(hidden, CLIENTS_AT_ONCE, async (server) =>
    withPlace(
      describe(server.socket, 'process', await askHidden(server, clientFor(hidden))),
      server,
      question,
    ),
  );
  const servers = [...known, ...found].filter((server) => server !== null);
  return {
    installed: program !== null,
    servers: withoutDoubles(servers),
    enumerated: table.listing.seen,
  };
};

const askCandidate = async (candidate: SocketCandidate, client: TmuxClient): Promise<ServerAnswer> => {
  if (candidate.presence === 'none') return { status: 'absent', reason: 'no such socket' };
  if (candidate.presence === 'closed')
    return { status: 'failed', reason: candidate.why ?? 'is closed to us' };
  return askServer(candidate.path, client);
};

/** A closed directory of another user matters only while a tmux server of that user may run. */
const mayHoldServers = ({ uid, presence }: SocketCandidate, { table, uids }: TmuxQuestion): boolean => {
  if (presence !== 'closed' || uid === null || uid === uids[0]) return true;
  if (!table.listing.seen || table.listing.value !== 'all') return true;
  return [...table.rows.values()].some((row) => isTmuxServer(row) && table.details.uid(row.pid) === uid);
};

const askHidden = async (hidden: HiddenServer, client: TmuxClient): Promise<ServerAnswer> => {
  if (client.program === null) return { status: 'failed', reason: 'tmux is not installed' };
  if (hidden.obstacle !== null) return { status: 'failed', reason: hidden.obstacle };
  const answer = await askServer(hidden.socket, client);
  if (answer.status === 'absent')
    return { status: 'failed', reason: `process ${hidden.pid} does not listen there any more` };
  if (answer.status === 'ok' && answer.server.pid !== hidden.pid)
    return { status: 'failed', reason: `another server listens on the socket of process ${hidden.pid}` };
  return answer;
};

/** Null for a server that ended while it was asked: it holds nothing any more. */
const withPlace = async (
  server: TmuxServer,
  hidden: HiddenServer,
  { root, table }: TmuxQuestion,
): Promise<TmuxServer | null> => {
  if (server.status === 'ok') return server;
  if (hasEnded(hidden, table)) return null;
  const { pid } = hidden;
  return { ...server, pid, outsideTown: await worksOutside(root, pid, table) };
};

type DescribeServer = (socket: string, origin: TmuxServer['origin'], answer: ServerAnswer) => TmuxServer;

const serverDescriber = (root: string): DescribeServer => {
  const otherTownOf = otherTownFinder(root);
  const describePane = ({ path: shown, ...pane }: PaneRecord): TmuxPane => {
    // tmux passes on what /proc says of a directory that was removed: its users still work there.
    const path = shown === null ? null : withoutDeletedMark(shown);
    return {
      id: pane.paneId,
      sessionId: pane.sessionId,
      sessionName: pane.sessionName,
      sessionGroup: pane.sessionGroup,
      sessionCreatedMs: pane.sessionCreatedMs,
      pid: pane.pid,
      dead: pane.dead,
      command: pane.command,
      path,
      otherTown: path === null ? null : otherTownOf(path),
      environment: pane.environment,
    };
  };
  return (socket, origin, answer) => {
    const server = answer.status === 'ok' ? answer.server : null;
    return {
      socket,
      origin,
      status: answer.status,
      reason: answer.status === 'ok' ? null : answer.reason,
      pid: server?.pid ?? null,
      startedAtMs: server?.startedAtMs ?? null,
      sessions: server?.sessions ?? 0,
      panes: (server?.panes ?? []).map(describePane),
      outsideTown: false,
    };
  };
};

/** One server may be reached by several names of its socket. */
const withoutDoubles = (servers: readonly TmuxServer[]): readonly TmuxServer[] =>
  servers.filter(
    ({ status, pid, startedAtMs }, index) =>
      status !== 'ok' ||
      servers.findIndex(
        (other) => other.status === 'ok' && other.pid === pid && other.startedAtMs === startedAtMs,
      ) === index,
  );
