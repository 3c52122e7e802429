/** Asks tmux servers for everything that they have. A part of its own, because many machines run no server. */
import type { TmuxEvidence, TmuxPane, TmuxServer } from '../../core/types/evidence.ts';
import { type Client, isFew } from '../../io/programs/command.ts';
import { inParallel } from '../../io/programs/in-parallel.ts';
import { isRefused } from '../../io/programs/unix-refusal.ts';
import { callerUid } from '../../io/trust.ts';
import { withoutDeletedMark } from '../processes/linux/proc-files.ts';
import type { ProcessTable } from '../processes/row.ts';
import { hasEnded, isTmuxServer, tmuxServersOf } from '../processes/table.ts';
import { otherTownFinder } from '../town/place.ts';
import { findTmux } from './find-tmux.ts';
import type { PaneRecord } from './format.ts';
import { findUnreached, type HiddenServer, mayHaveSessions, worksOutside } from './hidden-servers.ts';
import { asSeenFromHere, numberThere } from './other-namespaces.ts';
import { confinementOf, type Permission, permissionToAsk, programOfServer } from './permission.ts';
import { askServer, mayBeOtherVersion, type ServerAnswer } from './server.ts';
import type { SocketCandidate, SocketQuestion } from './sockets.ts';

export interface TmuxQuestion extends SocketQuestion {
  /** The caller shows nothing and handles no signal meanwhile, so a few servers may be asked in blocking calls. */
  readonly quiet?: boolean;
  /** Milliseconds for each client call. */
  readonly timeoutMs: number;
  /** The process table, read before: servers that are younger did not exist when the question was asked. */
  readonly table: ProcessTable;
  /** Absolute paths of the directories whose locks name a session. Where there are any, strangers' servers matter too. */
  readonly sessionsIn: readonly string[];
}

const NOBODY_LISTENS: ServerAnswer = { status: 'absent', reason: 'no server runs there' };

/** Clients that run at once. A stopped server occupies one of them until the timeout. */
const CLIENTS_AT_ONCE = 16;

/**
 * Asks all places at once, then looks among the processes for servers that none of them reached and asks these through
 * their own sockets. One that could not be asked is a failed server, with the reason, and so is a stranger's that may have a
 * session of this town. Where there is neither a socket nor a server process, nothing is run at all. Never throws for what it
 * meets.
 */
export const askServers = async (
  question: TmuxQuestion,
  places: readonly SocketCandidate[],
): Promise<TmuxEvidence> => {
  const { env, timeoutMs, table, root, sessionsIn } = question;
  const otherTownOf = otherTownFinder(root);
  const describe = serverDescriber(otherTownOf);
  const candidates = places
    .map((candidate): AskableSocket => ({ ...candidate, permission: permissionFor(candidate, question) }))
    .filter((candidate) => mayHoldServers(candidate, question));
  const dead = await refusedAmong(candidates, question);
  const program = findTmux(env);
  const clientFor = (places: readonly unknown[]): Client => ({
    program,
    timeoutMs,
    env,
    few: isFew(places.length) ? (question.quiet === true ? 'waiting' : 'listening') : undefined,
  });
  const client = clientFor(candidates.filter((each) => each.presence !== 'none' && !dead.has(each)));
  const asked = await inParallel(candidates, CLIENTS_AT_ONCE, async (candidate) =>
    describe(
      candidate.path,
      candidate.origin,
      dead.has(candidate) ? NOBODY_LISTENS : await askCandidate(candidate, client),
    ),
  );
  const whose = sessionsIn.length > 0 ? 'all' : 'ours';
  const { known, hidden, apart } = findUnreached(asked, question.uids, table, whose);
  const again = await inParallel(known, CLIENTS_AT_ONCE, async (server) => {
    const here = apart.get(server);
    if (here !== undefined) return asSeenFromHere(server, here, table, otherTownOf);
    const answer = await askWithItsProgram(server, clientFor(known), question);
    return answer?.status === 'ok' ? describe(server.socket, server.origin, answer) : server;
  });
  const found = await inParallel(hidden, CLIENTS_AT_ONCE, async (server) => {
    const answer = describe(server.socket, 'process', await askHidden(server, clientFor(hidden), question));
    return answer.status === 'ok'
      ? asSeenFromHere(answer, server, table, otherTownOf)
      : withPlace(answer, server, question);
  });
  const servers = [...again, ...found].filter((server) => server !== null);
  return {
    installed: program !== null || servers.some(({ status }) => status === 'ok'),
    servers: withoutDoubles(servers),
    enumerated: table.listing.seen,
  };
};

interface AskableSocket extends SocketCandidate {
  /** Null where there is no socket that could be asked. */
  readonly permission: Permission | null;
}

const permissionFor = ({ presence, path }: SocketCandidate, { uids }: TmuxQuestion): Permission | null =>
  presence === 'socket' ? permissionToAsk(path, uids) : null;

/**
 * The sockets of our own on which nobody listens, by the kernel's word, which is also what a client would answer: a killed server
 * leaves its socket for ever. Nothing is tried where each socket may have its server, which is the usual case.
 */
