/**
 * The asker's exemption (contract, section 3) is for those who want to start: a spawner, an agent's own start hook. An
 * agent that repairs its town (a patrol) wants to start nothing, and is alive like any other.
 */
import { isAgentCommand } from '../town/agent-commands.ts';
import type { Snapshot } from '../types/evidence.ts';

/** The same evidence where an agent that asks counts as what it is: only what it runs in order to ask does not. */
export const countingTheAsker = (snapshot: Snapshot): Snapshot => {
  const { asker, processes, town } = snapshot;
  const names = new Map(processes.list.map((process) => [process.pid, process.names]));
  const agent = asker.pids.findIndex((pid) => isAgentCommand(names.get(pid) ?? [], town.agents));
  return agent === -1 ? snapshot : { ...snapshot, asker: { pids: asker.pids.slice(0, agent), pane: null } };
};
