/**
 * The asker's exemption (contract, section 3) is for those who want to start: a spawner, an agent's own start hook. An
 * agent that repairs its town (a patrol) wants to start nothing, and is alive like any other.
 */
import { classifier } from '../programs/classify.ts';
import { relativeTo } from '../town/roles.ts';
import type { ProcessInfo, Snapshot } from '../types/evidence.ts';

/**
 * The same evidence, in which an agent that asks counts like any other, and so does an unknown program that asks. Only what
 * it runs in order to ask is left out.
 */
export const countingTheAsker = (snapshot: Snapshot): Snapshot => {
  const { machine, town } = snapshot;
  const { asker, processes } = machine;
  const known = new Map(processes.list.map((process) => [process.pid, process]));
  const classify = classifier(known, town);
  const agent = asker.pids.findIndex((pid, depth) => {
    const process = known.get(pid);
    if (process === undefined) return false;
    const { class: kind } = classify(process);
    return kind === 'agent' || (kind === 'unknown' && depth > 0 && isInTown(process, town.root));
  });
  if (agent === -1) return snapshot;
  return { ...snapshot, machine: { ...machine, asker: { pids: asker.pids.slice(0, agent), pane: null } } };
};

const isInTown = ({ cwd }: ProcessInfo, root: string): boolean =>
  cwd?.seen === true && relativeTo(root, cwd.value) !== null;
