/** Adds leases to preflight's answers: a worker that is free here may be held on another machine. Reads only. */
import { preflightCode } from '../core/preflight/clear-to-start.ts';
import { townOption, workerArgument } from '../core/report/name-worker.ts';
import type { PreflightReport, PreflightResult } from '../core/types/report.ts';
import { type LeaseEngine, leaseHolderInWords } from './engine.ts';

/** Whose leases are read. */
export interface LeaseReading {
  readonly engine: LeaseEngine;
  readonly prefix: string;
  /** What names it in a command that is printed; empty where the environment or the configuration does. */
  readonly asked: readonly string[];
  /** Nonce of the hold that the asker's own lease was taken with: such a lease does not count. */
  readonly own?: string | undefined;
}

/** The report with the leases of its workers: a lease held elsewhere makes `held`, a server that does not answer `unsure`. */
export const withLeases = async (
  report: PreflightReport,
  reading: LeaseReading,
): Promise<PreflightReport> => {
  const { town } = report;
  const explain = (worker: string): readonly string[] => [
    ...['doctor', 'explain', workerArgument(worker, town?.root ?? '')],
    ...(town === null ? [] : townOption(town)),
    ...reading.asked,
  ];
  const results = await Promise.all(report.results.map((result) => withLease(result, reading, explain)));
  return { ...report, exitCode: preflightCode(results.map(({ answer }) => answer)), results };
};

const withLease = async (
  result: PreflightResult,
  { engine, prefix, own }: LeaseReading,
  explain: (worker: string) => readonly string[],
): Promise<PreflightResult> => {
  // Workers outside the town have no lease, and an answer of held or unsure stays.
  if (result.worker.startsWith('/') || result.answer === 'held' || result.answer === 'unsure') return result;
  const key = `${prefix}/${result.worker}`;
  const read = await engine.read(key);
  if (read.status === 'free') return result;
  const evidence = [...result.evidence, { source: 'host' as const, text: `lease ${key}` }];
  if (read.status === 'failed')
    return { ...result, answer: 'unsure', evidence, message: `its lease could not be read: ${read.why}` };
  const { by, id } = read.lease;
  if (by !== null && by.nonce === own) return result;
  const left = id === null ? null : await engine.secondsLeft(id);
  const end = left === null ? '' : `; if that one has died, the lease expires by itself within ${left} s`;
  const message = `${leaseHolderInWords(by)}${end}`;
  return { ...result, answer: 'held', evidence, message, next: [explain(result.worker)] };
};
