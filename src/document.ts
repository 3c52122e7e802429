/** The envelope of all our JSON documents. */
import { type ReportError, SCHEMA_VERSION } from './core/types/report.ts';
import { VERSION } from './version.ts';

/** Who made the document. */
export const TOOL = { name: 'lock-doctor', version: VERSION } as const;

/** A document: who made it, for which command, with which exit code; `error` stands last. */
export const documentOf = <Command extends string, Rest extends object>(
  command: Command,
  exitCode: number,
  rest: Rest,
  error: ReportError | null = null,
) => ({ schemaVersion: SCHEMA_VERSION, tool: TOOL, command, exitCode, ...rest, error });
