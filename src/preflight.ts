/** Preflight: the question in front of every start of an agent. Loads as little as it can. */
import { clear, clearanceCode } from './core/clear-to-start.ts';
import { Failure } from './core/failure.ts';
import type { Gap } from './core/types/evidence.ts';
import type { PreflightReport, PreflightResult } from './core/types/report.ts';
import { documentOf } from './document.ts';
import { resolveWorker } from './evidence/town/worker-path.ts';
import { type LookOptions, look, placeWorker, townOf } from './look.ts';

/**
 * May an agent start at these workers? Looks at their locks, the processes and tmux only; the town is not walked. A
 * worker that does not exist yet is free. Reads only.
 *
 * @param workers relative to the town, or absolute
 * @throws Failure E_USAGE for a worker outside the town that is not given as an absolute path
 */
export const preflight = async (
  town: string | undefined,
  workers: string | readonly string[],
  options: LookOptions = {},
): Promise<PreflightReport> => {
  const { cwd = process.cwd() } = options;
  const place = townOf(town, options);
  const asked = (typeof workers === 'string' ? [workers] : workers).map((given) => {
    const found = resolveWorker(given, place.root, cwd);
    if (found.kind === 'outside')
      throw new Failure(
        'E_USAGE',
        `${given} lies outside the town ${place.root}`,
        `doctor preflight ${found.path}`,
      );
    return found;
  });
  const inside = asked.flatMap((found) => (found.kind === 'inside' ? [found.worker] : []));
  const gaps: Gap[] = [];
  const answers = new Map<string, PreflightResult>();
  if (inside.length > 0) {
    const snapshot = await look(place, 'worker', [...new Set(inside)], options);
    gaps.push(...snapshot.gaps);
    for (const result of clear(snapshot)) answers.set(result.worker, result);
  }
  for (const found of asked) {
    if (found.kind !== 'elsewhere' || answers.has(found.path)) continue;
    const other = placeWorker(found.path, undefined);
    const snapshot = await look(other.town, 'worker', [other.worker], options);
    gaps.push(...snapshot.gaps);
    const [result] = clear(snapshot);
    if (result !== undefined) answers.set(found.path, { ...result, worker: found.path });
  }
  const results = asked.flatMap(
    (found) => answers.get(found.kind === 'inside' ? found.worker : found.path) ?? [],
  );
  return documentOf('preflight', clearanceCode(results.map(({ answer }) => answer)), {
    town: { root: place.root, source: place.source },
    results,
    gaps,
  });
};
