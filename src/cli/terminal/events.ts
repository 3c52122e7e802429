/** Tells a run as `--format ndjson` while it goes on. */
import { type Report, type ReportFinding, type ReportFix, SCHEMA_VERSION } from '../../core/types/report.ts';
import type { DiagnosisEvents } from '../../diagnose.ts';
import { TOOL } from '../../document.ts';
import { renderJsonLine } from '../../reporters/json.ts';
import { fixEvent, renderNdjson, startEvent } from '../../reporters/ndjson.ts';
import type { CommandName } from '../arguments/options.ts';
import type { Terminal } from './terminal.ts';

/** `--format ndjson` during a run: events are printed as they happen, the rest with the report. */
export interface EventStream {
  readonly events: DiagnosisEvents;
  readonly onFix: (
    finding: Pick<ReportFinding, 'id' | 'worker' | 'lock'>,
    fix: Pick<ReportFix, 'status' | 'reason' | 'backup'>,
  ) => void;
  /** The lines that are still to be printed. */
  readonly rest: (report: Report) => string;
}

/** Opens the stream of one run. It prints nothing until the first event. */
export const openEvents = (command: CommandName, { stdout }: Terminal): EventStream => {
  const told = { start: false, fixes: false };
  return {
    events: {
      onStart: (_checks, town) => {
        if (town === null) return;
        told.start = true;
        const startedAt = new Date().toISOString();
        stdout.write(
          renderJsonLine(startEvent({ schemaVersion: SCHEMA_VERSION, tool: TOOL, command, startedAt }, town)),
        );
      },
    },
    onFix: (finding, fix) => {
      told.fixes = true;
      stdout.write(renderJsonLine(fixEvent(finding, fix)));
    },
    rest: (report) => renderNdjson(report, told),
  };
};
