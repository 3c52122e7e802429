/** `doctor checks`: lists what the doctor looks for. */
import { builtInChecks } from '../../../../checks/index.ts';
import { EXIT } from '../../../core/types/report.ts';
import { documentOf } from '../../../document.ts';
import { renderJson } from '../../../reporters/json.ts';
import { padToWidth, wrapText } from '../../../reporters/screen/display-width.ts';
import { createPen } from '../../../reporters/screen/style.ts';
import { prepareRun } from '../../diagnose.ts';
import { diagnoseOptionsOf } from '../../options-of.ts';
import { presentationFor, type RunCommand } from '../../terminal/terminal.ts';

/** `doctor checks`: what the doctor looks for, in the order in which it does. */
export const run: RunCommand<'checks'> = async (given, terminal) => {
  const prepared = await prepareRun(given, undefined, await diagnoseOptionsOf(given, terminal));
  const builtIn = new Set(builtInChecks.map(({ id }) => id));
  const checks = prepared.checks.map(({ id, title, summary }) => ({
    id,
    title,
    summary,
    source: builtIn.has(id) ? 'built-in' : 'plug-in',
  }));
  if (given.options.json) {
    const document = documentOf('checks', EXIT.ok, { checks });
    return { exitCode: EXIT.ok, stdout: renderJson(document), stderr: '' };
  }
  const presentation = await presentationFor(given, terminal, terminal.stdout);
  const pen = createPen(presentation);
  const column = Math.max(...checks.map(({ id }) => id.length)) + 2;
  const lines = checks.flatMap(({ id, summary }) => {
    const room = presentation.width - column;
    if (presentation.width > 0 && room < 30)
      return [
        pen.bold(pen.safe(id)),
        ...wrapText(pen.safe(summary), presentation.width - 2).map((line) => `  ${line}`),
      ];
    const [first = '', ...more] = wrapText(pen.safe(summary), room);
    return [
      pen.bold(padToWidth(pen.safe(id), column)) + first,
      ...more.map((line) => ' '.repeat(column) + line),
    ];
  });
  return { exitCode: EXIT.ok, stdout: lines.map((line) => `${line}\n`).join(''), stderr: '' };
};
