/** Validates records of tools' registries. A part of its own, because only machines with such records need it. */
import { copilotSession } from './compiled/copilot-session.ts';
import { sessionRecord } from './compiled/session-record.ts';
import { problemOf, tellProblem, type Validator } from './problem.ts';

const VALIDATORS: Readonly<Record<RecordForm, Validator>> = {
  'session-record': sessionRecord,
  'copilot-session': copilotSession,
};

/** The published forms, as `schema/` names them. */
export type RecordForm = 'session-record' | 'copilot-session';

/** What is wrong with a record of that form, as one fragment; null where nothing is. */
export const problemInRecord = (form: RecordForm, value: unknown): string | null => {
  const problem = problemOf(VALIDATORS[form], value);
  return problem === null ? null : tellProblem(problem);
};
