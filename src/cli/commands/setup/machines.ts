/** `doctor machines`: the other machines, and whether each answers. */
import { hostname } from 'node:os';
import { formatDuration } from '../../../core/report/amounts.ts';
import { HERE } from '../../../core/town/views.ts';
import { EXIT } from '../../../core/types/report.ts';
import { findTown } from '../../../diagnose.ts';
import { documentOf } from '../../../document.ts';
import { askAbout, type MachineAnswer } from '../../../fleet/ask-about.ts';
import { renderJson } from '../../../reporters/json.ts';
import { type Canvas, createCanvas } from '../../../reporters/screen/canvas.ts';
import { padToWidth } from '../../../reporters/screen/display-width.ts';
import { describeClock } from '../../../reporters/screen/sentences.ts';
import { VERSION } from '../../../version.ts';
import { askingOf, machinesFor } from '../../elsewhere/fleet.ts';
import { lookOptionsOf, townNamedBy } from '../../options-of.ts';
import { presentationFor, type RunCommand } from '../../terminal/terminal.ts';

/** `doctor machines`: 0 where all answer, 22 where one does not. `--on here` is what the doctor of another machine asks us. */
export const run: RunCommand<'machines'> = async (given, terminal) => {
  const { env } = terminal;
  const place = findTown(townNamedBy(given, undefined), lookOptionsOf(given, terminal));
  const isOnlyHere = given.options.on.length > 0 && given.options.on.every((name) => name === HERE);
  const machines = isOnlyHere ? [] : machinesFor(given, terminal, place).machines;
  const others = await askAbout(machines, { ...askingOf(given), env });
  const exitCode = others.every(({ status }) => status === 'ok') ? EXIT.ok : EXIT.unsure;
  const rows = [rowOfHere(place.town.root), ...others];
  if (given.options.json)
    return { exitCode, stdout: renderJson(documentOf('machines', exitCode, { machines: rows })), stderr: '' };
  const presentation = await presentationFor(given, terminal, terminal.stdout);
  const canvas = createCanvas(presentation);
  const hint =
    others.length > 0 || isOnlyHere
      ? []
      : canvas.flow(0, 'No other machine is configured. To name some, see: doctor machines --help');
  const lines = [...machineLines(rows, canvas), ...hint];
  return { exitCode, stdout: lines.map((line) => `${line}\n`).join(''), stderr: '' };
};

const rowOfHere = (root: string): MachineAnswer => ({
  name: HERE,
  status: 'ok',
  reason: null,
  host: hostname(),
  version: VERSION,
  towns: [root],
  clock: new Date().toISOString(),
  clockDifferenceMs: 0,
  roundTripMs: 0,
});

/** `ok mini2: mini2.local, lock-doctor 0.1.0, 312 ms`: each line says by its first word whether that machine answers. */
const machineLines = (rows: readonly MachineAnswer[], canvas: Canvas): readonly string[] => {
  const column = Math.max(...rows.map(({ name }) => name.length));
  return rows.flatMap((row) => {
    const said = canvas.safe(row.status === 'ok' ? describeOk(row) : (row.reason ?? ''));
    const name = canvas.safe(row.name);
    if (canvas.presentation.layout === 'lines') return [`${row.status} ${name}: ${said}`];
    const mark = row.status === 'ok' ? 'pass' : 'unknown';
    return canvas.signed(mark, 0, `${padToWidth(name, column)}  ${said}`);
  });
};

const describeOk = ({ name, host, version, clockDifferenceMs, roundTripMs, towns }: MachineAnswer): string =>
  [
    host ?? 'without a name',
    version === null ? 'an unknown version' : `lock-doctor ${version}`,
    ...describeClock(clockDifferenceMs),
    ...(name === HERE ? [] : [formatDuration(roundTripMs ?? 0)]),
    ...towns,
  ].join(', ');
