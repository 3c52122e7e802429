/** A diagnosis as the commands ask for it: options from the command line, a view of its progress, evidence saved. */
import { resolve } from 'node:path';
import { Failure } from '../core/failure.ts';
import type { Report } from '../core/types/report.ts';
import {
  type DiagnoseOptions,
  type Diagnosis,
  type DiagnosisLook,
  diagnose,
  type Preparation,
  prepare,
} from '../diagnose.ts';
import { nearestWorker } from '../evidence/town/new-worker.ts';
import type { FleetDiagnosis } from '../fleet/examine-fleet.ts';
import { entryExists } from '../io/disk/entry-exists.ts';
import type { LeaseBook } from '../lease/lease-book.ts';
import { townOf } from '../look.ts';
import { quoteCommand } from '../reporters/screen/shell-quote.ts';
import type { Presentation } from '../reporters/screen/style.ts';
import type { Arguments } from './arguments/arguments.ts';
import { meantCommand } from './arguments/meant-command.ts';
import { asksOthers, leaseAddressFor } from './elsewhere/asks-others.ts';
import { diagnoseOptionsOf, townNamedBy } from './options-of.ts';
import { saveSnapshot } from './save-snapshot.ts';
import { withLiveView } from './terminal/live-view.ts';
import type { Terminal } from './terminal/terminal.ts';

/** How a command wants to see it. */
interface Watched extends Pick<DiagnosisLook, 'events' | 'at'> {
  /** Where its progress is drawn; null for nowhere. */
  readonly live?: Presentation | null;
}

/**
 * Runs one diagnosis of this machine. With `live` its progress is drawn on standard error. Writes nothing but
 * `--save-snapshot`. Throws `Failure` for whatever the arguments or the configuration get wrong.
 */
export const runDiagnosis = async (
  given: Arguments,
  terminal: Terminal,
  watched: Watched = {},
): Promise<Diagnosis & Preparation & Pick<Run, 'leases'>> => {
  const run = await prepared(given, terminal, watched);
  await run.leases?.list();
  return { ...(await diagnoseHere(run, watched.live)), leases: run.leases };
};

/** The report of one diagnosis, of this machine or of all that are meant. Otherwise as `runDiagnosis`. */
export const runReport = async (
  given: Arguments,
  terminal: Terminal,
  watched: Watched = {},
): Promise<Report> => reportOf(await prepared(given, terminal, watched), watched);

/** The same, compared with the leases; null, and nothing is looked at, where no lease is configured. */
export const runWithLeases = async (
  given: Arguments,
  terminal: Terminal,
): Promise<{ readonly report: Report; readonly leases: LeaseBook } | null> => {
  const run = await prepared(given, terminal, {});
  return run.leases === null ? null : { report: await reportOf(run, {}), leases: run.leases };
};

const reportOf = async (run: Run, watched: Watched): Promise<Report> => {
  const { given, terminal, preparation, options, leases } = run;
  const told = (report: Report): Report => leases?.told(report) ?? report;
  await leases?.list();
  if (!asksOthers(given, preparation, terminal.env))
    return told((await diagnoseHere(run, watched.live)).report);
  const { diagnoseFleet } = await import('./elsewhere/fleet.ts');
  const { report } = await withLiveView(terminal, watched.live ?? null, options, (shown) =>
    diagnoseFleet(given, terminal, preparation, shown),
  );
  return told(report);
};

/** A diagnosis of all machines that are meant, with what it is based on; null where only this one is. */
export const runOnOthers = async (
  given: Arguments,
  terminal: Terminal,
): Promise<(FleetDiagnosis & Preparation & Pick<Run, 'leases'>) | null> => {
  const { preparation, options, leases } = await prepared(given, terminal, {});
  if (!asksOthers(given, preparation, terminal.env)) return null;
  await leases?.list();
  const { diagnoseFleet } = await import('./elsewhere/fleet.ts');
  const found = await diagnoseFleet(given, terminal, preparation, { ...options, keepEvidence: true });
  return { ...preparation, ...found, leases };
};

