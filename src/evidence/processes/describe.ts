/** What is kept of one process: names, place and class. Arguments and environment are read here; only what they tell is kept. */
import { resolve } from 'node:path';
import { directoryGiven, roleByArguments, roleOfPrompt } from '../../core/programs/by-arguments.ts';
import { classifyNames, isListed, namesIn, notTheTool } from '../../core/programs/by-name.ts';
import { classifier } from '../../core/programs/classify.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type {
  GasTownEnvironment,
  Observed,
  ProcessInfo,
  ProcessRole,
  RegisteredSession,
} from '../../core/types/evidence.ts';
import { realpathSync } from '../../io/file-systems/servers.ts';
import { tryOr } from '../../io/try-or.ts';
import { withoutInherited } from '../tmux/gas-town-variables.ts';
import { givenArguments, isTeammate, processNames } from './process-names.ts';
import type { ProcessQuestion } from './question.ts';
import type { ProcessRow, ProcessTable } from './row.ts';
import { shellCodeOf } from './shell-code.ts';
import { isStartingPane, isTmuxServer } from './table.ts';

/** The live sessions that registries name for a process. */
export type SessionReader = (row: ProcessRow) => readonly RegisteredSession[];

/** Its kernel name need not be `tmux`: a server is called as its program was started. */
const TMUX_SERVER: ProcessRole = { class: 'infrastructure', why: 'tmux itself' };

export type Describe = (row: ProcessRow) => ProcessInfo;

export const describer = (
  table: ProcessTable,
  cwds: ReadonlyMap<number, Observed<string>>,
  { panePids, root, placeInTown }: ProcessQuestion,
  sessionsOf: SessionReader,
  startOf: (row: ProcessRow) => string | null,
): Describe => {
  const panes = new Set(panePids);
  const { rows, details } = table;
  /** Only where its paths are ours, as links lead elsewhere in another mount namespace. */
  const fileBehind = (script: string, pid: number): string | null => {
    const cwd = cwds.get(pid);
    if (!details.sharesOurPaths(pid) || (!script.startsWith('/') && cwd?.seen !== true)) return null;
    const path = cwd?.seen === true ? resolve(cwd.value, script) : script;
    return tryOr(() => realpathSync.native(path), null);
  };
  const namesOf = (row: ProcessRow): readonly string[] => {
    const { pid, comm } = row;
    // It will become any program.
    if (isStartingPane(row, rows)) return [notTheTool(comm)];
    return processNames(
      comm,
      details.argv(pid),
      () => details.executable(pid),
      (script) => fileBehind(script, pid),
    );
  };
  /** A directory outside of the town stays unnamed: arguments are not kept. */
  const sentTo = (given: string | null, cwd: Observed<string> | undefined): string | undefined => {
    if (given === null || (!given.startsWith('/') && cwd?.seen !== true)) return undefined;
    const path = cwd?.seen === true ? resolve(cwd.value, given) : resolve(given);
    const place = relativeTo(root, path) === null ? placeInTown?.(path, path) : path;
    return place == null || (cwd?.seen === true && place === cwd.value) ? undefined : place;
  };
  return (row) => {
    const [registered, ...others] = sessionsOf(row);
    const startedIn = startOf(row);
    const argv = details.argv(row.pid);
    const names = namesOf(row);
    const given = givenArguments(row.comm, argv);
    const cwd = cwds.get(row.pid);
    const place = sentTo(directoryGiven(names, given), cwd);
    // Any program can give itself the name of a server (prctl(2)).
    const isServer =
      isTmuxServer(row, rows) && /tm(ux|ate)[^/]*$/.test(details.executable(row.pid) ?? 'tmux');
    const role = isServer ? TMUX_SERVER : roleIn(row, names, given, details);
    const code = shellCodeOf(row, table);
    return {
      pid: row.pid,
      ppid: row.ppid,
      uid: details.uid(row.pid),
      names,
      startToken: row.startToken,
      startedAtMs: row.startedAtMs,
      ...(row.inForeground === true ? { inForeground: true } : {}),
      ...(role === undefined ? {} : { role }),
      ...(code === undefined ? {} : { code }),
      ...(wasLeftBehind(row, rows, namesOf) ? { leftBehind: true } : {}),
      ...(isTeammate(given) ? { teammate: true } : {}),
      ...(registered === undefined ? {} : { registered }),
      ...(others.length === 0 ? {} : { alsoRegistered: others }),
      ...(place === undefined ? {} : { sentTo: place }),
      ...(startedIn === null ? {} : { startedIn }),
      cwd: cwd ?? null,
      environment: panes.has(row.pid) ? ownEnvironment(row, table) : null,
    };
  };
};

