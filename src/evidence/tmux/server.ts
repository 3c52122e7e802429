/** Asks one tmux server for everything, bounded, and never starts one. */
import type { GasTownEnvironment } from '../../core/types/evidence.ts';
import { type Client, type CommandResult, complaintOf, runCommand } from '../../io/programs/command.ts';
import { callerUid } from '../../io/trust.ts';
import {
  cannotQuote,
  type FieldEnd,
  NO_SESSIONS,
  overviewCommand,
  type PaneRecord,
  parseOverview,
  parseSessionEnvironments,
  QUOTED,
  type ServerRecord,
  sessionEnvironmentCommand,
} from './format.ts';
import { gasTownVariables } from './gas-town-variables.ts';

export type ServerAnswer =
  | { readonly status: 'ok'; readonly server: ServerRecord }
  /** Nothing listens there. */
  | { readonly status: 'absent'; readonly reason: string }
  /** Something may listen there, but it did not answer the question. */
  | { readonly status: 'failed'; readonly reason: string };

/** tmux's messages where the socket is missing, and where it exists without a listener (3.3a; never translated). */
const ABSENT = /^(no server running on .*|error connecting to .* \(No such file or directory\))$/m;

/** The server ended while it answered: a second question tells whether one runs there now. */
const ENDED = /^(server exited|lost server)/m;

/** Messages of a client whose server has another version of tmux's protocol, or that is not installed. */
const OTHER_VERSION =
  /^(server exited|lost server|protocol version|unexpected answer|did not answer|tmux is not installed)/;

/** True where the tmux program that the server itself runs may get an answer. */
export const mayBeOtherVersion = (reason: string): boolean => OTHER_VERSION.test(reason);

/**
 * Asks the server behind a socket file, which must exist: without one, older clients would make its directory.
 * The panes in the answer have the variables that their own session sets, not those that the server gives to every session.
 */
export const askServer = async (socket: string, client: Client): Promise<ServerAnswer> => {
  const answer = await askOnce(socket, client);
  return answer.status === 'failed' && ENDED.test(answer.reason) ? askOnce(socket, client) : answer;
};

/** A text that nobody who names a session or directory can guess. It need not stay secret. */
const makeMark = (): string => `${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`;

const askOnce = async (socket: string, client: Client, end: FieldEnd = QUOTED): Promise<ServerAnswer> => {
  const mark = makeMark();
  const result = await runClient(socket, overviewCommand(mark, end), client);
  if (result.status === 'missing') return { status: 'failed', reason: 'tmux is not installed' };
  const complaint = result.status === 'failed' ? result.stderr : '';
  if (ABSENT.test(complaint)) return { status: 'absent', reason: 'no server runs there' };
  if (result.status !== 'ok' && !(result.status === 'failed' && NO_SESSIONS.test(complaint)))
    return { status: 'failed', reason: complaintOf(result) };
  const server = parseOverview(result.stdout, mark, complaint, end);
  if (server === null && end === QUOTED && cannotQuote(result.stdout, mark))
    return askOnce(socket, client, makeMark());
  if (server === null) return { status: 'failed', reason: 'unexpected answer' };
  return { status: 'ok', server: await withOwnEnvironments(server, socket, client) };
};

const withOwnEnvironments = async (
  server: ServerRecord,
  socket: string,
  client: Client,
): Promise<ServerRecord> => {
  const suspects = [
    ...new Set(server.panes.filter((pane) => mayInherit(pane, server)).map((pane) => pane.sessionId)),
  ];
  if (suspects.length === 0) return server;
  const mark = makeMark();
  const result = await runClient(socket, sessionEnvironmentCommand(suspects, mark), client);
  const own = result.status === 'ok' ? parseSessionEnvironments(result.stdout, suspects, mark) : null;
  return {
    ...server,
    panes: server.panes.map((pane) => ({
      ...pane,
      environment: ownEnvironment(pane, server.globals, own?.get(pane.sessionId) ?? {}),
    })),
  };
};

const mayInherit = ({ environment }: PaneRecord, { globals }: ServerRecord): boolean =>
  Object.entries(globals).some(([name, value]) => environment[name as keyof GasTownEnvironment] === value);

/** A value that equals the server's counts only where the session sets it as well. */
const ownEnvironment = (
  { environment }: PaneRecord,
  globals: GasTownEnvironment,
  session: GasTownEnvironment,
): GasTownEnvironment =>
  gasTownVariables((name) =>
    environment[name] === globals[name] && session[name] !== environment[name]
      ? undefined
      : environment[name],
  );

/**
 * `-u`: without it a client in the C locale (cron) turns non-ASCII characters into `_`. tmux gets only the variables that it
 * needs to run, and another user's client not even our HOME. Our own `TMUX` is not passed on.
 */
const runClient = async (
  socket: string,
  command: readonly string[],
  { program, timeoutMs, env, few, as = callerUid() }: Client,
): Promise<CommandResult> => {
  const { PATH, HOME, LANG, LC_ALL, LC_CTYPE } = env;
  return runCommand(program, ['-u', '-S', socket, ...command], {
    timeoutMs,
    env: { PATH, HOME: as === callerUid() ? HOME : undefined, LANG, LC_ALL, LC_CTYPE },
    few,
    as,
  });
};