interface Run {
  readonly given: Arguments;
  readonly terminal: Terminal;
  readonly options: DiagnoseOptions & Pick<DiagnosisLook, 'at'>;
  readonly preparation: Preparation;
  /** Null where no lease is configured. */
  readonly leases: LeaseBook | null;
}

const prepared = async (given: Arguments, terminal: Terminal, { events, at }: Watched): Promise<Run> => {
  const options = { ...(await diagnoseOptionsOf(given, terminal)), events, at };
  const preparation = await prepareRun(given, given.positionals[0], options);
  return { given, terminal, ...(await withLeaseCheck(given, terminal, preparation, options)) };
};

/** A run with the check of leases, where a lease is asked for: on the command line, in the environment, or by the configuration. */
export const withLeaseCheck = async <Options extends DiagnoseOptions>(
  given: Arguments,
  terminal: Terminal,
  preparation: Preparation,
  options: Options,
): Promise<{
  readonly options: Options;
  readonly preparation: Preparation;
  readonly leases: LeaseBook | null;
}> => {
  const address = leaseAddressFor(given, terminal.env, preparation.place?.config ?? null);
  if (address === null) return { options, preparation, leases: null };
  const { openLeases } = await import('./elsewhere/lease.ts');
  const leases = openLeases(address, given, terminal);
  const { check } = leases;
  return {
    options: {
      ...options,
      onExamined: async (...examined) => {
        await options.onExamined?.(...examined);
        await leases.onExamined(...examined);
      },
    },
    preparation: { ...preparation, checks: [...preparation.checks, check] },
    leases,
  };
};

const diagnoseHere = async (
  { given, terminal, options, preparation }: Run,
  live: Presentation | null = null,
): Promise<Diagnosis & Preparation> => {
  const diagnosis = await withLiveView(terminal, live, options, (shown) =>
    diagnose(preparation, { ...shown, at: options.at }),
  );
  const file = given.options.saveSnapshot;
  if (file !== undefined) saveSnapshot(diagnosis.examination.snapshot, file, terminal.cwd);
  return { ...preparation, ...diagnosis };
};

/** Prepares a diagnosis of the town that is named. Throws as `tellingWhatWasMeant` does. */
export const prepareRun = (
  given: Arguments,
  positional: string | undefined,
  options: DiagnoseOptions,
): Promise<Preparation> =>
  tellingWhatWasMeant(given, positional, options, () => prepare(townNamedBy(given, positional), options));

/**
 * Runs something in the town that is named. `doctor lokcs` is a town that does not exist, and more likely a command mistyped,
 * `doctor locks ada` a worker: then the failure says so.
 */
export const tellingWhatWasMeant = async <Result>(
  given: Arguments,
  positional: string | undefined,
  options: Pick<DiagnoseOptions, 'cwd' | 'env'>,
  run: () => Promise<Result>,
): Promise<Result> => {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'E_USAGE' || positional === undefined) throw error;
    const command = meantCommand(positional);
    if (command !== null) {
      const message = `command not found: ${positional} (and ${error.message})`;
      throw new Failure('E_USAGE', message, `Did you mean: ${command}?`, { cause: error });
    }
    const worker = isMissing(positional, options) ? meantWorker(positional, options) : null;
    if (worker === null) throw error;
    const words = given.options.fix
      ? ['doctor', '--fix', '--worker', worker]
      : ['doctor', ...(given.command === 'doctor' ? [] : [given.command]), '--under', worker];
    throw new Failure('E_USAGE', error.message, `Did you mean: ${quoteCommand(words)}?`, { cause: error });
  }
};

const isMissing = (name: string, { cwd = process.cwd() }: Pick<DiagnoseOptions, 'cwd'>): boolean =>
  !entryExists(resolve(cwd, name));

/** The worker that was meant by a town's argument; null where the caller stands in no town, or in one without such a worker. */
const meantWorker = (name: string, options: Pick<DiagnoseOptions, 'cwd' | 'env'>): string | null => {
  try {
    return nearestWorker(name, townOf(undefined, { cwd: options.cwd, env: options.env }).root);
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
};
