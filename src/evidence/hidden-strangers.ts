/** Agents of other users of which it is not known where they work: which workers' directories their users may write to. */
import { join } from 'node:path';
import { isAgentCommand } from '../core/programs/by-name.ts';
import { remembering } from '../core/remembering.ts';
import type { ProcessEvidence, ProcessInfo } from '../core/types/evidence.ts';
import { mayWrite } from '../io/trust.ts';
import { unreadPids } from './registries/registry.ts';

/** Root may write anywhere, so that says nothing of it. */
const ROOT = 0;

/**
 * Adds to each such agent those of these workers in which it may be at work. Looks at no directory where there is no such agent, as
 * on nearly every machine.
 *
 * @param asker the user who asks, whose hidden processes count everywhere
 * @param agents commands to know besides the built-in ones
 */
export const withReachOfStrangers = (
  processes: ProcessEvidence,
  workers: () => Iterable<string>,
  {
    root,
    asker,
    agents,
  }: { readonly root: string; readonly asker: number; readonly agents: readonly string[] },
): ProcessEvidence => {
  const unread = unreadPids(processes.closedRegistries);
  const isHidden = ({ pid, cwd, names }: ProcessInfo): boolean =>
    unread.has(pid) || (cwd?.seen === false && isAgentCommand(names, agents));
  const isStranger = ({ uid }: ProcessInfo): boolean => uid !== null && uid !== ROOT && uid !== asker;
  if (!processes.list.some((process) => isStranger(process) && isHidden(process))) return processes;
  const places = [...new Set(workers())];
  const reachOf = remembering((uid: number) => places.filter((place) => mayWrite(join(root, place), uid)));
  return {
    ...processes,
    list: processes.list.map((process) => {
      if (!isStranger(process) || !isHidden(process)) return process;
      const mayWriteTo = reachOf(process.uid ?? ROOT);
      return mayWriteTo.length === 0 ? process : { ...process, mayWriteTo };
    }),
  };
};
