/** Who is seen in a worker's place and is no agent: programs that nobody knows, which are doubt, and those that are nobody. */
import { programOf } from '../../programs/classify.ts';
import { lineage } from '../../town/machine-index.ts';
import { relativeTo } from '../../town/roles.ts';
import type { PaneView, TownIndex, WorkerView } from '../../town/views.ts';
import type { Stranger } from '../../types/judgement.ts';
import { type AtWork, isAtPlaceOf, listAtWork, worksAt } from './at-work.ts';

const TEACH = 'name it under "agents" or "bystanders" in lock-doctor.json';

const sentence = (who: string, where: string, place = 'in this directory'): string =>
  `${who} ${where} ${place}, and the doctor does not know it: ${TEACH}`;

const who = (program: string, pid: number): string => `${program} (process ${pid})`;

const inForegroundOf = ({ pane }: PaneView): string => `runs in the foreground of pane ${pane.id}`;

const describe = ({ process, pids }: AtWork, index: TownIndex): Stranger => {
  const pane = pids.map((pid) => index.machine.paneByPid.get(pid)).find((view) => view !== undefined);
  const inForeground = process.inForeground === true;
  const where =
    pane === undefined
      ? `runs${inForeground ? ' in the foreground of a terminal' : ''}`
      : inForeground
        ? inForegroundOf(pane)
        : `runs in pane ${pane.pane.id}`;
  const program = programOf(process);
  return { program, pid: process.pid, text: sentence(who(program, process.pid), where) };
};

/** What only tmux shows: its process works elsewhere by now, hides where it works, or lives behind another `/proc`. */
const isStrangerPane = (view: PaneView, worker: WorkerView, index: TownIndex): boolean =>
  view.stranger !== null &&
  !view.pane.dead &&
  !view.asking &&
  (view.pane.path === null
    ? isNowhere(view, index)
    : view.path !== null && isAtPlaceOf(view.path, worker, index));

/** It could be at work anywhere: neither tmux nor its process tells where. */
const isNowhere = ({ pane, stranger, town }: PaneView, index: TownIndex): boolean =>
  town !== 'other' && index.machine.processes.get(stranger?.pid ?? pane.pid)?.cwd?.seen !== true;

const isOwn = ({ pane, stranger }: PaneView, ownPid: number | null, index: TownIndex): boolean =>
  ownPid !== null && [...lineage(stranger?.pid ?? pane.pid, index)].includes(ownPid);

const describePane = (view: PaneView): Stranger => {
  const { program = view.pane.command, pid = null } = view.stranger ?? {};
  const place = view.pane.path === null ? 'and nobody can tell in which directory' : undefined;
  return { program, pid, text: sentence(who(program, pid ?? view.pane.pid), inForegroundOf(view), place) };
};

const NONE: readonly Stranger[] = [];

/** One for each program at this worker's place that nobody knows; children of one are a part of it. */
export type StrangerReader = (worker: WorkerView, ownPid: number | null) => readonly Stranger[];

export const strangerReader = (index: TownIndex): StrangerReader => {
  const unknown = listAtWork('unknown', index).filter(({ paths }) => paths.length > 0);
  const strangePanes = index.machine.panes.filter(({ stranger }) => stranger !== null);
  return (worker, ownPid) => {
    if (unknown.length + strangePanes.length === 0) return NONE;
    const here = unknown.filter((one) => worksAt(one, worker, ownPid, index));
    const numbers = new Set(here.map(({ process }) => process.pid));
    const foremost = here.filter(({ pids }) => !pids.slice(1).some((pid) => numbers.has(pid)));
    const panes = strangePanes.filter(
      (view) =>
        isStrangerPane(view, worker, index) &&
        !isOwn(view, ownPid, index) &&
        !here.some(({ pids }) => pids.includes(view.pane.pid)),
    );
    return [...foremost.map((one) => describe(one, index)), ...panes.map(describePane)];
  };
};

/** As many as fit a line; nobody needs the rest. */
const MAX_NAMED = 5;

/** One sentence that names who is seen at a worker's place and does not count; null where there is none. */
export type BystanderReader = (
  worker: WorkerView,
  /** Panes of which the evidence tells already. */
  told: readonly PaneView[],
) => string | null;

export const bystanderReader = (index: TownIndex): BystanderReader => {
  const { asker, processes } = index.machine.seen;
  const { town } = index.snapshot;
  const nobodies = processes.list.flatMap((process) => {
    const { pid, cwd } = process;
    const { class: kind, why } = index.machine.classify(process);
    if (kind === 'agent' || kind === 'unknown' || asker.pids.includes(pid)) return [];
    const path = cwd?.seen === true ? relativeTo(town.root, cwd.value) : null;
    return path === null ? [] : [{ path, pid, text: `${who(programOf(process), pid)}, ${why}` }];
  });
  return (worker, told) => {
    if (nobodies.length === 0) return null;
    const shown = new Set(told.map(({ pane }) => pane.pid));
    const here = nobodies.filter(
      ({ path, pid }) =>
        isAtPlaceOf(path, worker, index) && ![...lineage(pid, index)].some((one) => shown.has(one)),
    );
    if (here.length === 0) return null;
    const named = here.slice(0, MAX_NAMED).map(({ text }) => text);
    const more = here.length - named.length;
    return `not counted as agents: ${named.join('; ')}${more === 0 ? '' : `; and ${more} more`}`;
  };
};
