/** `undo --on`: what the doctor of another machine released is restored by it, there. */
import { isRunId } from '../core/report/choose-events.ts';
import { type ReleasedElsewhere, UNDO_STATUSES } from '../core/types/history.ts';
import { fieldsOf } from '../core/unchecked.ts';
import type { UndoOutcome, UndoReport } from '../repair/undo.ts';
import { type AskOptions, ask } from './ask.ts';
import { HAS_NO_DOCTOR, type Machine } from './machine.ts';

/** What was restored there, or why that is not known. */
export type UndoThere =
  | (Pick<UndoReport, 'run' | 'outcomes'> & {
      readonly problem: string | null;
      /** What runs of other roots there released. */
      readonly elsewhere: readonly ReleasedElsewhere[];
    })
  | { readonly why: string };

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Asks a machine to restore the releases of a run (null: of the last one) in one of its towns. */
export const askUndo = async (
  machine: Machine,
  town: string,
  id: string | null,
  options: AskOptions,
): Promise<UndoThere> => {
  if (machine.send) return { why: HAS_NO_DOCTOR };
  const named = id === null ? [] : ['--', id];
  const command = [...machine.doctor, 'undo', '--json', `--town=${town}`, ...named];
  const answer = await ask(machine, command, options);
  if (answer.status === 'failed')
    return { why: `${answer.why}; whether anything was restored there is not known` };
  const { run, results, damage, elsewhere, error } = fieldsOf(answer.document);
  const message = fieldsOf(error).message;
  if (typeof message === 'string') return { why: message };
  if (!Array.isArray(results)) return { why: 'its answer says nothing of an undo' };
  return {
    run: typeof run === 'string' ? run : null,
    outcomes: results.map(outcomeOf),
    problem:
      typeof damage === 'object' && damage !== null
        ? `the journal there is damaged: ${textOf(fieldsOf(damage).why)}`
        : null,
    elsewhere: Array.isArray(elsewhere) ? elsewhere.flatMap(elsewhereOf) : [],
  };
};

const elsewhereOf = (release: unknown): readonly ReleasedElsewhere[] => {
  const { root, id, run, directory } = fieldsOf(release);
  // They become words of a command.
  if (typeof id !== 'string' || !isRunId(id) || typeof root !== 'string' || !root.startsWith('/')) return [];
  return [
    { root, id, run: typeof run === 'string' && isRunId(run) ? run : null, directory: textOf(directory) },
  ];
};

const outcomeOf = (result: unknown): UndoOutcome => {
  const { id, worker, lock, status, reason, holder } = fieldsOf(result);
  const { pid, sessionId, hostname } = fieldsOf(holder);
  return {
    id: textOf(id),
    worker: textOf(worker),
    lock: textOf(lock),
    status: UNDO_STATUSES.find((known) => known === status) ?? 'failed',
    reason: textOf(reason),
    holder:
      typeof pid === 'number' ? { pid, sessionId: textOf(sessionId), hostname: textOf(hostname) } : null,
  };
};
