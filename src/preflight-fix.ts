/** `preflight --fix`: releases what `--fix` releases without being asked, at the workers that are asked about, and answers again. */
import { isAbsolute } from 'node:path';
import { exitCodeAfter } from './core/report/interruption.ts';
import type { PreflightReport } from './core/types/report.ts';
import { heal } from './heal.ts';
import { type LookOptions, placeWorker } from './look.ts';
import { preflight } from './preflight.ts';
import type { Asked } from './repair/by-whom.ts';
import { quoteCommand } from './reporters/screen/shell-quote.ts';

/**
 * Releases the locks of the workers that answered `repair`, and asks again. What was done stands in the second answer's
 * message.
 */
export const releaseAndAskAgain = async (
  first: PreflightReport,
  workers: readonly string[],
  options: LookOptions & { readonly asked: Asked },
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
    exitCode: exitCodeAfter(signal, second.exitCode),
    town: first.town,
    results: second.results.map((result) => {
      const text = done.get(result.worker);
      return text === undefined ? result : { ...result, message: `${result.message}; ${text}` };
    }),
  };
};

/** Says in words what became of one worker's lock. */
const release = async (
  given: string,
  root: string,
  options: LookOptions & { readonly asked: Asked },
  signal: AbortSignal | null,
): Promise<string> => {
  const place = isAbsolute(given) ? placeWorker(given, undefined) : { town: { root }, worker: given };
  const report = await heal(place.town.root, {
    ...options,
    scan: 'worker',
    at: [place.worker],
    workers: [place.worker],
    usesPlugins: false,
    wantsToStart: true,
    signal: signal ?? undefined,
  });
  const tried = report.findings.find(({ fix }) => fix?.action === 'release')?.fix;
  if (tried === undefined || tried === null) return 'its lock no longer needs a release';
  if (tried.status !== 'fixed' || report.undo === null)
    return `its lock was not released: ${tried.reason ?? tried.status}`;
  return `a dead lock was released (${quoteCommand(report.undo)} restores it)`;
};