const refusedAmong = async (
  candidates: readonly AskableSocket[],
  { uids, table }: TmuxQuestion,
): Promise<ReadonlySet<AskableSocket>> => {
  const us = callerUid();
  const own = candidates.filter(({ permission }) => permission !== null && permission.as === us);
  if (own.length <= tmuxServersOf(uids, table).length) return new Set();
  const dead = new Set<AskableSocket>();
  await Promise.all(
    own.map(async (candidate) => {
      if (await isRefused(candidate.path)) dead.add(candidate);
    }),
  );
  return dead;
};

const askCandidate = async (
  { presence, path, why, permission }: AskableSocket,
  client: Client,
): Promise<ServerAnswer> => {
  if (presence === 'none') return { status: 'absent', reason: 'no such socket' };
  if (permission === null) return { status: 'failed', reason: why ?? 'permission denied' };
  if (permission.as === null) return { status: 'failed', reason: permission.why };
  return askServer(path, { ...client, as: permission.as });
};

/** True where a closed place may hold servers: a named one always, another user's only while a tmux server of theirs may run. */
const mayHoldServers = (
  { uid, presence, origin, permission }: AskableSocket,
  { table, uids }: TmuxQuestion,
): boolean => {
  const owner = permission?.as === null ? permission.owner : presence === 'closed' ? uid : null;
  if (owner === null || owner === uids[0] || origin === 'flag' || origin === 'env') return true;
  if (!table.listing.seen || table.listing.value !== 'all') return true;
  return [...table.rows.values()].some(
    (row) => isTmuxServer(row, table.rows) && table.details.uid(row.pid) === owner,
  );
};

/** Asks a server that did not understand our client with the program that the server itself runs. */
const askWithItsProgram = async (
  { status, reason, socket, pid }: Pick<TmuxServer, 'status' | 'reason' | 'socket' | 'pid'>,
  client: Client,
  { uids, table }: Pick<TmuxQuestion, 'uids' | 'table'>,
): Promise<ServerAnswer | null> => {
  if (status !== 'failed' || pid === null || !mayBeOtherVersion(reason ?? '')) return null;
  const { as } = permissionToAsk(socket, uids);
  const program = as === null ? null : programOfServer(pid, as, client.program, table);
  return as === null || program === null ? null : askServer(socket, { ...client, program, as });
};

const askHidden = async (
  hidden: HiddenServer,
  client: Client,
  { uids, table }: TmuxQuestion,
): Promise<ServerAnswer> => {
  const { socket, pid, obstacle } = hidden;
  if (obstacle !== null) return { status: 'failed', reason: obstacle };
  const permission = permissionToAsk(socket, uids);
  if (permission.as === null) return { status: 'failed', reason: permission.why };
  if (permission.as !== table.details.uid(pid))
    return { status: 'failed', reason: `process ${pid} and its socket belong to different users: not asked` };
  const confinement = confinementOf(pid);
  if (confinement !== null) return { status: 'failed', reason: confinement };
  const first = await askServer(socket, { ...client, as: permission.as });
  const described = { status: first.status, reason: reasonOf(first), socket, pid };
  const answer = (await askWithItsProgram(described, client, { uids, table })) ?? first;
  if (answer.status === 'absent')
    return { status: 'failed', reason: `process ${pid} does not listen there any more` };
  if (answer.status === 'ok' && answer.server.pid !== numberThere(pid, table))
    return { status: 'failed', reason: `another server listens on the socket of process ${pid}` };
  return answer;
};

const reasonOf = (answer: ServerAnswer): string | null => (answer.status === 'ok' ? null : answer.reason);

/** A server that did not answer. Null where it ended while it was asked, and for a stranger's that has nothing of this town. */
const withPlace = async (
  server: TmuxServer,
  hidden: HiddenServer,
  { root, table, uids, sessionsIn }: TmuxQuestion,
): Promise<TmuxServer | null> => {
  if (hasEnded(hidden, table)) return null;
  const { pid, startedAtMs, strangersUid } = hidden;
  if (strangersUid === undefined)
    return { ...server, pid, outsideTown: await worksOutside(root, pid, table) };
  const matters = await mayHaveSessions(hidden, uids, { root, directories: sessionsIn }, table);
  return matters ? { ...server, pid, startedAtMs, strangersUid } : null;
};

type DescribeServer = (socket: string, origin: TmuxServer['origin'], answer: ServerAnswer) => TmuxServer;

const serverDescriber = (otherTownOf: (path: string) => string | null): DescribeServer => {
  const describePane = ({ path: shown, ...pane }: PaneRecord): TmuxPane => {
    // tmux passes on /proc's suffix of a removed directory: its users still work there.
    const path = shown === null ? null : withoutDeletedMark(shown);
    return {
      id: pane.paneId,
      sessionId: pane.sessionId,
      sessionName: pane.sessionName,
      windowId: pane.windowId,
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
      reason: reasonOf(answer),
      pid: server?.pid ?? null,
      startedAtMs: server?.startedAtMs ?? null,
      sessions: server?.sessions ?? 0,
      panes: (server?.panes ?? []).map(describePane),
      outsideTown: false,
    };
  };
};

/** Each server once: it may be reached by several names of its socket. */
const withoutDoubles = (servers: readonly TmuxServer[]): readonly TmuxServer[] =>
  servers.filter(
    ({ status, pid, startedAtMs }, index) =>
      status !== 'ok' ||
      servers.findIndex(
        (other) => other.status === 'ok' && other.pid === pid && other.startedAtMs === startedAtMs,
      ) === index,
  );
