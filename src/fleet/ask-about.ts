/** `doctor machines`: whether each machine answers, with which version, how far its clock is off, and how long that takes. */
import { HERE } from '../core/town/views.ts';
import type { ReportMachine } from '../core/types/report.ts';
import { fieldsOf } from '../core/unchecked.ts';
import { inParallel } from '../io/programs/in-parallel.ts';
import { type AskOptions, ask, clockDifference } from './ask.ts';
import { type EvidenceOptions, programThere } from './ask-evidence.ts';
import { MACHINES_AT_ONCE, type Machine } from './machine.ts';

/** What a machine says of itself, or why it says nothing. */
export interface MachineAnswer extends Omit<ReportMachine, 'locks'> {
  readonly status: 'ok' | 'failed';
  /** RFC 3339. */
  readonly clock: string | null;
}

/** Asks all of them at once; rows in their order. */
export const askAbout = (
  machines: readonly Machine[],
  options: Omit<AskOptions, 'input'> & Pick<EvidenceOptions, 'collector'>,
): Promise<readonly MachineAnswer[]> =>
  inParallel(machines, MACHINES_AT_ONCE, (machine) => askOne(machine, options));

const askOne = async (
  machine: Machine,
  { collector, ...options }: Omit<AskOptions, 'input'> & Pick<EvidenceOptions, 'collector'>,
): Promise<MachineAnswer> => {
  const { name, towns, send } = machine;
  const unknown = { host: null, version: null, clock: null, clockDifferenceMs: null, roundTripMs: null };
  const failed = (reason: string): MachineAnswer => ({ name, status: 'failed', reason, towns, ...unknown });
  const words = send ? ['--about'] : ['machines', '--on', HERE, '--json'];
  const answer = await ask(machine, [...programThere(machine), ...words], {
    ...options,
    input: send ? collector() : undefined,
  });
  if (answer.status === 'failed') return failed(answer.why);
  const said = readAbout(answer.document);
  if ('why' in said) return failed(said.why);
  const { host, version, clockMs } = said;
  return {
    name,
    status: 'ok',
    reason: null,
    host,
    version,
    towns,
    clock: new Date(clockMs).toISOString(),
    clockDifferenceMs: clockDifference(clockMs, answer.askedMs, answer.answeredMs),
    roundTripMs: answer.roundTripMs,
  };
};

type About =
  | { readonly host: string | null; readonly version: string | null; readonly clockMs: number }
  | { readonly why: string };

/** The row that the doctor there has of itself, each field checked here: it may be of another version, or no doctor at all. */
const readAbout = (document: unknown): About => {
  const { failure, machines } = fieldsOf(document);
  if (typeof failure === 'string') return { why: failure };
  const own: unknown = Array.isArray(machines) ? machines[0] : document;
  const { host, version, clock } = fieldsOf(own);
  const clockMs = typeof clock === 'string' ? Date.parse(clock) : Number.NaN;
  if (Number.isNaN(clockMs)) return { why: 'its answer does not say what time it is there' };
  return {
    host: typeof host === 'string' ? host : null,
    version: typeof version === 'string' ? version : null,
    clockMs,
  };
};
