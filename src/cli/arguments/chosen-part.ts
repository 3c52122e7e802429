/** The part of a report that the options of a command line ask for. */
import { builtInKinds } from '../../../kinds/index.ts';
import { idMeant, nearWorker } from '../../core/did-you-mean.ts';
import { filterReport, type ReportFilter } from '../../core/report/filter-report.ts';
import { isWithin } from '../../core/town/roles.ts';
import type { Report } from '../../core/types/report.ts';
import { treesBeside } from '../../evidence/town/new-worker.ts';
import { placeName } from '../../evidence/town/outside-trees.ts';
import { resolveWorker } from '../../evidence/town/worker-path.ts';
import { momentMs } from './moment.ts';
import type { OptionsOf } from './options.ts';
import { usage } from './usage.ts';

/** The options that choose a part. */
const CHOOSING = ['state', 'kind', 'under', 'since', 'before'] as const;

interface Choosing {
  readonly options: Pick<OptionsOf<'doctor'>, (typeof CHOOSING)[number]>;
}

/** True where the line chooses at all, by another option than the allowed one. */
export const chooses = ({ options }: Choosing, allowed: (typeof CHOOSING)[number] | null = null): boolean =>
  CHOOSING.some((name) => name !== allowed && (options[name]?.length ?? 0) > 0);

/** How to cut each report of a run to what was asked for. Throws `E_USAGE` for what is not a time, and for a kind that does not exist. */
export const chosenPart = (given: Choosing, cwd: string): ((report: Report) => Report) => {
  const filterFor = chosenFilter(given, cwd);
  return (report) => {
    const filter = filterFor(report);
    return filter === null ? report : filterReport(report, filter);
  };
};

/** What is asked for of each report of a run; null for all. Throws as `chosenPart` does. */
export const chosenFilter = (given: Choosing, cwd: string): ((report: Report) => ReportFilter | null) => {
  const { state, kind, under, since, before } = given.options;
  if (!chooses(given)) return () => null;
  for (const name of kind) checkKind(name);
  // Ages are counted from the look, or a view that stays open would show less and less.
  momentMs('since', since, 0);
  momentMs('before', before, 0);
  return (report) => {
    const nowMs = Date.parse(report.startedAt);
    return {
      states: state,
      kinds: kind,
      places: under.map((name) => placeNamed(name, report, cwd)),
      sinceMs: momentMs('since', since, nowMs),
      beforeMs: momentMs('before', before, nowMs),
    };
  };
};

/** Throws `E_USAGE` for a kind that does not exist. Kinds of plug-ins, which have a slash in their names, are known once they are loaded. */
export const checkKind = (name: string): void => {
  const ids = builtInKinds.map(({ id }) => id);
  if (name.includes('/') || ids.includes(name)) return;
  const near = idMeant(name, ids);
  throw usage(
    `there is no kind of lock "${name}"`,
    near === null ? `Known kinds: ${ids.join(', ')}.` : `Did you mean ${near}?`,
  );
};

/** A directory of the town, a working tree beside it, or one in which something was seen. Throws `E_USAGE`. */
const placeNamed = (name: string, { town, locks, agents }: Report, cwd: string): string => {
  const root = town?.root ?? '/';
  const seen = [...new Set([...locks, ...agents].map(({ worker }) => worker))];
  const plain = name.replace(/\/+$/, '');
  if (seen.some((worker) => isWithin(worker, plain))) return plain;
  const found = resolveWorker(name, root, cwd);
  if (found.kind === 'inside' && found.exists) return found.worker;
  const outside = found.kind === 'inside' ? null : placeName(root, found.path);
  if (outside !== null && [...seen, ...treesBeside(root)].some((tree) => isWithin(tree, outside)))
    return outside;
  const near = seen.find((worker) => worker.endsWith(`/${plain}`)) ?? nearWorker(plain, seen);
  throw usage(
    `there is no directory "${name}" in ${root}`,
    near === null ? 'See: doctor locks' : `Did you mean ${near}?`,
  );
};
