/** `preflight --fix`: repairs the workers in question as `doctor --fix` does without questions, then answers again. */
import { isAbsolute } from 'node:path';
import { isMovedAside } from './core/preflight/clear-to-start.ts';
import { exitCodeAfter } from './core/report/interruption.ts';
import type { PreflightReport, PreflightResult, Report } from './core/types/report.ts';
import { heal } from './heal.ts';
import { type LookOptions, placeWorker } from './look.ts';
import { preflight } from './preflight.ts';
import type { Asked } from './repair/by-whom.ts';
import { quoteCommand } from './reporters/screen/shell-quote.ts';

const NOT_FROM_HERE = 'its lock was not released, because a repair writes only inside its root';
const NOT_RESTORED = 'it was not restored: somebody else is changing it, or its guard cannot be taken';

type FixOptions = LookOptions & { readonly asked: Asked };

/**
 * Restores locks that killed runs had moved aside, then releases the locks of the workers that answer `repair`, and asks
 * again. The last answer's message says what was done.
 */
export const releaseAndAskAgain = async (
  first: PreflightReport,
  workers: readonly string[],
  options: FixOptions,
  signal: AbortSignal | null,
): Promise<PreflightReport> => {
  const root = first.town?.root ?? '/';
  const done = new Map<string, string | null>();
  const isLeft = (): boolean => signal?.aborted !== true;
  const toRepair = first.results.filter((result) => result.answer === 'repair' || isMovedAside(result));
  for (const { worker } of toRepair)
    if (isLeft()) done.set(worker, released(await repairAt(worker, root, options, signal)));
  const last = toRepair.length === 0 ? first : await preflight(root, workers, options);
  return {
    ...last,
    exitCode: exitCodeAfter(signal, last.exitCode),
    town: first.town,
    results: last.results.map((result) => {
      const before = toRepair.find(({ worker }) => worker === result.worker);
      const said = before === undefined ? [] : saidOf(before, result, done.get(result.worker));
      return { ...result, message: [result.message, ...said].join('; ') };
    }),
  };
};

/** What became of one worker, from its first answer to its last. */
const saidOf = (
  first: PreflightResult,
  last: PreflightResult,
  release: string | null | undefined,
): readonly string[] => {
  if (release === undefined) return [];
  if (first.answer === 'repair')
    return [release ?? (last.answer === 'repair' ? NOT_FROM_HERE : 'its lock no longer needs a release')];
  if (isMovedAside(last)) return [NOT_RESTORED];
  return ['the lock that was moved aside was restored', ...(release === null ? [] : [release])];
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
    inGitDirs: 'own',
    workers: [place.worker],
    usesPlugins: false,
    wantsToStart: true,
    signal: signal ?? undefined,
  });
};

/** The outcome for one worker's lock in words; null where nothing was tried. */
const released = ({ findings, undo }: Report): string | null => {
  const tried = findings.find(({ fix }) => fix?.action === 'release')?.fix;
  if (tried === undefined || tried === null) return null;
  if (tried.status !== 'fixed' || undo === null)
    return `its lock was not released: ${tried.reason ?? tried.status}`;
  return `a dead lock was released (${quoteCommand(undo)} restores it)`;
};
