/** `preflight --fix`: repairs the workers in question as `doctor --fix` does without questions, then answers again. */
import { isAbsolute } from 'node:path';
import { isMovedAside } from './core/clear-to-start.ts';
import { exitCodeAfter } from './core/report/interruption.ts';
import type { PreflightReport, Report } from './core/types/report.ts';
import { heal } from './heal.ts';
import { type LookOptions, placeWorker } from './look.ts';
import { preflight } from './preflight.ts';
import type { Asked } from './repair/by-whom.ts';
import { quoteCommand } from './reporters/screen/shell-quote.ts';

const NOT_PUT_BACK = 'it was not put back: somebody else is changing it, or its guard cannot be taken';

type FixOptions = LookOptions & { readonly asked: Asked };

/**
 * Puts back locks that killed runs had moved aside, then releases the locks of the workers that answer `repair`, and asks
 * again. The last answer's message says what was done.
 */
export const releaseAndAskAgain = async (
  first: PreflightReport,
  workers: readonly string[],
  options: FixOptions,
  signal: AbortSignal | null,
): Promise<PreflightReport> => {
  const root = first.town?.root ?? '/';
  const done = new Map<string, readonly string[]>();
  const isLeft = (): boolean => signal?.aborted !== true;
  const aside = first.results.filter(isMovedAside);
  for (const { worker } of aside) if (isLeft()) await repairAt(worker, root, options, signal);
  const judged = aside.length === 0 ? first : await preflight(root, workers, options);
  for (const { worker } of aside) {
    const now = judged.results.find((result) => result.worker === worker);
    const isStillAside = now !== undefined && isMovedAside(now);
    done.set(worker, [isStillAside ? NOT_PUT_BACK : 'the lock that was moved aside was put back']);
  }
  const dead = judged.results.filter(({ answer }) => answer === 'repair');
  for (const { worker } of dead)
    if (isLeft())
      done.set(worker, [...(done.get(worker) ?? []), await release(worker, root, options, signal)]);
  const last = dead.length === 0 ? judged : await preflight(root, workers, options);
  return {
    ...last,
    exitCode: exitCodeAfter(signal, last.exitCode),
    town: first.town,
    results: last.results.map((result) => ({
      ...result,
      message: [result.message, ...(done.get(result.worker) ?? [])].join('; '),
    })),
  };
};

/** The repair that `--fix` makes at one worker without questions. */
const repairAt = (
  given: string,
  root: string,
  options: FixOptions,
  signal: AbortSignal | null,
): Promise<Report> => {
  const place = isAbsolute(given) ? placeWorker(given, undefined) : { town: { root }, worker: given };
  return heal(place.town.root, {
    ...options,
    scan: 'worker',
    at: [place.worker],
    workers: [place.worker],
    usesPlugins: false,
    wantsToStart: true,
    signal: signal ?? undefined,
  });
};

/** Releases one worker's lock; returns the outcome in words. */
const release = async (
  given: string,
  root: string,
  options: FixOptions,
  signal: AbortSignal | null,
): Promise<string> => {
  const report = await repairAt(given, root, options, signal);
  const tried = report.findings.find(({ fix }) => fix?.action === 'release')?.fix;
  if (tried === undefined || tried === null) return 'its lock no longer needs a release';
  if (tried.status !== 'fixed' || report.undo === null)
    return `its lock was not released: ${tried.reason ?? tried.status}`;
  return `a dead lock was released (${quoteCommand(report.undo)} restores it)`;
};
