/** What runs in a tmux pane: it ends with the pane, and an editor's unsaved text is lost. Pure. */
import { programOf } from '../programs/classify.ts';
import { isShell } from '../programs/known-programs.ts';
import type { ProcessInfo, Snapshot, TmuxPane } from '../types/evidence.ts';
import { descendantsReader } from './machine-index.ts';

/** The pane's own process and all that run below it, in the foreground or not. */
export const processesIn = (pane: Pick<TmuxPane, 'pid'>, { machine }: Snapshot): readonly ProcessInfo[] => {
  const below = descendantsReader(machine.processes)(pane.pid);
  const inside = new Set([pane.pid, ...below.map(({ pid }) => pid)]);
  return machine.processes.list.filter(({ pid }) => inside.has(pid));
};

/** The command that shows the pane to whoever types it, in its session. */
export const attachTo = ({
  socket,
  id,
}: {
  readonly socket: string;
  readonly id: string;
}): readonly string[] => ['tmux', '-S', socket, 'attach-session', '-t', id];

const isShellAlone = ({ names }: ProcessInfo): boolean => names.length > 0 && names.every(isShell);

/** The names of the programs in this pane that are no shells, each once; empty where there are none. */
export const programsIn = (pane: TmuxPane, snapshot: Snapshot): readonly string[] => {
  const here = processesIn(pane, snapshot);
  const programs = here.filter((process) => !isShellAlone(process)).map(programOf);
  // Where the processes could not be seen, tmux tells what it shows.
  const shown = here.length > 0 || isShell(pane.command.replace(/^-/, '')) ? [] : [pane.command];
  return [...new Set([...programs, ...shown])];
};
