import { isAbsolute, join } from 'node:path';
import { builtInChecks } from '../../checks/index.ts';
import { planRepair } from '../core/plan.ts';
import { runCheck } from '../core/run-checks.ts';
import type { PreflightReport } from '../core/types/report.ts';
import { type LookOptions, lookAtWorker } from '../look.ts';
import { preflight } from '../preflight.ts';
import { carryOut } from '../repair/carry-out.ts';
import { quoteCommand } from '../reporters/screen/shell-quote.ts';

/**
 * `preflight --fix`: releases, of the workers that answered `repair`, what `--fix` releases without being asked, and
 * answers again. What was done stands in the second answer's message.
 */
export const releaseAndAskAgain = async (
  first: PreflightReport,
  workers: readonly string[],
  options: LookOptions,
  signal: AbortSignal | null,
): Promise<PreflightReport> => {
  const root = first.town?.root ?? '/';
  const done = new Map<string, string>();
  for (const { worker, answer } of first.results)
    if (answer === 'repair' && signal?.aborted !== true)
      done.set(worker, await release(worker, root, options, signal));
  const second = await preflight(root, workers, options);
  return {
    ...second,
    town: first.town,
    results: second.results.map((result) => {
      const text = done.get(result.worker);
      return text === undefined ? result : { ...result, message: `${result.message}; ${text}` };
    }),
  };
};

/** Says in words what became of one worker's lock. */
const release = async (
  worker: string,
  root: string,
  options: LookOptions,
  signal: AbortSignal | null,
): Promise<string> => {
  const elsewhere = isAbsolute(worker);
  const path = elsewhere ? worker : join(root, worker);
  const examination = await lookAtWorker(path, { ...options, ...(elsewhere ? {} : { town: root }) });
  const outcomes = builtInChecks.map((check) => runCheck(check, examination, () => performance.now()));
  const plan = planRepair({ examination, outcomes, workers: examination.snapshot.asked, force: false });
  const town = examination.snapshot.town.root;
  const record = await carryOut(plan, examination, {
    ...options,
    town,
    wantsToStart: true,
    ...(signal === null ? {} : { signal }),
  });
  const [outcome] = record.outcomes.values();
  if (outcome === undefined) return 'its lock needs no release any more';
  if (outcome.status !== 'fixed' || record.id === null)
    return `its lock was left: ${outcome.reason ?? outcome.status}`;
  return `a dead lock was released (${quoteCommand(['doctor', 'undo', record.id, '--town', town])} puts it back)`;
};
