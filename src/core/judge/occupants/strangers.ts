/** Unknown programs at work in a worker's place: they may be agents, so they are doubt. */
import { canBeTaught } from '../../programs/by-name.ts';
import { programOf } from '../../programs/classify.ts';
import { directoryOf, isFrom, paneOf } from '../../town/machine-index.ts';
import type { PaneView, TownIndex, WorkerView } from '../../town/views.ts';
import type { Stranger } from '../../types/judgement.ts';
import { type AtWork, isAtPlaceOf, isHidden, listAtWork, worksAt } from './at-work.ts';

const TEACH = 'name it under "agents" or "bystanders" in lock-doctor.json';

/** For a process that hides even its name (hidepid), naming it in the configuration would not help. */
const HIDDEN = 'end it, or run doctor as root';

/** No name would tell this code from any other that the same shell or interpreter may run. */
const NAMELESS = 'end it, or put its code into a script';

/** What ends the doubt about a program: naming it, where a name tells it from others. */
const remedyFor = (program: string, names: readonly string[] = [program]): string => {
  if (names.length === 0) return HIDDEN;
  return canBeTaught(program) ? TEACH : NAMELESS;
};

const sentence = (who: string, where: string, remedy: string, place = 'in this directory'): string =>
  `${who} ${where} ${place} and may be an agent: ${remedy}`;

/** What a program at work is called in evidence. */
export const programAt = (program: string, pid: number): string => `${program} (process ${pid})`;

const inForegroundOf = ({ pane }: PaneView): string => `runs in the foreground of pane ${pane.id}`;

const strangerFor = ({ process, pids }: AtWork, index: TownIndex): Stranger => {
  const pane = paneOf(pids, index);
  const inForeground = process.inForeground === true;
  const where =
    pane === undefined
      ? `runs${inForeground ? ' in the foreground of a terminal' : ''}`
      : inForeground
        ? inForegroundOf(pane)
        : `runs in pane ${pane.pane.id}`;
  const program = programOf(process);
  if (isHidden(process)) {
    const text = sentence(
      programAt(program, process.pid),
      'was started',
      remedyFor(program, process.names),
      'in this directory, hides where it works,',
    );
    return { program, pid: process.pid, text };
  }
  const text = sentence(programAt(program, process.pid), where, remedyFor(program, process.names));
  return { program, pid: process.pid, text };
};

/** Panes that show an unknown program in this town, or that could be anywhere. */
const strangePanesOf = (index: TownIndex): readonly PaneView[] =>
  index.machine.panes.filter(
    (view) =>
      view.stranger !== null &&
      !view.pane.dead &&
      !view.asking &&
      (view.pane.path === null ? isNowhere(view, index) : view.path !== null),
  );

/** True where only tmux shows an unknown program here: its process works elsewhere by now, hides where, or is in another `/proc`. */
const isHere = ({ pane, path }: PaneView, worker: WorkerView, index: TownIndex): boolean =>
  pane.path === null || (path !== null && isAtPlaceOf(path, worker, index));

/** It could be at work anywhere: neither tmux nor its process tells where. */
const isNowhere = ({ pane, stranger, town }: PaneView, index: TownIndex): boolean => {
  const process = index.machine.processes.get(stranger?.pid ?? pane.pid);
  return town !== 'other' && (process === undefined || directoryOf(process) === null);
};

const isOwn = ({ pane, stranger }: PaneView, ownPid: number | null, index: TownIndex): boolean =>
  ownPid !== null && isFrom(stranger?.pid ?? pane.pid, ownPid, index);

const describePane = (view: PaneView): Stranger => {
  const { program = view.pane.command, pid = null } = view.stranger ?? {};
  const place = view.pane.path === null ? 'in a directory that could not be seen,' : undefined;
  return {
    program,
    pid,
    text: sentence(programAt(program, pid ?? view.pane.pid), inForegroundOf(view), remedyFor(program), place),
  };
};

const NONE: readonly never[] = [];

/** One for each unknown program at this worker's place; children of one are a part of it. */
export type StrangerReader = (worker: WorkerView, ownPid: number | null) => readonly Stranger[];

export const strangerReader = (index: TownIndex): StrangerReader => {
  const unknown = listAtWork('unknown', index).filter(({ paths }) => paths.length > 0);
  const strangePanes = strangePanesOf(index);
  return (worker, ownPid) => {
    if (unknown.length + strangePanes.length === 0) return NONE;
    const here = unknown.filter((one) => worksAt(one, worker, ownPid, index));
    if (here.length + strangePanes.length === 0) return NONE;
    const numbers = new Set(here.map(({ process }) => process.pid));
    const foremost = here.filter(({ pids }) => !pids.slice(1).some((pid) => numbers.has(pid)));
    const panes = strangePanes.filter(
      (view) =>
        isHere(view, worker, index) &&
        !isOwn(view, ownPid, index) &&
        !here.some(({ pids }) => pids.includes(view.pane.pid)),
    );
    return [...foremost.map((one) => strangerFor(one, index)), ...panes.map(describePane)];
  };
};
