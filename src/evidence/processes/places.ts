/** Working directories of processes, by the town's own names. */
import { MAX_ANCESTORS } from '../../core/pid.ts';
import { classifyNames, isAgentCommand } from '../../core/programs/by-name.ts';
import { relativeTo } from '../../core/town/roles.ts';
import type { Observed } from '../../core/types/evidence.ts';
import { otherNames } from './linux/other-names.ts';
import { processNames, runsScripts } from './process-names.ts';
import type { ProcessQuestion } from './question.ts';
import type { ProcessRow, ProcessTable } from './row.ts';
import { shellCodeOf } from './shell-code.ts';
import { treeBelow } from './table.ts';

/** Where macOS keeps its own programs and graphical ones: a few hundred processes, none of which works at a worker. */
const OF_THE_SYSTEM = /^\/(System|Applications|Library|usr\/libexec|usr\/sbin|sbin)\//;

/** Processes whose directory is looked up: all where a look is cheap (a readlink), else agents, those in panes, and unknown programs. */
export const cwdsWorthAsking = (
  running: readonly ProcessRow[],
  { rows, details }: ProcessTable,
  { pids, panePids, ...vocabulary }: ProcessQuestion,
): readonly number[] => {
  if (details.lookingIsCheap) return running.map(({ pid }) => pid);
  const trees = treeBelow(rows, panePids);
  const recorded = new Set(pids);
  const isWorthIt = (row: ProcessRow): boolean => {
    const { pid, comm } = row;
    if (trees.has(pid) || recorded.has(pid) || shellCodeOf(row, { rows, details }) !== undefined) return true;
    const argv = details.argv(pid);
    const named = classifyNames(processNames(comm, argv), vocabulary);
    return named === null ? !OF_THE_SYSTEM.test(argv[0] ?? '') : named.class === 'agent';
  };
  return running.filter(isWorthIt).map(({ pid }) => pid);
};

/** Gives processes under a bind mount or in a container of the town's directories the town's own names for their places. */
export const withTownPlaces = (
  cwds: ReadonlyMap<number, Observed<string>>,
  { rows, details }: ProcessTable,
  { pids, panePids, agents, root, placeInTown, treesOutside = [] }: ProcessQuestion,
): ReadonlyMap<number, Observed<string>> => {
  if (placeInTown === undefined) return cwds;
  const trees = treeBelow(rows, panePids);
  const recorded = new Set(pids);
  const { nameOf, serverAt } = otherNames([root, ...treesOutside], details);
  // An agent is looked at in any case, for no mount shows a directory whose mount was detached (umount -l).
  const isAgent = (pid: number): boolean => {
    const comm = rows.get(pid)?.comm ?? '';
    if (isAgentCommand([comm], agents)) return true;
    return runsScripts(comm) && isAgentCommand(processNames(comm, details.argv(pid)), agents);
  };
  const placed = new Map(cwds);
  for (const [pid, cwd] of cwds) {
    if (!cwd.seen || relativeTo(root, cwd.value) !== null) continue;
    const isOfInterest = (): boolean => trees.has(pid) || recorded.has(pid) || isAgent(pid);
    // Most services work in `/`.
    if (cwd.value === '/' && !isOfInterest()) continue;
    const named = nameOf(pid, cwd.value);
    if ((named === null && !isOfInterest()) || serverAt(pid, cwd.value) !== null) continue;
    const mounted = named === null || named === 'untold' ? null : (placeInTown(named, named) ?? named);
    const value = placeInTown(cwd.value, details.doorToCwd(pid) ?? cwd.value) ?? mounted;
    if (value !== null) placed.set(pid, { seen: true, value });
  }
  return placed;
};

/**
 * Where a process that hides its own working directory was started. The directory of a launcher is that of the agent it runs. A
 * shell says less: it stays where it is when `(cd elsewhere && codex)` becomes an agent. That is no place for an agent,
 * which then may be anywhere, but a hint where an unknown program is worth a doubt: few of those that hide are agents.
 */
export const startReader = (
  cwds: ReadonlyMap<number, Observed<string>>,
  { rows, details }: ProcessTable,
  { agents, placeInTown }: ProcessQuestion,
): ((row: ProcessRow) => string | null) => {
  const namesOf = ({ pid, comm }: ProcessRow): readonly string[] => processNames(comm, details.argv(pid));
  const placeOf = (row: ProcessRow): string | null => {
    const cwd = cwds.get(row.pid);
    if (cwd?.seen !== true) return null;
    return placeInTown?.(cwd.value, cwd.value) ?? cwd.value;
  };
  return (row) => {
    if (cwds.get(row.pid)?.seen !== false || row.leader === undefined) return null;
    const names = namesOf(row);
    const parent = rows.get(row.ppid);
    if (isAgentCommand(names, agents))
      return parent !== undefined && namesOf(parent).some((name) => names.includes(name))
        ? placeOf(parent)
        : null;
    let member = parent;
    for (let depth = 0; member?.leader === row.leader && depth < MAX_ANCESTORS; depth += 1) {
      const place = placeOf(member);
      if (place !== null) return place;
      member = rows.get(member.ppid);
    }
    return null;
  };
};
