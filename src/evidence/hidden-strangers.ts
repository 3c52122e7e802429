/** Agents of other users that hide where they work: which workers' directories their users may write to. */
import { join } from 'node:path';
import { isAgentCommand } from '../core/programs/by-name.ts';
import type { ProcessEvidence } from '../core/types/evidence.ts';
import { mayWrite } from '../io/trust.ts';

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
  const strangers = processes.list.flatMap(({ uid, cwd, names }) =>
    uid !== null && uid !== ROOT && uid !== asker && cwd?.seen === false && isAgentCommand(names, agents)
      ? [uid]
      : [],
  );
  if (strangers.length === 0) return processes;
  const places = [...new Set(workers())];
  const within = new Map(
    [...new Set(strangers)].map((uid) => [uid, places.filter((place) => mayWrite(join(root, place), uid))]),
  );
  return {
    ...processes,
    list: processes.list.map((process) => {
      const mayWriteTo = process.cwd?.seen === false ? (within.get(process.uid ?? ROOT) ?? []) : [];
      return mayWriteTo.length === 0 ? process : { ...process, mayWriteTo };
    }),
  };
};
