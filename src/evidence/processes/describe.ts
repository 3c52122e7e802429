/** What is kept of one process: names, place and class. Arguments and environment are read here; only what they tell is kept. */
import { roleByArguments } from '../../core/programs/by-arguments.ts';
import { classifier } from '../../core/programs/classify.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type {
  GasTownEnvironment,
  Observed,
  ProcessInfo,
  ProcessRole,
  RegisteredSession,
} from '../../core/types/evidence.ts';
import { withoutInherited } from '../tmux/gas-town-variables.ts';
import { wasLeftBehind } from './left-behind.ts';
import { givenArguments, isTeammate, processNames } from './process-names.ts';
import type { ProcessQuestion } from './question.ts';
import type { ProcessRow, ProcessTable } from './row.ts';
import { isTmuxServer } from './table.ts';

/** The live sessions that registries name for a process. */
export type SessionReader = (row: ProcessRow) => readonly RegisteredSession[];

/** Its kernel name need not be `tmux`: a server is called as its program was started. */
const TMUX_SERVER: ProcessRole = { class: 'infrastructure', why: 'tmux itself' };

export type Describe = (row: ProcessRow) => ProcessInfo;

export const describer = (
  table: ProcessTable,
  cwds: ReadonlyMap<number, Observed<string>>,
  panes: ReadonlySet<number>,
  sessionsOf: SessionReader,
): Describe => {
  const { rows, details } = table;
  const namesOf = ({ pid, comm }: ProcessRow): readonly string[] => processNames(comm, details.argv(pid));
  return (row) => {
    const [registered, ...others] = sessionsOf(row);
    const argv = details.argv(row.pid);
    const names = processNames(row.comm, argv);
    const given = givenArguments(row.comm, argv);
    const role = isTmuxServer(row, rows) ? TMUX_SERVER : roleByArguments(names, given);
    return {
      pid: row.pid,
      ppid: row.ppid,
      uid: details.uid(row.pid),
      names,
      startToken: row.startToken,
      startedAtMs: row.startedAtMs,
      ...(row.inForeground === true ? { inForeground: true } : {}),
      ...(role === undefined ? {} : { role }),
      ...(wasLeftBehind(row, rows, namesOf) ? { leftBehind: true } : {}),
      ...(isTeammate(given) ? { teammate: true } : {}),
      ...(registered === undefined ? {} : { registered }),
      ...(others.length === 0 ? {} : { alsoRegistered: others }),
      cwd: cwds.get(row.pid) ?? null,
      environment: panes.has(row.pid) ? ownEnvironment(row, table) : null,
    };
  };
};

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

/** Reads the environment of processes that nothing else explains: Gas Town names its agents there. */
export const askTheUnknown = (
  list: readonly ProcessInfo[],
  { details }: ProcessTable,
  { root, asker, ...vocabulary }: ProcessQuestion,
): readonly ProcessInfo[] => {
  const classify = classifier(new Map(list.map((process) => [process.pid, process])), vocabulary);
  return list.map((process) => {
    const { pid, cwd, environment } = process;
    const isHere = cwd?.seen === true && relativeTo(root, cwd.value) !== null;
    if (environment !== null || !isHere || asker.pids.includes(pid)) return process;
    const found = classify(process).class;
    return found === 'unknown' || found === 'left-behind'
      ? { ...process, environment: details.environment(pid) }
      : process;
  });
};