/** What its arguments, and whether it reads a terminal, tell of a process. */
export const roleIn = (
  row: ProcessRow,
  names: readonly string[],
  given: readonly string[],
  { readsTerminal }: Pick<ProcessTable['details'], 'readsTerminal'>,
): ProcessRole | undefined =>
  roleByArguments(names, given) ??
  roleOfPrompt(names, given, () => row.inForeground === true && readsTerminal(row.pid) === true);

/** A tmux server that was started inside an agent's shell passes that agent's variables to every pane it makes. */
export const ownEnvironment = (
  pane: ProcessRow,
  { rows, details }: ProcessTable,
): GasTownEnvironment | null => {
  const environment = details.environment(pane.pid);
  const parent = rows.get(pane.ppid);
  const inherited =
    parent !== undefined && isTmuxServer(parent, rows) ? details.environment(parent.pid) : null;
  return environment === null || inherited === null ? environment : withoutInherited(environment, inherited);
};

/** Reads the environment of processes that no better evidence explains: Gas Town names its agents there, whatever they are called. */
export const askTheUnknown = (
  list: readonly ProcessInfo[],
  { details }: ProcessTable,
  { root, asker, ...vocabulary }: ProcessQuestion,
): readonly ProcessInfo[] => {
  const classify = classifier(new Map(list.map((process) => [process.pid, process])), vocabulary);
  return list.map((process) => {
    const { pid, cwd, names, role } = process;
    const isHere = cwd?.seen === true && relativeTo(root, cwd.value) !== null;
    if (process.environment !== null || !isHere || asker.pids.includes(pid)) return process;
    const found = classify(process).class;
    if (found === 'agent' || role?.class === 'infrastructure') return process;
    const environment = details.environment(pid);
    const words = namesIn(environment?.GT_PROCESS_NAMES);
    // Of a shell or an editor nothing else matters.
    return found === 'unknown' || names.some((name) => isListed(name, words))
      ? { ...process, environment }
      : process;
  });
};

type Rows = ReadonlyMap<number, ProcessRow>;

/** It leads no session and is in no foreground: no person sees it, and it was not detached on purpose to live on. */
const isInBackground = ({ pid, leader, inForeground }: ProcessRow): boolean =>
  leader !== undefined && leader !== 0 && leader !== pid && inForeground !== true;

/**
 * True where its parent belongs to another session. A process starts in its parent's session and only leaders leave it, so init
 * or a subreaper has taken it over. Where its session's leader is alive, whoever started it may be as well.
 */
const wasAdopted = ({ ppid, leader }: ProcessRow, rows: Rows): boolean => {
  const parent = rows.get(ppid);
  return parent !== undefined && parent.leader !== leader && rows.get(leader ?? 0)?.dead !== false;
};

const NO_WORDS = { agents: [] };

/**
 * True where this process was left behind, or belongs to a shell, a package manager or another bystander that was. False
 * also means that it could not be told.
 */
export const wasLeftBehind = (
  row: ProcessRow,
  rows: Rows,
  namesOf: (row: ProcessRow) => readonly string[],
): boolean => {
  // A process cannot be its own ancestor, but a table is read line by line while PIDs are reused.
  const seen = new Set<number>();
  let member = row;
  while (isInBackground(member) && !seen.has(member.pid)) {
    if (wasAdopted(member, rows)) return true;
    seen.add(member.pid);
    const parent = rows.get(member.ppid);
    if (parent === undefined || classifyNames(namesOf(parent), NO_WORDS)?.class !== 'bystander') return false;
    member = parent;
  }
  return false;
};
